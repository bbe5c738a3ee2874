"""The npe2 reader: images of galaxies, folders of them, and files of maps become layers on the sky."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...exceptions import InputError
from ...progress import Progress, drain
from ..eventloop import worker
from ..ground.layer_specs import LayerSpec, map_specs
from ..ground.sky_plane import centre_of
from ..jobs import image_files as files
from ..jobs import open_files as loading
from ..state.session import Session, current_session

LayerData = tuple[Any, ...]
NOTHING: list[LayerData] = [(None,)]
"""npe2's word for: read, but no layer to add here."""


def get_reader(
    path: str | Sequence[str],
) -> Callable[[str | Sequence[str]], list[LayerData]] | None:
    """The reader for a path or paths, or None where they are none of ours.

    Parameters
    ----------
    path : str or sequence of str
        FITS files, packed or not, or folders of them.
    """
    from ...fits_io.image_files import FITS_ENDINGS

    paths = [path] if isinstance(path, str | Path) else list(path)
    for member in map(Path, paths):
        if member.is_dir():
            try:
                if not any(p.name.lower().endswith(FITS_ENDINGS) for p in member.iterdir()):
                    return None
            except OSError:
                continue  # the reader says in words that the folder may not be read
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
    session = current_session()
    if session is not None and in_event_loop():
        loading.add_paths(session, paths)
        return NOTHING
    return read_now(paths, session)


def in_event_loop() -> bool:
    """Whether Qt's event loop is running, so that what is begun now can be finished later."""
    from qtpy.QtCore import QCoreApplication, QThread

    application = QCoreApplication.instance()
    return application is not None and QThread.currentThread().loopLevel() > 0


def read_now(paths: Sequence[str | Path], session: Session | None) -> list[LayerData]:
    """Read files or folders at once and give their layers back; see `read`."""
    opened = drain(loading.open_steps(paths))
    if not opened.files and not opened.maps:
        raise InputError(" ".join(opened.errors or opened.skipped) or "There is nothing to open.")
    session = session or _Alone()
    loading.take(session, opened)
    specs, failures = _read_images(session)
    for label, maps in opened.maps:
        reference = session.reference or centre_of(maps.wcs, maps.shape)
        visible = None if opened.files else next(iter(maps.values))
        specs += map_specs(
            maps, reference, session.name, kind="truth", source=label, visible=visible
        )
    unsettled = [
        f"{row.found.label}: {row.problem}"
        for row in files.states(session)
        if row.used and row.problem
    ]
    alone = isinstance(session, _Alone)
    if not specs and (failures or alone):
        raise InputError(" ".join(failures or unsettled))
    if unsettled and not alone:
        worker.report(InputError(f"{unsettled[-1]} Settle it in Plugins > Galaxy Maps > Galaxy."))
    new = [spec for spec in specs if session.layer(spec.key) is None]
    for spec in specs:
        if spec not in new:
            session.show(spec)
    return [spec.as_layer_data() for spec in new] or NOTHING


def _read_images(session: Session) -> tuple[list[LayerSpec], list[str]]:
    """Layers of all that is ready and not read yet, the best of them switched on, and what went
    wrong.
    """
    specs: list[LayerSpec] = []
    failures: list[str] = []
    wanted = files.ready(files.states(session))
    todo = [item for item in wanted if session.images.get(item[2], (None,))[0] != item[3]]

    def keep(sign: Progress) -> None:
        if isinstance(sign.result, loading.Read):
            loading.took(session, sign.result)
            if sign.result.spec is not None:
                specs.append(sign.result.spec)
            else:
                failures.append(sign.result.sentence)

    drain(loading.read_steps(todo, session.name, session.reference), keep)
    loading.make_galaxy(session)
    # One image is looked at; napari may hand over a group of files one by one.
    looking = any(key.kind == "image" and layer.visible for key, layer in session.shown().items())
    best = None if looking else session.best_image([spec.key for spec in specs])
    return [replace(spec, visible=spec.key == best) for spec in specs], failures


class _Alone(Session):
    """A session without a viewer, for a reader that is called by itself (npe2.read, a batch
    script).
    """

    def __init__(self) -> None:
        from napari.components import ViewerModel

        self._model = ViewerModel()
        super().__init__(self._model)


__all__ = ["get_reader", "read"]
