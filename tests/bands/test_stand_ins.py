"""The table of bands that may stand in for the models', and which of several does."""

import pytest

from napari_galaxy_maps.bands.registry import BANDS
from napari_galaxy_maps.bands.stand_ins import STAND_INS, offer, stand_ins_among


@pytest.mark.parametrize("name", STAND_INS)
def test_another_cameras_band_stands_for_one_of_the_models_beside_it(name):
    found = STAND_INS[name]
    own, other = BANDS[name], BANDS[found.stands_for]
    assert own.use == "other" and other.use == "input"
    assert own.pivot == pytest.approx(other.pivot, rel=0.08)
    assert 0 < found.scatter < 0.2 and abs(found.offset) < 0.4
    assert found.factor == pytest.approx(10 ** (-0.4 * found.offset))
    band = found.band
    assert (band.name, band.use) == (other.name, other.use)
    assert (band.reddening, band.fwhm, band.survey) == (own.reddening, own.fwhm, own.survey)
    assert band.calibration**2 == pytest.approx(own.calibration**2 + found.error**2)


@pytest.mark.parametrize(
    "name, terms",
    [("PS1_g", (0.013, 0.145, 0.019)), ("PS1_r", (-0.001, 0.004, 0.007)),
     ("PS1_i", (-0.005, 0.011, 0.010)), ("PS1_z", (0.013, -0.039, -0.012))],
)  # fmt: skip
def test_pan_starrs_is_as_published_for_a_galaxys_colour(name, terms):
    """Tonry+ 2012, Table 6, quadratic in (g - r)_P1 of stars; galaxies have 0.3 to 0.8."""
    published = [sum(a * colour**n for n, a in enumerate(terms)) for colour in (0.3, 0.8)]
    found = STAND_INS[name]
    assert min(published) - found.scatter < found.offset < max(published) + found.scatter


def test_the_most_exact_stands_in_and_only_for_what_is_missing():
    assert [s.name for s in stand_ins_among(["DECam_g", "PS1_g", "HSC_g", "WISE_12"])] == ["HSC_g"]
    assert stand_ins_among(["DECam_g", "SDSS_g"]) == []
    assert {s.stands_for for s in stand_ins_among(["DECam_g", "DECam_r", "VISTA_J"])} == {
        "SDSS_g", "SDSS_r", "2MASS_J",
    }  # fmt: skip
    assert offer(["WISE_12"], ["SDSS_g"]) == "" == offer(["DECam_g"], ["SDSS_r"])
    assert f"DECam_g for SDSS_g (to {STAND_INS['DECam_g'].error:.1%})" in offer(
        ["DECam_g"], ["SDSS_g"]
    )
