"""What is missing for a better answer is said in a sentence."""

import pytest

from napari_galaxy_maps.models.band_advice import advice

USUAL = (
    "GALEX_FUV", "GALEX_NUV", "SDSS_u", "SDSS_g", "SDSS_r", "SDSS_i", "SDSS_z", "2MASS_J",
    "2MASS_H", "2MASS_Ks", "WISE_3.4", "WISE_4.6", "WISE_12", "WISE_22",
)  # fmt: skip
MISSING = "WISE 3.4 (or Spitzer 3.6) is missing: every flux is divided by it. Add that image."


@pytest.mark.parametrize(
    ("model", "bands", "sentence"),
    [
        ("dust-forest", ("SDSS_g", "2MASS_J", "WISE_12"), MISSING),
        ("dust-forest", USUAL, "14 bands, none of the usual ones is missing."),
        ("dust-forest", (*USUAL[:-1], "SPIRE_250"),
         "13 bands. The answer would be more certain with WISE_22."),
        ("dust-forest", ("Spitzer_3.6", *USUAL[:-5]),
         "10 bands. The answer would be more certain with 2MASS_Ks, WISE_3.4, WISE_4.6, WISE_12, "
         "WISE_22."),
        ("dust-forest", ("WISE_3.4", "PACS_70"),
         "Only WISE_3.4 can be used; add at least 2 more of "
         f"{', '.join(band for band in USUAL if band != 'WISE_3.4')}."),
        ("stellar-unet", USUAL, "All five bands are there."),
        ("stellar-unet", ("SDSS_g", "WISE_3.4"),
         "SDSS_g is used. The answer would be more certain with SDSS_u, SDSS_r, SDSS_i, SDSS_z."),
        ("stellar-unet", ("SDSS_i", "SDSS_g"),
         "SDSS_g, SDSS_i are used. The answer would be more certain with SDSS_u, SDSS_r, SDSS_z."),
        ("stellar-unet", ("WISE_3.4",),
         "None of SDSS_u, SDSS_g, SDSS_r, SDSS_i, SDSS_z is there: add at least one of these "
         "images."),
        ("dust-tree", USUAL,
         "There is no model called 'dust-tree'; there are dust-forest, stellar-unet."),
    ],
)  # fmt: skip
def test_advice(model, bands, sentence):
    assert advice(model, bands) == sentence
