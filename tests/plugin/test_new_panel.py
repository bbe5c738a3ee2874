"""A panel is a class and a row: `plugin.manifest.docks` opens one that it has never heard of."""

import sys
from types import ModuleType

import pytest
from qtpy.QtWidgets import QLabel

from napari_galaxy_maps.plugin.manifest import docks
from napari_galaxy_maps.plugin.panels.workspace_panel import WorkspacePanel

pytestmark = pytest.mark.window


class SummaryPanel(WorkspacePanel):
    """What the galaxy is called."""

    def __init__(self, napari_viewer):
        super().__init__(napari_viewer)
        self.words = QLabel()
        self.column.addWidget(self.words)
        self.listen(self.project.recipe_changed, self.refresh)
        self.refresh()

    def refresh(self):
        self.words.setText(self.project.recipe.galaxy.name)


@pytest.fixture
def summary_row(monkeypatch):
    """A row of the table of panels, whose class lies where those of panels do."""
    module = ModuleType("napari_galaxy_maps.plugin.panels.summary_panel")
    module.SummaryPanel = SummaryPanel
    monkeypatch.setitem(sys.modules, module.__name__, module)
    row = docks.PanelRow("Summary", "summary_panel:SummaryPanel")
    monkeypatch.setattr(docks, "ROWS", (*docks.ROWS, row))
    monkeypatch.setattr(docks, "PANELS", (*docks.PANELS, row.name))


def test_a_row_opens_a_panel_in_the_workspace_of_the_others(summary_row, viewer, workspace):
    docks.open_all(viewer)
    panel = docks.panel(viewer, "Summary")
    assert isinstance(panel, SummaryPanel)
    assert panel.workspace is workspace is docks.panel(viewer, "Galaxy").workspace
    assert docks.dock_of(panel).windowTitle() == "Summary"
    tabs = viewer.window._qt_window.tabifiedDockWidgets(docks.dock_of(panel))
    assert docks.dock_of(docks.panel(viewer, "Pixel")) in tabs
    workspace.project.set_recipe("galaxy", name="M 51")
    assert panel.words.text() == "M 51"
