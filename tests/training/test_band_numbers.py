"""The numbers of bands follow from filter curves: by arithmetic for curves made up here, and as the
table has them where the packages with the real curves are installed.
"""

import importlib.util

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import BANDS, INPUT_BANDS
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.training.datasets import band_numbers
from napari_galaxy_maps.training.datasets.band_numbers import (
    Curve,
    filter_curve,
    fitzpatrick,
    pivot_um,
    reddening,
    vega_jy,
)

PUBLISHED = {  # Schlafly & Finkbeiner 2011, Table 6, R_V = 3.1
    "SDSS_u": 4.239, "SDSS_g": 3.303, "SDSS_r": 2.285, "SDSS_i": 1.698, "SDSS_z": 1.263,
    "2MASS_J": 0.723, "2MASS_H": 0.460, "2MASS_Ks": 0.310,
}  # fmt: skip


def box(low, high):
    """A filter that lets everything pass between two wavelengths in micron."""
    x = np.linspace(low, high, 20001)
    return Curve(x, np.ones_like(x))


def real(band):
    """The curve of a band; the test is skipped where its package is absent."""
    package = BANDS[band].curve.split(":")[0]
    pytest.importorskip("sedpy")  # has Vega, too
    pytest.importorskip(package)
    return filter_curve(BANDS[band].curve)


def test_the_pivot_of_a_box_is_what_its_integrals_are():
    expected = np.sqrt((1.2**2 - 0.8**2) / 2 / np.log(1.2 / 0.8))
    assert pivot_um(box(0.8, 1.2)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "micron, ratio",
    [(2.65, 0.265), (1.22, 0.829), (0.6, 2.688), (0.547, 3.055), (0.467, 3.806), (0.411, 4.315),
     (0.27, 6.265), (0.26, 6.591)],
)  # fmt: skip
def test_the_extinction_curve_goes_through_its_published_points(micron, ratio):
    """Fitzpatrick 1999, Table 3."""
    assert float(fitzpatrick(np.array(micron))) == pytest.approx(ratio, abs=0.002)


def test_the_extinction_curve_has_its_bump_and_no_jump():
    x = np.linspace(0.12, 5, 4000)
    curve = fitzpatrick(x)
    near = (x > 0.2) & (x < 0.24)
    assert x[near][np.argmax(curve[near])] == pytest.approx(0.2175, abs=0.003)
    assert np.abs(np.diff(np.log(curve))).max() < 0.02
    assert float(fitzpatrick(np.array(20.0)) / fitzpatrick(np.array(10.0))) == pytest.approx(
        2**-1.84
    )


def test_a_narrow_band_at_one_micron_is_reddened_as_the_recipe_says():
    assert reddening(box(0.999, 1.001)) == pytest.approx(0.78 * 1.32, rel=1e-4)


def test_a_broad_band_is_reddened_as_the_source_weighs_its_wavelengths():
    """A star of 7000 K beyond 3 micron: more photons at the blue end."""
    blue, red = reddening(box(3.4, 3.42)), reddening(box(4.98, 5.0))
    assert red < reddening(box(3.4, 5.0)) < blue
    assert reddening(box(3.4, 5.0)) > (red + blue) / 2 - 0.01 > reddening(box(4.4, 4.42))


def test_a_curve_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="names no filter curve"):
        filter_curve("decam_g")
    if importlib.util.find_spec("sedpy") is None:
        with pytest.raises(InputError, match="install astro-sedpy"):
            filter_curve("sedpy:decam_g")
        with pytest.raises(InputError, match="install astro-sedpy"):
            vega_jy(box(0.5, 0.6))
    else:
        with pytest.raises(InputError, match="has no filter curve 'nonsense'"):
            filter_curve("sedpy:nonsense")


@pytest.mark.parametrize("band", [band.name for band in BANDS.values() if band.use == "other"])
def test_the_table_has_what_the_curves_give(band):
    curve, row = real(band), BANDS[band]
    assert row.pivot == pytest.approx(pivot_um(curve), rel=5e-4)
    assert row.reddening == pytest.approx(reddening(curve), abs=6e-4)
    if row.vega_jy is not None:  # published ones; ultraviolet ones disagree most
        within = 0.045 if row.survey in ("Johnson", "UKIRT") else 6e-4
        assert row.vega_jy == pytest.approx(vega_jy(curve), rel=within)


@pytest.mark.parametrize("band", PUBLISHED)
def test_published_reddening_is_found_again(band):
    assert reddening(real(band)) == pytest.approx(PUBLISHED[band], rel=0.0075)


@pytest.mark.parametrize("band", [band for band in INPUT_BANDS if band not in PUBLISHED])
def test_the_reddening_of_the_18_is_found_again(band):
    assert reddening(real(band)) == pytest.approx(BANDS[band].reddening, abs=0.0022)


@pytest.mark.parametrize(
    "band, within",
    [("2MASS_J", 0.006), ("2MASS_H", 0.011), ("2MASS_Ks", 0.007), ("WISE_3.4", 0.009),
     ("WISE_4.6", 0.009), ("WISE_12", 0.01), ("WISE_22", 0.02)],
)  # fmt: skip
def test_published_zero_points_are_found_again(band, within):
    assert vega_jy(real(band)) == pytest.approx(BANDS[band].vega_jy, rel=within)


def test_the_script_prints_what_a_new_row_needs(capsys):
    real("DECam_g")
    band_numbers.main(["sedpy:decam_g"])
    assert "pivot 0.4808 um, A / E(B-V) 3.198, Vega 3947 Jy" in capsys.readouterr().out
