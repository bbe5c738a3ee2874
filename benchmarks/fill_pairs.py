"""What stars do to a galaxy's maps and sums: the same galaxy without and with them, pixel by pixel
and summed, as rows of tables.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.galaxy import Ellipse
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.data.masked_light import MaskedLight
from napari_galaxy_maps.data.properties import PROPERTIES
from napari_galaxy_maps.measure.apertures.aperture import Aperture
from napari_galaxy_maps.measure.apertures.photometry import Options, measure_apertures
from napari_galaxy_maps.measure.apertures.planes import planes_of
from napari_galaxy_maps.measure.compare.comparison import IN_LOG
from napari_galaxy_maps.prepare.masked_light import fill_cube, light_model

NARROW = 3.0  # FWHM, up to which a mask is narrow
BESIDE = 2.0  # FWHM, within which a pixel is beside a mask


@dataclass(frozen=True)
class Run:
    """A prepared galaxy, and its maps where a model has looked at it."""

    cube: BandCube
    maps: PropertyMaps | None = None


@dataclass(frozen=True)
class Pair:
    """A galaxy without stars and with them, and its true maps on the same grid, where known."""

    name: str
    seed: int
    model: str
    ellipse: Ellipse
    without: Run
    stars: Run
    truth: PropertyMaps | None = None

    @property
    def inside(self) -> np.ndarray:
        """Pixels in the ellipse."""
        cube = self.stars.cube
        return self.ellipse.radius(cube.wcs, cube.shape) <= 1

    @property
    def hidden(self) -> np.ndarray:
        """Pixels under the mask of any band, outside of the ellipse, too."""
        return (self.stars.cube.flags & Flag.MASKED) != 0


def zones(pair: Pair) -> dict[str, np.ndarray]:
    """Pixels of the ellipse by where they lie: in and beside masks up to `NARROW` wide and wider
    ones, and elsewhere.

    A mask is what hangs together of any band's; its width is twice the largest distance from one
    of its pixels to one that is not masked. What lies beside both kinds counts as beside a wide
    one.
    """
    cube, inside, hidden = pair.stars.cube, pair.inside, pair.hidden
    labels, n = ndimage.label(hidden, np.ones((3, 3)))
    depth = ndimage.distance_transform_edt(hidden) * cube.pixel_arcsec
    widths = 2 * np.atleast_1d(ndimage.maximum(depth, labels, np.arange(1, n + 1)))
    wide = np.concatenate([[False], widths > NARROW * cube.fwhm])[labels]
    narrow = hidden & ~wide
    by_wide, by_narrow = (_beside(mask, cube) & ~hidden for mask in (wide, narrow))
    return {
        "in narrow": narrow & inside,
        "beside narrow": by_narrow & ~by_wide & inside,
        "in wide": wide & inside,
        "beside wide": by_wide & inside,
        "elsewhere": inside & ~(hidden | by_wide | by_narrow),
    }


def _beside(mask: np.ndarray, cube: BandCube) -> np.ndarray:
    if not mask.any():
        return mask
    far: np.ndarray = ndimage.distance_transform_edt(~mask) * cube.pixel_arcsec
    return far <= BESIDE * cube.fwhm


def scored(maps: PropertyMaps, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Values and errors of a map, those under masks, too; ages in log10."""
    value = maps.whole(name).astype(float)
    error = np.full(value.shape, np.nan)
    if name in maps.errors:
        error = maps.whole(name, error=True).astype(float)
    if name in IN_LOG:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log10(value), error / value / np.log(10)
    return value, error


def map_rows(pair: Pair) -> list[dict]:
    """For each map and zone: pixels, mean square of prediction minus truth with and without stars
    (``square``, ``square0``), the share of pixels within their errors, the mean square of these
    (``told``); the same of the prediction with stars minus that without (``change``) and of the
    error that it has more; and the pixels lost.
    """
    where, rows = zones(pair), []
    for name in pair.truth.values:
        (value, error), (value0, error0), (true, _) = (
            scored(maps, name) for maps in (pair.stars.maps, pair.without.maps, pair.truth)
        )
        for zone, pixels in where.items():
            known = pixels & np.isfinite(true) & np.isfinite(value0)
            both = known & np.isfinite(value)
            off, off0 = (value - true)[both], (value0 - true)[both]
            row = {"quantity": name, "zone": zone, "n": int(both.sum())}
            row |= _figures(off, error[both], off0, error0[both])
            added = np.sqrt(np.maximum(error**2 - error0**2, 0))[both]
            row["change"], row["added"] = _mean((off - off0) ** 2), _mean(added**2)
            row["hit_change"] = _mean(np.abs(off - off0) <= added)
            rows.append(row | {"lost": int((known & ~both).sum())})
    return [_head(pair, "map") | row for row in rows]


def band_rows(pair: Pair) -> list[dict]:
    """The same for what bands are filled with, beside the band without stars, over its mean
    brightness there; also (``rim``) where the filling is given the surroundings as they are without
    stars and masks, which the PSF matching has not averaged without what is masked.

    The noise of the band without stars is in the difference and so in the error; the calibration,
    which both share, is in neither.
    """
    cube, cube0 = pair.stars.cube, pair.without.cube
    light = cube.masked_light
    if light is None:
        return []
    where, rows = zones(pair), []
    best = _from_unspoilt(pair)
    for i, band in enumerate(cube.bands):
        data0 = cube0.data[i][light.where]
        noise = _random(cube0, i, cube0.uncertainty[i][light.where], data0)
        offs = [filled.data[i] - data0 for filled in (light, best)]
        errors = [
            np.hypot(_random(cube, i, filled.uncertainty[i], filled.data[i]), noise)
            for filled in (light, best)
        ]
        known = np.isfinite(offs).all(axis=0)
        for zone in ("in narrow", "in wide"):
            good = where[zone][light.where] & known
            mean = abs(data0[good].mean()) if good.any() else np.nan
            (off, rim), (error, rim_error) = (
                [part[good] / mean for part in parts] for parts in (offs, errors)
            )
            row = {"quantity": band, "zone": zone, "n": int(good.sum())}
            row |= {"square": _mean(off**2), "told": _mean(error**2), "hit": _hit(off, error)}
            row |= {"square_rim": _mean(rim**2), "hit_rim": _hit(rim, rim_error)}
            rows.append(row | {"noise": _mean((noise[good] / mean) ** 2)})
    return [_head(pair, "band") | row for row in rows]


def _from_unspoilt(pair: Pair) -> MaskedLight:
    """What the same pixels are filled with from the surroundings that the bands have without stars
    and masks.
    """
    cube, cube0, light = pair.stars.cube, pair.without.cube, pair.stars.cube.masked_light
    masks = np.zeros(cube.data.shape, bool)
    masks[:, *light.where] = np.isfinite(light.data)
    models = {name: light_model(cube0.images[name], pair.ellipse) for name in cube0.bands}
    radius = pair.ellipse.radius(cube.wcs, cube.shape)
    filled = fill_cube(cube0, masks, pair.inside, radius, models, {})
    data, uncertainty = np.full((2, *light.data.shape), np.nan)
    if filled is not None:
        planes = np.full((2, *cube.data.shape), np.nan)
        planes[:, :, *filled.where] = filled.data, filled.uncertainty
        data, uncertainty = planes[:, :, *light.where]
    return replace(light, data=data, uncertainty=uncertainty)


def _random(cube: BandCube, i: int, error: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Errors without the part that is a share of the light and common to all pixels."""
    common = 0.0 if cube.systematic is None else cube.systematic[i] * data
    return np.sqrt(np.maximum(error.astype(float) ** 2 - common**2, 0))


def _figures(off: np.ndarray, error: np.ndarray, off0: np.ndarray, error0: np.ndarray) -> dict:
    return {
        "square": _mean(off**2),
        "square0": _mean(off0**2),
        "hit": _hit(off, error),
        "hit0": _hit(off0, error0),
        "told": _mean(error**2),
    }


def _hit(off: np.ndarray, error: np.ndarray) -> float:
    return _mean(np.abs(off) < error)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else np.nan


def sum_rows(pair: Pair, fill: bool) -> list[dict]:
    """For each band and each map that adds up: log10 of the sum in the ellipse with stars over that
    without, filled, of what is measured and of this scaled by area; and how much of the sum comes
    from stars' light beside the masks, and from what the filling adds too much.
    """
    inside, hidden = pair.inside, pair.hidden
    cube, cube0 = pair.stars.cube, pair.without.cube
    full = cube.with_masked_light()
    rows = []
    tables = [_sums(pair, run, fill) for run in (pair.without.cube, cube)]
    for i, band in enumerate(cube.bands):
        own = cube.own_masks[i]
        masked = full.own_masks[i] | ~np.isfinite(full.data[i])
        data = np.where(masked, 0, full.data[i])
        parts = _parts(data, cube0.data[i], own & inside, inside & ~own)
        rows.append(_sum_row("band", band, tables, own[inside].mean()) | parts)
    if pair.stars.maps is not None:
        tables = [_sums(pair, run.maps, fill) for run in (pair.without, pair.stars)]
        maps = pair.stars.maps
        for name in (name for name in maps.values if PROPERTIES[name].additive):
            data, data0 = (10 ** scored(one, name)[0] for one in (maps, pair.without.maps))
            parts = _parts(np.nan_to_num(data), data0, hidden & inside, inside & ~hidden)
            rows.append(_sum_row("map", name, tables, hidden[inside].mean()) | parts)
    return [_head(pair, "") | row for row in rows]


def _sums(pair: Pair, source: BandCube | PropertyMaps, fill: bool) -> dict[str, dict]:
    """Sums in the ellipse by quantity: filled, measured and scaled by area, the first's error."""
    planes, aperture = planes_of(source), [Aperture(pair.ellipse, "galaxy")]
    whole = measure_apertures(planes, aperture, Options(fill=fill))
    scaled = measure_apertures(planes, aperture, Options(correct_masked=True, fill=False))
    columns = ("map", "sum", "sum_measured", "sum_err", "filled_share")
    return {
        row["map"]: row | {"scaled": float(by_area)}
        for row, by_area in zip(
            (dict(zip(columns, values, strict=True)) for values in whole[columns].iterrows()),
            scaled["sum"],
            strict=True,
        )
    }


def _sum_row(kind: str, name: str, tables: list[dict[str, dict]], share: float) -> dict:
    before, after = (table[name] for table in tables)
    with np.errstate(invalid="ignore", divide="ignore"):
        dex = {key: float(np.log10(after[key] / before["sum"])) for key in _SUMS}
    return {
        "kind": kind, "quantity": name, "share": float(share),
        "filled_share": float(after["filled_share"]),
        "dex": dex["sum"], "dex_measured": dex["sum_measured"], "dex_scaled": dex["scaled"],
        "error": float(before["sum_err"] / before["sum"]),
    }  # fmt: skip


_SUMS = ("sum", "sum_measured", "scaled")


def _parts(data: np.ndarray, data0: np.ndarray, masked: np.ndarray, free: np.ndarray) -> dict:
    """What stars have added beside the masks, and the filling under them, over the whole sum."""
    more, total = data - data0, np.nansum(data0[masked | free])
    return {
        "beside": float(np.nansum(more[free]) / total),
        "under": float(np.nansum(more[masked]) / total),
    }


def _head(pair: Pair, kind: str) -> dict:
    head = {"name": pair.name, "seed": pair.seed, "model": pair.model}
    return head | ({"kind": kind} if kind else {})
