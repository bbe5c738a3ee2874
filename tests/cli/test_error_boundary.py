"""Whatever ends a command is a sentence and an exit status, and leaves nothing half written."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

import pytest

import napari_galaxy_maps
from napari_galaxy_maps.cli.error_boundary import Interrupted, exit_status
from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.fits_io.safe_writing import folder_written_whole, written_whole

SOURCE = Path(napari_galaxy_maps.__file__).parents[1]
MAIN = "from napari_galaxy_maps.__main__ import main; import sys; sys.exit(main())"
MOCK = ["mock", "--seed", "1", "--size", "32", "--bands", "g,r"]


def run(*arguments, code=MAIN, before=(), **environment):
    """The command in a process of its own."""
    variables = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(
        [*before, sys.executable, "-c", code, *map(str, arguments)],
        env=variables, capture_output=True, check=False,
    )  # fmt: skip


def fails(error):
    def work():
        raise error

    return work


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(errno.EACCES, "Permission denied", "a.fits"),
        IsADirectoryError(errno.EISDIR, "Is a directory", "a.fits"),
        OSError(errno.ENAMETOOLONG, "File name too long", "a.fits"),
        OSError(errno.ELOOP, "Too many levels of symbolic links", "a.fits"),
        OSError(errno.ENOSPC, "No space left on device", "a.fits"),
        MemoryError(),
    ],
)
def test_what_a_person_can_put_right_is_a_sentence(capsys, error):
    assert exit_status(fails(error)) == 2
    said = capsys.readouterr().err
    assert said.startswith("galaxy-maps: ") and said.count("\n") == 1
    assert isinstance(error, MemoryError) or "a.fits" in said


@pytest.mark.parametrize(
    "error", [zipfile.BadZipFile("File is not a zip file"), zlib.error("-3"), EOFError("short")]
)
def test_an_error_that_names_no_file_tells_the_one_that_was_read(capsys, error):
    def read(path):
        raise error

    assert exit_status(lambda: read(Path("b.npz"))) == 2
    assert "galaxy-maps: b.npz cannot be read" in capsys.readouterr().err


def test_a_fault_of_the_program_shows_where_it_is(capsys):
    assert exit_status(fails(ZeroDivisionError("division by zero"))) == 1
    said = capsys.readouterr().err
    assert said.startswith("galaxy-maps: something unexpected happened (ZeroDivisionError)")
    assert "please report it" in said and "Traceback" in said


def test_an_interruption_tells_the_truth_about_what_was_written(tmp_path, capsys):
    out = str(tmp_path / "maps.fits")

    def interrupted_after_writing():
        with written_whole(out) as beside:
            beside.write_text("maps")
        raise KeyboardInterrupt

    assert exit_status(fails(KeyboardInterrupt()), [out]) == 130
    assert "interrupted; nothing was written" in capsys.readouterr().err
    assert exit_status(interrupted_after_writing, [out]) == 130
    assert f"interrupted; {out} was written" in capsys.readouterr().err
    assert exit_status(fails(Interrupted(15, "go on with --resume")), [out]) == 143
    assert capsys.readouterr().err == "galaxy-maps: go on with --resume\n"


def test_a_library_that_turns_ctrl_c_into_its_own_error_is_interrupted_all_the_same(capsys):
    def load():
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("this library is damaged") from None

    assert exit_status(load) == 130
    assert capsys.readouterr().err == "galaxy-maps: interrupted; nothing was written.\n"


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signals here")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_end_of_a_job_is_as_ctrl_c(tmp_path, capsys, number):
    def killed():
        with folder_written_whole(tmp_path / "out") as stage:
            (stage / "half").write_text("half")
            os.kill(os.getpid(), number)
            raise AssertionError("it went on")

    before = signal.getsignal(number)
    assert exit_status(killed) == 128 + number
    assert "interrupted; nothing was written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [] and signal.getsignal(number) == before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signals here")
def test_a_signal_that_is_ignored_stays_so(tmp_path):
    """As `nohup`, and a shell for what runs in the background, ask for it."""
    kill = f"""
import os, signal
for number in (signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
from napari_galaxy_maps.cli import models
def run(arguments):
    for number in (signal.SIGINT, signal.SIGHUP):
        os.kill(os.getpid(), number)
    print("went on")
models.run = run
{MAIN}
"""
    done = run("models", code=kill)
    assert (done.returncode, done.stdout.split()) == (0, [b"went", b"on"]), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_mock_that_is_killed_leaves_nothing_and_may_be_made_again(tmp_path, number):
    kill = f"""
import os, sys
from napari_galaxy_maps.mocks import writing
write = writing._write_band
def write_and_die(path, mock, index):
    write(path, mock, index)
    if index == 1:
        os.kill(os.getpid(), {int(number)})
writing._write_band = write_and_die
{MAIN}
"""
    out = tmp_path / "deep" / "mock"
    done = run(*MOCK, "--out", out, code=kill)
    assert done.returncode == 128 + number
    assert done.stderr.decode() == "galaxy-maps: interrupted; nothing was written.\n"
    assert list(tmp_path.iterdir()) == []
    assert main([*MOCK, "--out", str(out), "--quiet"]) == 0
    assert {p.name for p in out.iterdir()} == {
        "SDSS_g.fits", "SDSS_r.fits", "truth.fits", "recipe.toml"
    }  # fmt: skip


@pytest.mark.parametrize("module", ["napari_galaxy_maps.cli.main", "argparse", "numpy"])
def test_ctrl_c_shows_no_traceback_while_the_command_loads(module):
    code = f"""
import importlib.abc, os, signal, sys
class Interrupt(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
import napari_galaxy_maps.__main__
for name in [n for n in sys.modules if n.partition(".")[0] == {module!r}]:
    del sys.modules[name]
sys.meta_path.insert(0, Interrupt())
{MAIN}
"""
    done = run("info", "nothing.fits", code=code)
    assert done.returncode == 130
    assert done.stderr == b"galaxy-maps: interrupted; nothing was written.\n"


@pytest.mark.slow
def test_a_terminal_of_few_letters_is_written_to(tmp_path, monkeypatch):
    (tmp_path / "NGC–1″ε.fits").write_text("x")
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = run("info", tmp_path / "NGC–1″ε.fits", **ascii_only)
    assert done.returncode == 2
    assert 'NGC-1"?.fits is not a FITS file' in done.stdout.decode("ascii")
    windows = {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    done = run("info", tmp_path / "NGC–1″ε.fits", **windows)
    assert 'NGC–1"?.fits is not a FITS file' in done.stdout.decode("cp1252")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["mock", "evaluate-help", "models"])
def test_every_text_goes_to_a_terminal_of_few_letters(tmp_path, command):
    arguments = {
        "mock": [*MOCK, "--out", tmp_path / "mock"],
        "evaluate-help": ["evaluate", "--help"],
        "models": ["models", "dust-forest"],
    }[command]
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run(*arguments, **plain)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii() and done.stdout


@pytest.mark.slow
def test_a_full_disk_leaves_nothing(tmp_path):
    """On a disk of 64 KiB, where one may be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["unshare", "--mount", "sh", "-c"]
    script = f'mount -t tmpfs -o size=64k tmpfs {disk} && "$@"; s=$?; ls -A {disk}; exit $s'
    if subprocess.run([*mount, script, "sh", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    mock = ["mock", "--seed", "1", "--size", "96", "--bands", "g,r"]
    done = run(*mock, "--out", disk / "mock", before=[*mount, script, "sh"])
    assert done.returncode == 2, done.stderr
    assert done.stderr.decode() == (
        f"galaxy-maps: {disk}/mock cannot be written: the disk is full; free some space or choose "
        "another disk.\n"
    )
    assert done.stdout == b""


@pytest.fixture
def for_nobody():
    """A folder that everybody may read and write; pytest's own are closed by each pytest that
    starts.
    """
    with tempfile.TemporaryDirectory(prefix="for-nobody-") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def unprivileged():
    """What to put before a command, so that nobody runs it."""
    before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    # The interpreter may lie where nobody can read it.
    python = [*before, sys.executable, "-c", "import numpy"]
    try:
        if subprocess.run(python, capture_output=True, check=False).returncode:
            pytest.skip("nobody may not run this Python")
    except FileNotFoundError:
        pytest.skip("there is no setpriv")
    return before


@pytest.mark.slow
def test_files_without_permission_are_told(for_nobody, capfd):
    before, folder = unprivileged(), for_nobody
    closed = folder / "recipe.toml"
    closed.write_text("")
    closed.chmod(0)
    folder.chmod(0o755)
    done = run("prepare", folder, "--recipe", closed, "--out", "/tmp/never.fits", before=before)
    assert done.returncode == 2
    assert b"recipe.toml may not be read or written; check its permissions." in done.stderr
    done = run(*MOCK, "--out", folder / "mock", before=before)
    assert done.returncode == 2 and b"may not be written to" in done.stderr


@pytest.mark.slow
def test_it_runs_where_nothing_may_be_written(for_nobody):
    """As nobody, without a home, from a package that is read-only."""
    before, out = unprivileged(), for_nobody
    alone = {"HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent/cache", "NUMBA_CACHE_DIR": ""}
    done = run(*MOCK, "--out", out / "mock", before=before, **alone)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr.decode().count("NUMBA_CACHE_DIR") == 1
    assert (out / "mock" / "truth.fits").is_file()
