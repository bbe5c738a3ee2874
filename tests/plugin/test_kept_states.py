"""Windows keep what was done by themselves, and offer it after a crash."""

import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from napari_galaxy_maps.plugin.session import kept_states
from napari_galaxy_maps.plugin.session.kept_states import begin_state, last_states
from napari_galaxy_maps.plugin.session.open_session import Session, open_session
from napari_galaxy_maps.plugin.session.saved_galaxy import SavedGalaxy
from napari_galaxy_maps.progress import run_to_end


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GALAXY_MAPS_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def session(*names):
    return Session(tuple(map(SavedGalaxy, names)))


def test_states_lie_where_the_system_has_them(monkeypatch, home):
    assert kept_states.state_folder() == home
    monkeypatch.delenv("GALAXY_MAPS_STATE")
    assert kept_states.state_folder() == platformdirs.user_state_path("napari-galaxy-maps")


def test_closed_windows_are_offered_and_running_ones_are_not(home):
    assert last_states() == []
    first, second = begin_state(), begin_state()
    assert not home.exists(), "nothing is there before something is saved"
    assert run_to_end(first.write(session("M 31", "M 33"))) == ""
    run_to_end(second.write(session("M 51")))
    run_to_end(first.write(session("M 31")))
    assert last_states() == []
    first.end(clean=True)
    (state,) = last_states()
    assert (state.galaxies, state.crashed) == (("M 31",), False)
    second.end(clean=False)
    begin_state().end(clean=True)  # nothing was done there
    assert [(s.galaxies, s.crashed) for s in last_states()] == [
        (("M 31",), False),
        (("M 51",), True),
    ]
    assert last_states()[0].saved >= last_states()[1].saved
    assert open_session(state.folder).galaxy(0).name == "M 31"


_OTHER = """
import sys
from napari_galaxy_maps.plugin.session.kept_states import begin_state
from napari_galaxy_maps.plugin.session.open_session import Session
from napari_galaxy_maps.plugin.session.saved_galaxy import SavedGalaxy
from napari_galaxy_maps.progress import run_to_end
state = begin_state()
run_to_end(state.write(Session((SavedGalaxy("M 101"),))))
print("saved", flush=True)
sys.stdin.read()
"""


def test_a_process_that_is_killed_leaves_its_state():
    with subprocess.Popen(
        [sys.executable, "-c", _OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "saved\n"
        assert last_states() == []
        other.kill()
        other.wait()
    (state,) = last_states()
    assert (state.galaxies, state.crashed) == (("M 101",), True)


def test_ten_are_kept_and_those_of_running_windows(home, monkeypatch):
    running = begin_state()
    run_to_end(running.write(session("running")))
    for number in range(12):
        state = begin_state()
        run_to_end(state.write(session(f"N {number}")))
        front = state.folder / "session.toml"
        os.utime(front, (number, number))
        state.end(clean=True)
    assert len(list(home.iterdir())) == 10
    assert {s.galaxies[0] for s in last_states()} == {f"N {n}" for n in range(3, 12)}


def test_what_cannot_be_written_is_told_once(home, monkeypatch):
    home.write_text("a file")
    state = begin_state()
    told = run_to_end(state.write(session("M 31")))
    assert "GALAXY_MAPS_STATE" in told and str(home) in told
    assert run_to_end(state.write(session("M 31"))) == ""
    state.end(clean=True)
    assert last_states() == []
    home.unlink()
    assert run_to_end(state.write(session("M 31"))) == ""
    state.end(clean=True)
    assert len(last_states()) == 1


def test_damaged_states_are_passed_over(home):
    for name in ("good", "bad"):
        state = begin_state()
        run_to_end(state.write(session(name)))
        state.end(clean=True)
    Path(state.folder / "session.toml").write_text("version = [")
    (home / "stray.txt").write_text("")
    (home / "empty").mkdir()
    assert [s.galaxies for s in last_states()] == [("good",)]


def test_a_disk_without_locks_does(monkeypatch):
    import filelock

    def none(self, *arguments, **more):
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr(filelock.FileLock, "acquire", none)
    state = begin_state()
    assert run_to_end(state.write(session("M 31"))) == ""
    assert run_to_end(state.write(session("M 33"))) == ""
    assert last_states() == []
    state.end(clean=True)
    assert [s.galaxies for s in last_states()] == [("M 33",)]
