"""The step ``fill``: the light under each band's mask is estimated from what surrounds it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...bands.stand_ins import stands_in
from ...data.flags import Flag
from ...progress import Progress

if TYPE_CHECKING:
    from ...progress import Steps
    from ..masked_light import LightModel
    from .preparation import Preparation


def fill_step(work: Preparation) -> Steps[None]:
    """Fill the holes that masks have cut into the bands of the cube; what was measured stays."""
    from ..masked_light import fill_cube, light_model, with_blank_rims

    cube, memory = work.cube, work.memory
    if not work.under_masks.any():
        return
    models: dict[str, LightModel | None] = {}
    for done, name in enumerate(cube.bands, 1):
        models[name] = memory.do("light", light_model, work.unmasked[name], work.ellipse)
        yield Progress("fill", done, 2 * len(cube.bands))
    radius = memory.radius(work.ellipse, work.grid)
    wanted = radius <= 1 if work.recipe.grid.cut else np.ones(cube.shape, bool)
    holes = with_blank_rims(work.under_masks, cube.data)
    light = fill_cube(cube, holes, wanted, radius, models, memory.filled_holes)
    if light is None:
        yield Progress("fill", 1, 1, "nothing to fill the masks with", lasting=True)
        return
    flags, images = cube.flags.copy(), dict(cube.images)
    flags[light.where] |= Flag.FILLED
    for i, name in enumerate(cube.bands):
        filled = np.isfinite(light.data[i])
        if not filled.any():
            continue
        if stands_in(images[name].band):
            flags[light.where] |= np.where(filled, np.int16(Flag.STAND_IN), np.int16(0))
        share = (filled & light.wanted).sum() / max(1, int(wanted.sum()))
        note = f"{share:.1%} of the galaxy's pixels filled under masks"
        images[name] = images[name].evolve(note)
        shown = images[name].data.copy()
        shown[light.where] = np.where(filled, light.data[i], shown[light.where])
        yield Progress(
            "fill",
            len(cube.bands) + i + 1,
            2 * len(cube.bands),
            f"{name}: {note}",
            images[name].evolve(data=shown),
        )
    work.cube = replace(cube, masked_light=light, flags=flags, images=images)
