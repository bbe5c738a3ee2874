"""A guest in somebody's process leaves its settings alone when it is asked to, and puts back what
it changed otherwise.
"""

import gc
import sys

import pytest

from napari_galaxy_maps.plugin.eventloop import garbage_collection, process_switches


@pytest.fixture(autouse=True)
def _settings_as_before():
    """Whatever a test leaves behind is put back."""
    before = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(before[0])
    gc.set_threshold(*before[1])
    gc.unfreeze()


def test_a_guest_changes_nothing(monkeypatch):
    monkeypatch.setenv(process_switches.VARIABLE, "1")
    before = sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count()
    process_switches.switch_often()
    garbage_collection.hold("a test")
    garbage_collection.freeze()
    assert (sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count()) == before
    garbage_collection.let_go_aside("a test")
    process_switches.switch_as_usual()
    assert (sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count()) == before


@pytest.mark.parametrize("value", ["", "0", "collections, freeze"])
def test_what_is_not_forbidden_is_changed(monkeypatch, value):
    monkeypatch.setenv(process_switches.VARIABLE, value)
    assert process_switches.may_change("switching")
    assert process_switches.may_change("freeze") is ("freeze" not in value)


def test_the_hosts_own_settings_come_back_after_two_jobs(monkeypatch):
    monkeypatch.delenv(process_switches.VARIABLE, raising=False)
    sys.setswitchinterval(0.003)
    gc.set_threshold(900, 8, 7)
    garbage_collection.hold("one")
    garbage_collection.hold("other")
    process_switches.switch_often()
    process_switches.switch_often()
    assert sys.getswitchinterval() < 0.001 and gc.get_threshold()[2] > 1000
    garbage_collection.let_go_aside("one")
    process_switches.switch_as_usual()
    assert sys.getswitchinterval() < 0.001 and gc.get_threshold()[2] > 1000, "one still runs"
    garbage_collection.let_go_aside("other")
    process_switches.switch_as_usual()
    assert sys.getswitchinterval() == pytest.approx(0.003)
    assert gc.get_threshold() == (900, 8, 7)
