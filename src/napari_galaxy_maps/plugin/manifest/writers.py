"""The npe2 writer: layers of maps become one FITS file with errors, flags and provenance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..ground.layer_specs import maps_from_layers
from ..workspace import current_workspace


def write_maps(path: str, layer_data: Sequence[tuple[Any, dict[str, Any], str]]) -> list[str]:
    """Save the maps among some layers; the file appears only once it is whole.

    Parameters
    ----------
    path : str
        The file; napari has asked already whether one that is there may be replaced.
    layer_data : sequence of (data, attributes, type)
        The layers.

    Returns
    -------
    list of str
        The file.

    Raises
    ------
    InputError
        When no layer shows a map, they come from several results, or the file cannot be written.
    """
    from ...fits_io.map_files import write_maps as write
    from ...prepare.masks.mask_files import mask_hdus

    maps, left_out = maps_from_layers([(data, attributes) for data, attributes, _ in layer_data])
    workspace = current_workspace()
    own = workspace.project.maps if workspace is not None else None
    masks = None
    if workspace is not None and own is not None and own.provenance is maps.provenance:
        masks = workspace.saver.masks_of(own)
    write(path, maps, overwrite=True, extra=mask_hdus(masks))
    if left_out:
        from napari.utils.notifications import show_info

        show_info(
            f"Saved {', '.join(maps.values)} in {path}; "
            f"not maps of that result: {', '.join(left_out)}."
        )
    return [str(path)]
