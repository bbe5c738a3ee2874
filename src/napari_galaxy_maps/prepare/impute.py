"""Filling of bands that are missing or not positive, by the spectra that go with what was measured
in the others (DB21 Sect. 2.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..bands.registry import BANDS, FIR_BANDS, get_band
from ..cosmology import redshift_at_distance
from ..data.cube import BandCube, Filling, changed_pixels
from ..data.flags import Flag
from ..data.galaxy import BandImage
from ..data.masked_light import MaskedLight
from ..data.recipe import ImputeSettings, Recipe, filling_settings
from ..exceptions import InputError
from ..models.registry import load_card
from ..progress import Progress, Steps
from .filled_bands import FilledBands, LastFilling

if TYPE_CHECKING:
    from ..sed.library import Library
    from .memory import PreparationMemory


MIN_BANDS = 3
"""Fewer measured bands fix no spectrum."""


def measured_bands(bands: Sequence[str]) -> list[int]:
    """Places of the bands that spectra may be fitted to: the far infrared is what is to be
    predicted, and tells nothing here, and there are bands that model spectra lack.
    """
    from ..sed.library import known_places

    return [i for i in known_places(bands) if get_band(bands[i]).name not in FIR_BANDS]


def fill_steps(
    values: np.ndarray,
    errors: np.ndarray,
    bands: Sequence[str],
    wanted: Sequence[str],
    library: Library,
    device: str = "auto",
) -> Steps[FilledBands]:
    """Fill what is missing or not positive in some bands.

    A pixel in which fewer than three bands are measured, or whose light no model can explain, is
    left as it is.

    Parameters
    ----------
    values, errors : ndarray, shape (n_bands, n_pixels)
        Surface brightness in MJy/sr; NaN where nothing was measured.
    bands : sequence of str
        Along the first axis; the far infrared and bands that model spectra lack are not used.
    wanted : sequence of str
        Bands that are to be there afterwards: those of `bands`, and others.
    library : Library
    device : {"auto", "cpu", "cuda", "mps"}

    Yields
    ------
    Progress
        After every batch of pixels.

    Raises
    ------
    InputError
        When the values cannot be fitted at all (see `sed.likelihood.observed`).
    """
    from ..sed.fit import FitFlag, fit_steps

    names = [get_band(band).name for band in bands]
    n = values.shape[1]
    out, out_errors = np.full((2, len(wanted), n), np.nan, np.float32)
    for i, band in enumerate(wanted):
        if band in names:
            out[i], out_errors[i] = values[names.index(band)], errors[names.index(band)]
    with np.errstate(invalid="ignore"):
        bad = ~(np.isfinite(out) & (out > 0))
    used = measured_bands(bands)
    measured = np.isfinite(values[used]) & np.isfinite(errors[used])
    pixels = np.flatnonzero(bad.any(0) & (measured.sum(0) >= MIN_BANDS))
    imputed = np.zeros(bad.shape, bool)
    if len(pixels):
        fitted = yield from fit_steps(
            values[used][:, pixels],
            errors[used][:, pixels],
            [names[i] for i in used],
            library,
            device,
        )
        columns = library.columns(wanted)
        good = fitted.fitted & ((fitted.flags & FitFlag.NO_MODEL_FITS) == 0)
        imputed[:, pixels] = bad[:, pixels] & good
        for i, column in enumerate(columns):
            rows = imputed[i, pixels]
            out[i, pixels[rows]], out_errors[i, pixels[rows]] = (
                fitted.flux[column, rows],
                fitted.flux_error[column, rows],
            )
    return FilledBands(tuple(wanted), out, out_errors, imputed)


def model_redshift(redshift: float | None, distance_mpc: float | None) -> tuple[float, str]:
    """The redshift of model spectra, and words for where it is from.

    Parameters
    ----------
    redshift : float or None
        As it was told.
    distance_mpc : float or None
        Without a redshift, that of the Hubble flow at this angular-diameter distance (Planck 2018);
        without either it is 0.

    Raises
    ------
    InputError
        When model spectra do not reach so far.
    """
    from ..sed.library import checked_redshift

    if redshift is not None:
        found = checked_redshift(redshift)
        near = f"0, for the galaxy's {redshift:g}" if redshift < 0 else f"{redshift:g}"
        return found, f"model spectra at the redshift {near}"
    if distance_mpc is not None and distance_mpc > 0:
        found = redshift_at_distance(distance_mpc)
        return checked_redshift(
            found
        ), f"model spectra at the redshift {found:.4f} of {distance_mpc:.4g} Mpc"
    return 0.0, "model spectra at redshift 0, for no redshift or distance was told"


def impute_steps(
    cube: BandCube,
    recipe: Recipe,
    distance_mpc: float | None = None,
    memory: PreparationMemory | None = None,
) -> Steps[BandCube]:
    """Fill the gaps and the pixels that are not positive in a cube, as `recipe.impute` says.

    Where nothing can be filled (an absurd redshift, fewer than three bands, errors of zero) a word
    of progress says why, and the cube comes back as it is: models take gaps, too.

    Parameters
    ----------
    cube : BandCube
    recipe : Recipe
        Its sections ``impute``, ``sed``, ``galaxy`` and ``model`` (the device) count.
    distance_mpc : float, optional
        Of the galaxy, for the redshift where none is told.
    memory : PreparationMemory, optional
        Where it holds the cube as it was before, only pixels that have changed are fitted again.

    Yields
    ------
    Progress
        After every batch of pixels, then with the image of each band in which something was filled.

    Returns
    -------
    BandCube
        What was measured stays; what was filled, with the posterior's error, is its `filling`, and
        the flag says where. Without anything to fill, the cube itself.
    """
    seen = [cube.bands[i] for i in measured_bands(cube.bands)]
    if len(seen) < MIN_BANDS:
        only = " and ".join(seen) or "none"
        yield Progress(
            "impute",
            1,
            1,
            f"nothing filled: that takes three bands up to 22 micron, and there is only {only}",
        )
        return cube
    try:
        return (yield from _impute_steps(cube, recipe, distance_mpc, memory))
    except InputError as error:
        yield Progress("impute", 1, 1, f"nothing filled: {error}", lasting=True)
        return cube


def _impute_steps(
    cube: BandCube, recipe: Recipe, distance_mpc: float | None, memory: PreparationMemory | None
) -> Steps[BandCube]:
    """As `impute_steps`; raises `InputError` where nothing can be filled."""
    from ..sed.library import library_steps, not_fitted

    left = not_fitted(cube.bands)
    told = recipe.galaxy.redshift
    z, words = model_redshift(cube.redshift if told is None else told, distance_mpc)
    wanted = wanted_bands(cube.bands, recipe.impute, recipe.model.name)
    if not _lacking(cube, wanted):
        yield Progress("impute", 1, 1, "nothing to fill")
        return cube
    if left:
        yield Progress("impute", 0, 1, f"{left}, and nothing is filled there", lasting=True)
    settings = filling_settings(recipe)
    n = cube.mask.size
    values, errors = (array.reshape(len(cube.bands), n) for array in (cube.data, cube.uncertainty))
    use = ~cube.mask.ravel()
    key = (settings, recipe.impute.model_copy(), z, cube.bands, wanted, cube.shape)
    last = None if memory is None else memory.imputed
    changed = use
    if last is not None and last.key == key:
        differs = changed_pixels((cube.data, last.values), (cube.uncertainty, last.errors))
        changed = use & (differs | (last.mask & ~cube.mask)).ravel()
    if memory is None or memory.library is None or memory.library[0] != (settings, z):
        library = yield from library_steps(settings, z)
        if memory is not None:
            memory.library = ((settings, z), library)
    else:
        library = memory.library[1]
    fresh = yield from fill_steps(
        values[:, changed], errors[:, changed], cube.bands, wanted, library, recipe.model.device
    )
    filled = _merged(
        fresh,
        changed,
        use,
        values,
        errors,
        cube.bands,
        wanted,
        last if last and last.key == key else None,
    )
    if memory is not None:
        memory.imputed = LastFilling(key, cube.data, cube.uncertainty, cube.mask, filled)
    return (yield from _to_cube(cube, filled, words))


def wanted_bands(
    bands: Sequence[str], settings: ImputeSettings, model: str = "dust-forest"
) -> tuple[str, ...]:
    """The bands that are filled: those of `bands` short of the far infrared, and with
    ``settings.bands = "all"`` also those of the model's card; of both, those that model spectra
    have.

    Raises
    ------
    ModelError
        When the model's card is asked for and is not there.
    """
    from ..sed.library import known_places

    names = {bands[i] for i in measured_bands(bands)}
    if settings.bands == "all":
        own = load_card(model).bands
        names |= {own[i] for i in known_places(own)}
    return tuple(name for name in BANDS if name in names)


def _lacking(cube: BandCube, wanted: Sequence[str]) -> bool:
    """Whether a pixel that is not masked lacks a value in a wanted band, or has one that is not
    positive.
    """
    use = ~cube.mask
    return any(
        band not in cube.bands or not (cube.data[cube.bands.index(band)][use] > 0).all()
        for band in wanted
    )


def _merged(
    fresh: FilledBands,
    changed: np.ndarray,
    use: np.ndarray,
    values: np.ndarray,
    errors: np.ndarray,
    bands: Sequence[str],
    wanted: tuple[str, ...],
    last: LastFilling | None,
) -> FilledBands:
    """The pixels just filled among those that were filled before, and those that are masked as they
    are.
    """
    out, out_errors = np.full((2, len(wanted), use.size), np.nan, np.float32)
    imputed = np.zeros(out.shape, bool)
    for i, band in enumerate(wanted):
        if band in bands:
            out[i], out_errors[i] = values[bands.index(band)], errors[bands.index(band)]
    if last is not None:
        kept = use & ~changed
        out[:, kept], out_errors[:, kept] = last.filled.values[:, kept], last.filled.errors[:, kept]
        imputed[:, kept] = last.filled.imputed[:, kept]
    out[:, changed], out_errors[:, changed], imputed[:, changed] = (
        fresh.values,
        fresh.errors,
        fresh.imputed,
    )
    return FilledBands(wanted, out, out_errors, imputed)


def _to_cube(cube: BandCube, filled: FilledBands, words: str) -> Steps[BandCube]:
    """The cube with what was filled beside it; its far infrared stays as it was."""
    filled_in = {
        name for name, where in zip(filled.bands, filled.imputed, strict=True) if where.any()
    }
    names = [name for name in BANDS if name in cube.bands or name in filled_in]
    if not filled_in:
        yield Progress("impute", 1, 1, "nothing to fill")
        return cube
    data, uncertainty = (
        _by_band(names, cube.bands, array, np.nan) for array in (cube.data, cube.uncertainty)
    )
    filling = Filling(*np.full((2, *data.shape), np.nan, np.float32))
    images, count = dict(cube.images), 0
    for k, name in enumerate(names):
        if name in filled_in:
            j = filled.bands.index(name)
            where = filled.imputed[j].reshape(cube.shape)
            filling.data[k][where] = filled.values[j, where.ravel()]
            filling.uncertainty[k][where] = filled.errors[j, where.ravel()]
            shown = np.where(where, filling.data[k], data[k])
            shown_error = np.where(where, filling.uncertainty[k], uncertainty[k])
            image = images.get(name)
            if image is None:
                image = BandImage(
                    shown, get_band(name), cube.wcs, fwhm=cube.fwhm, meta={"imputed": True}
                )
            note = _filling_note(cube, filled, name, words)
            images[name] = image.evolve(note, data=shown, uncertainty=shown_error)
            count += 1
            yield Progress("impute", count, len(names), f"{name}: {note}", images[name])
        elif name in filled.bands and name in images:
            images[name] = images[name].evolve(data=data[k], uncertainty=uncertainty[k])
    flags = cube.flags.copy()
    flags.ravel()[filled.imputed.any(0)] |= Flag.BAND_MISSING
    own_masks, light = _masks_of_bands(names, cube)
    return replace(
        cube,
        data=data,
        uncertainty=uncertainty,
        own_masks=own_masks,
        masked_light=light,
        bands=tuple(names),
        flags=flags,
        images=images,
        correlation=_of_bands(names, cube.bands, cube.correlation),
        systematic=_of_bands(names, cube.bands, cube.systematic),
        filling=filling,
    )


def _masks_of_bands(
    names: Sequence[str], cube: BandCube
) -> tuple[np.ndarray | None, MaskedLight | None]:
    """The masks of some bands and the light under them; a band that was not given is known where
    none is masked.
    """
    light = cube.masked_light
    if light is not None:
        light = light.of_bands(lambda planes: _by_band(names, cube.bands, planes, np.nan))
    own_masks = cube.own_masks
    if own_masks is not None:
        own_masks = np.stack(
            [
                own_masks[cube.bands.index(name)] if name in cube.bands else cube.mask
                for name in names
            ]
        )
    return own_masks, light


def _by_band(
    names: Sequence[str], bands: Sequence[str], values: np.ndarray, otherwise: float
) -> np.ndarray:
    """Values of some bands put where these stand among others."""
    out = np.full((len(names), *values.shape[1:]), otherwise, values.dtype)
    for k, name in enumerate(names):
        if name in bands:
            out[k] = values[bands.index(name)]
    return out


def _of_bands(
    names: Sequence[str], bands: Sequence[str], values: np.ndarray | None
) -> np.ndarray | None:
    """A number of each band; that of a band that was not given is the largest of the others that
    model spectra have.
    """
    from ..sed.library import known_places

    if values is None:
        return None
    return _by_band(names, bands, values, values[known_places(bands)].max())


def _filling_note(cube: BandCube, filled: FilledBands, name: str, words: str) -> str:
    """What was filled in a band, by which spectra, and how well."""
    j = filled.bands.index(name)
    where = filled.imputed[j]
    error = float(np.median(filled.errors[j, where] / filled.values[j, where]))
    if name not in cube.bands:
        return f"not given: all of it filled by {words}, good to {error:.0%}"
    share = where.sum() / max(1, (~cube.mask).sum())
    return f"{share:.1%} of its pixels filled by {words}, good to {error:.0%}"
