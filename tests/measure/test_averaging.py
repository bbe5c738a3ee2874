"""Truths on other pixels and at other PSFs: what adds up is averaged, ratios and temperatures are
formed from the averages, and what is not known stands for nothing.

Of `measure.compare.averaging` and `measure.compare.grid_and_psf`.
"""

import numpy as np
import pytest

from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.measure.apertures.planes import planes_of
from napari_galaxy_maps.measure.compare.averaging import averaged, weight_notes
from napari_galaxy_maps.measure.compare.comparison import compare, pixels_of
from napari_galaxy_maps.measure.compare.grid_and_psf import bring_to_grid, brought, smooth
from tests.conftest import tan_wcs

FINE, FACTOR, PIXEL = 96, 4, 2.0


def parts():
    """What a clumpy disc is made of, linear: stars and dust of other scale lengths, dust in arms
    that are hot.
    """
    y, x = (np.indices((FINE, FINE)) - (FINE - 1) / 2) * PIXEL
    r, arm = np.hypot(x, y), np.sin(x / 3) * np.cos(y / 4)
    star, dust = 1e9 * np.exp(-r / 20), 1e6 * np.exp(-r / 40 + 1.5 * arm)
    return {"star": star, "lstar": 2 * star * np.exp(0.4 * arm), "dust": dust,
            "ld": 100 * dust * np.exp(0.8 * arm), "heat": dust * (20 + 4 * arm),
            "years": star * (6 - 2 * arm)}  # fmt: skip


def maps_from(part, pixel=PIXEL, **provenance):
    values = {
        "LOG_SLD": np.log10(part["ld"] / part["lstar"]),
        "LOG_SMD": np.log10(part["dust"] / part["star"]),
        "T_DUST": part["heat"] / part["dust"], "AGE_STAR": part["years"] / part["star"],
        "LOG_SIGMA_STAR": np.log10(part["star"]), "LOG_SIGMA_LSTAR": np.log10(part["lstar"]),
        "LOG_SIGMA_MD": np.log10(part["dust"]), "LOG_SIGMA_LD": np.log10(part["ld"]),
    }  # fmt: skip
    shape = part["star"].shape
    values = {name: plane.astype("f4") for name, plane in values.items()}
    flags = np.zeros(shape, np.int16)
    return PropertyMaps(values, {}, tan_wcs(shape, pixel), flags, {"fwhm": 12.0, **provenance})


def only(maps, names):
    return PropertyMaps(
        {name: maps.values[name] for name in names}, {}, maps.wcs, maps.flags, maps.provenance
    )


def resampled(part):
    """The parts on pixels four times as large, by reproject."""
    from reproject import reproject_adaptive

    n = FINE // FACTOR
    coarse = tan_wcs((n, n), PIXEL * FACTOR)
    return {
        name: reproject_adaptive(
            (plane, tan_wcs((FINE, FINE), PIXEL)), coarse, shape_out=(n, n),
            return_footprint=False, boundary_mode="ignore",
        )
        for name, plane in part.items()
    }  # fmt: skip


@pytest.fixture(scope="module")
def right():
    """The right average of the disc on the coarse pixels."""
    return maps_from(resampled(parts()), PIXEL * FACTOR)


def off(found, name):
    return pixels_of([found], name).residual


def test_a_truth_on_finer_pixels_scores_as_its_own_average(right):
    found = compare(right, maps_from(parts()))
    for name in right.values:
        assert np.abs(off(found, name)).max() < 1e-3, name
    assert not any("averaged" in note for note in found.notes)
    plain = bring_to_grid(only(maps_from(parts()), ["LOG_SLD"]), right.wcs, right.shape)
    assert np.nanmean(plain.values["LOG_SLD"] - right.values["LOG_SLD"]) < -0.05  # what it spares


@pytest.mark.parametrize(
    ("names", "limit", "said"),
    [
        (("LOG_SMD", "LOG_SIGMA_MD"), 1e-3, ""),  # M_star follows
        (("T_DUST", "LOG_SMD", "LOG_SIGMA_STAR"), 1e-3, ""),  # M_dust follows
        (("LOG_SMD", "LOG_SIGMA_LSTAR"), 0.08, "averaged weighted by LOG_SIGMA_LSTAR"),
        (("T_DUST", "LOG_SIGMA_LD"), 1.0, "averaged weighted by LOG_SIGMA_LD"),
        (("LOG_SMD",), 0.2, "averaged over area: it has no LOG_SIGMA_STAR"),
        (("T_DUST",), 2.0, "averaged over area: it has no LOG_SIGMA_MD"),
    ],
)
def test_parts_that_are_missing_follow_from_others_or_it_is_said(right, names, limit, said):
    truth = only(maps_from(parts()), names)
    found = compare(right, truth)
    assert abs(off(found, names[0]).mean()) < limit
    words = [note for note in found.notes if f"{names[0]} of the truth was averaged" in note]
    assert len(words) == bool(said) and all(said in note for note in words)
    assert bool(weight_notes(truth, names, "truth")) == bool(said)


@pytest.mark.parametrize("fwhm", [12.0, 24.0])
def test_blanks_are_no_part_of_what_is_averaged(right, fwhm):
    """A truth that is cut at an ellipse and has stars masked keeps no rim."""
    whole = maps_from(parts())
    right, _ = brought(right, widths=(12.0, fwhm)) if fwhm > 12 else (right, 0)
    y, x = np.indices((FINE, FINE)) - (FINE - 1) / 2
    hidden = (np.hypot(x, y / 0.7) > 34) | (np.hypot(x - 10, y - 4) < 3)
    truth = PropertyMaps(
        {name: np.where(hidden, np.nan, plane) for name, plane in whole.values.items()}, {},
        whole.wcs, whole.flags, whole.provenance,
    )  # fmt: skip
    right.provenance["fwhm"] = fwhm
    found = compare(right, truth)
    for name in ("LOG_SIGMA_STAR", "LOG_SIGMA_MD", "LOG_SMD", "T_DUST"):
        miss = off(found, name)
        assert miss.size > 50, name
        assert np.abs(miss).max() < (0.5 if name == "T_DUST" else 0.12), name
    assert any("pixels of the truth beside blanks or edges were left out" in n for n in found.notes)


def test_nothing_is_known_and_a_blank_is_not():
    """-100 and -inf are pixels without a particle: they count as 0, and need no ratio."""
    maps = maps_from(parts())
    every_other = np.indices((FINE, FINE)).sum(axis=0) % 2 == 0
    for empty in (-100.0, -np.inf):
        sparse = only(maps, ["LOG_SIGMA_STAR", "AGE_STAR"])
        sparse.values["LOG_SIGMA_STAR"] = np.where(every_other, np.float32(empty), np.float32(7))
        sparse.values["AGE_STAR"] = np.where(every_other, np.nan, np.float32(5))
        wide = smooth(sparse, 2.0, 16.0)
        assert wide.values["LOG_SIGMA_STAR"][48, 48] == pytest.approx(7 - np.log10(2), abs=1e-3)
        assert wide.values["AGE_STAR"][48, 48] == pytest.approx(5, abs=1e-4)
    sparse.values["LOG_SIGMA_STAR"] = np.where(every_other, np.nan, np.float32(7))
    moved, left_out = averaged(sparse, lambda planes: np.full_like(planes, 0.5))
    assert np.isnan(moved.values["LOG_SIGMA_STAR"]).all() and left_out == FINE**2


def test_values_that_no_galaxy_has_are_told_and_left_out(right):
    truth = maps_from(parts(), file="somebody.fits")
    truth.values["T_DUST"][40:44, 40:42] = 7e6
    found = compare(right, truth)
    assert np.abs(off(found, "T_DUST")).max() < 0.5
    said = "T_DUST lies outside 5 to 100 K on 8 of the 9216 pixels that have a value"
    assert any(said in note for note in found.notes)
    assert any(f"somebody.fits: {said}" in note for note in planes_of(truth).notes)


def test_errors_are_averaged_as_the_values_are():
    """Where a faint half has large errors, a pixel over both has those of what it is made of."""
    maps = only(maps_from(parts()), ["LOG_SIGMA_STAR"])
    left = np.arange(FINE) < FINE // 2
    maps.values["LOG_SIGMA_STAR"] = np.broadcast_to(np.where(left, 8, 5), (FINE, FINE)).astype("f4")
    maps.errors["LOG_SIGMA_STAR"] = np.broadcast_to(np.where(left, 0.1, 1.0), (FINE, FINE))
    wide = smooth(maps, 2.0, 20.0)
    np.testing.assert_allclose(wide.errors["LOG_SIGMA_STAR"][48, [30, 46]], 0.1, atol=6e-3)
    assert wide.errors["LOG_SIGMA_STAR"][48, 75] == pytest.approx(1.0, abs=1e-3)
