"""Which models can work on some bands, and what they lack of a galaxy, is known by their cards."""

import re

import numpy as np
import pytest

from napari_galaxy_maps.constants import PC_PER_MPC_ARCSEC
from napari_galaxy_maps.data.galaxy import Galaxy
from napari_galaxy_maps.exceptions import ModelError
from napari_galaxy_maps.models.dust_forest.pixel_part import share_of_pixel
from napari_galaxy_maps.models.registry import list_models, load_card, load_model
from napari_galaxy_maps.models.suitability import (
    able,
    on_real_images,
    used,
    why_not,
    without_distance,
)

OPTICAL, INFRARED = ["SDSS_g", "SDSS_r"], ["WISE_3.4", "2MASS_J", "2MASS_H"]


@pytest.mark.parametrize("bands", [[], OPTICAL, INFRARED, ["PACS_70"], OPTICAL + INFRARED])
def test_what_the_cards_say_is_what_the_models_do(bands):
    for name in list_models():
        try:
            does = load_model(name).check_bands(bands)
        except ModelError as error:
            assert why_not(name, bands) == str(error) and name not in able(bands)
            assert used(name, bands) == bands
        else:
            assert why_not(name, bands) == "" and name in able(bands)
            assert used(name, bands) == list(does)


def test_a_model_that_is_not_there_is_told():
    assert "no such model" in why_not("no such model", OPTICAL)
    assert without_distance("no such model", Galaxy("x", {}), None) == ""
    assert on_real_images("no such model") == ""


def test_a_distance_or_a_redshift_is_all_that_the_stellar_model_wants():
    nothing = without_distance("stellar-unet", Galaxy("x", {}), None)
    assert nothing.startswith("Redshift unknown")
    for known in (Galaxy("x", {}, redshift=0.02), Galaxy("x", {}, distance_mpc=80.0)):
        assert without_distance("stellar-unet", known, None) == ""


def test_what_an_unknown_redshift_costs_stands_in_the_card():
    (table,) = [t for t in load_card("stellar-unet").tables if t.title == "Painted images"]
    rows = {row[0]: dict(zip(table.head, row, strict=True)) for row in table.rows}
    label = [name for name in rows if name.startswith("redshift") and "not told" not in name][-1]
    errors = [
        np.hypot(*map(float, rows[name]["LOG_SIGMA_STAR"].split(", ")[:2]))
        for name in (f"{label}, not told", label)
    ]
    words = "{:.2f} in place of {:.2f} in stellar mass".format(*errors)
    assert words in without_distance("stellar-unet", Galaxy("x", {}), None)
    assert label.removeprefix("redshift ") in without_distance(
        "stellar-unet", Galaxy("x", {}), None
    )


def test_up_to_which_distance_the_dust_model_is_right_of_pixels_of_unknown_size():
    near, far = Galaxy("x", {}, redshift=-0.001), Galaxy("x", {}, distance_mpc=80.0)
    assert without_distance("dust-forest", far, 6.0) == ""
    sentence = without_distance("dust-forest", near, 6.0)
    assert sentence.startswith("Distance unknown")
    most = float(re.search(r"up to (\d+) Mpc", sentence)[1])
    sides = 6.0 * PC_PER_MPC_ARCSEC * np.array([most - 1, most + 1, 2 * most + 1])
    share = share_of_pixel(sides)
    assert share[0] == 1 and share[1] < 1 and share[2] == 0
    assert "Mpc" not in without_distance("dust-forest", near, None)


def test_only_a_model_whose_card_warns_of_real_images_is_said_to():
    assert on_real_images("stellar-unet").startswith(
        "stellar-unet is not to be trusted on real images"
    )
    assert on_real_images("dust-forest") == ""
