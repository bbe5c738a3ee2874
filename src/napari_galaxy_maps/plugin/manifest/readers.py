"""The npe2 reader: images of galaxies, folders of them, and files of maps become layers on the
sky.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...exceptions import InputError
from ...progress import Progress, run_to_end
from ..ground.layer_specs import LayerSpec
from ..jobs.open_files import OpenedPaths, ReadLayer, open_steps, read_steps, truth_specs
from ..session.saved_galaxy import SUFFIX
from ..widgets.qt_parts import present
from ..workspace import Workspace, current_workspace

LayerData = tuple[Any, ...]
NOTHING: list[LayerData] = [(None,)]
"""npe2's sign for: read, but no layer to add here."""


def get_reader(
    path: str | Sequence[str],
) -> Callable[[str | Sequence[str]], list[LayerData]] | None:
    """The reader for a path or paths, or None where they are none of ours.

    Parameters
    ----------
    path : str or sequence of str
        FITS files, packed or not, or folders of them.
    """
    from ...fits_io.image_files import FITS_ENDINGS, is_fits_name

    paths = [path] if isinstance(path, str | Path) else list(path)
    if len(paths) == 1 and is_session(Path(paths[0])):
        return read_session
    for member in map(Path, paths):
        if member.is_dir():
            if in_event_loop():
                continue  # a person has chosen this reader for it, and is told what is wrong
            try:
                if not any(is_fits_name(p.name) for p in member.iterdir()):
                    return None
            except OSError:
                continue  # the reader reports that the folder may not be read
        elif not member.name.lower().endswith(FITS_ENDINGS):
            return None
    return read if paths else None


def read(path: str | Sequence[str]) -> list[LayerData]:
    """Open files or folders.

    In a running window the work is done in a thread and the layers come by themselves, a moment
    later; from a script they are given back.

    Raises
    ------
    InputError
        From a script, when nothing can be opened.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    workspace = current_workspace()
    if workspace is not None and in_event_loop():
        workspace.opener.add_paths(paths)
        return NOTHING
    return read_now(paths, workspace)


def is_session(path: Path) -> bool:
    """Whether a folder is a session of this program."""
    return path.name.endswith(SUFFIX) and path.is_dir()


def read_session(path: str | Sequence[str]) -> list[LayerData]:
    """Open a session in the window; its layers come by themselves.

    Raises
    ------
    InputError
        Where there is no window to open it in.
    """
    folder = path if isinstance(path, str | Path) else path[0]
    workspace = current_workspace()
    if workspace is None or not in_event_loop():
        raise InputError(f"{folder} is a session; open it in a window that is running.")
    workspace.sessions.open(folder)
    return NOTHING


def in_event_loop() -> bool:
    """Whether Qt's event loop is running, so that what is begun now can be finished later."""
    from qtpy.QtCore import QCoreApplication, QThread

    application = QCoreApplication.instance()
    return application is not None and present(QThread.currentThread()).loopLevel() > 0


def read_now(paths: Sequence[str | Path], workspace: Workspace | None) -> list[LayerData]:
    """Read files or folders at once and give their layers back; see `read`.

    Parameters
    ----------
    paths : sequence of path
        FITS files, packed or not, or folders of them.
    workspace : Workspace or None
        Takes what is read; None where the reader is called without a viewer (npe2.read, a batch
        script).
    """
    told = workspace.project.recipe.input if workspace is not None else None
    opened = run_to_end(open_steps(paths, told))
    if not opened.files and not opened.maps:
        raise InputError(" ".join(opened.errors or opened.skipped) or "There is nothing to open.")
    if workspace is not None:
        return _read_into(workspace, opened, alone=False)
    from napari.components import ViewerModel

    viewer = ViewerModel()  # lives as long as the workspace is needed
    return _read_into(Workspace(viewer), opened, alone=True)


def _read_into(workspace: Workspace, opened: OpenedPaths, alone: bool) -> list[LayerData]:
    """Read what was found into a workspace, which may be there for that alone, and give the layers
    back that it does not show yet.
    """
    project, layers = workspace.project, workspace.layers
    workspace.opener.take_now(opened)
    specs, failures = _read_images(workspace)
    if alone or not project.files.found:  # in a window a truth is there to compare with
        for label, maps in project.truths.items():
            specs += truth_specs(project, layers, label, maps)
    if project.result is not None:
        made = workspace.views.specs(project.result)
        specs += made if project.files.found else [replace(made[0], visible=True), *made[1:]]
    unsettled = project.file_problems()
    if not specs and (failures or alone):
        raise InputError(" ".join(failures or unsettled))
    if unsettled and not alone:
        project.show_problem(f"{unsettled[-1]} Settle it in Plugins > Galaxy Maps > Galaxy.")
    new = [spec for spec in specs if layers.layer(spec.key) is None]
    for spec in specs:
        if spec not in new:
            layers.show(spec)
    return [spec.as_layer_data() for spec in new] or NOTHING


def _read_images(workspace: Workspace) -> tuple[list[LayerSpec], list[str]]:
    """Layers of all that is ready and not read yet, the best of them switched on, and what went
    wrong.
    """
    project, layers = workspace.project, workspace.layers
    specs: list[LayerSpec] = []
    failures: list[str] = []
    todo = project.files.unread(project.ready_files())

    def keep(sign: Progress) -> None:
        if isinstance(sign.result, ReadLayer):
            workspace.opener.keep(sign.result.read)
            if sign.result.spec is not None:
                specs.append(sign.result.spec)
            else:
                failures.append(sign.result.read.problem)

    run_to_end(read_steps(todo, project.name, project.reference), keep)
    project.make_galaxy()
    # One image is looked at; napari may hand over a group of files one by one.
    looking = any(key.kind == "image" and layer.visible for key, layer in layers.shown().items())
    best = None if looking else layers.best_image([spec.key for spec in specs])
    return [replace(spec, visible=spec.key == best) for spec in specs], failures


__all__ = ["get_reader", "read"]
