"""The grid has the pixels that are asked for, in arcsec or parsec, and images of every frame land
on it where reproject puts them.
"""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from reproject import reproject_adaptive
from scipy.ndimage import gaussian_filter

from napari_galaxy_maps.bands.registry import get_band
from napari_galaxy_maps.cosmology import angular_diameter_distance_mpc
from napari_galaxy_maps.data.galaxy import BandImage, Ellipse, Galaxy
from napari_galaxy_maps.data.recipe import GalaxySettings, Recipe, parsec_of
from napari_galaxy_maps.exceptions import InputError, RecipeError
from napari_galaxy_maps.fits_io.galaxies import make_galaxy, read_galaxy
from napari_galaxy_maps.prepare.steps import prepare
from tests.conftest import tan_wcs

QUIET = {"sky": {"enabled": False}, "reddening": {"enabled": False}, "stars": {"enabled": False}}
SHAPE, PIXEL = (150, 170), 1.4


def header(**cards):
    base = {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 2.0, "CRPIX1": 85.5,
        "CRPIX2": 75.5,
        "CDELT1": -PIXEL / 3600, "CDELT2": PIXEL / 3600, "CUNIT1": "deg", "CUNIT2": "deg",
        "RADESYS": "ICRS",
    }  # fmt: skip
    return fits.Header({**base, **cards})


def galactic():
    centre = SkyCoord(150, 2, unit="deg").galactic
    return header(
        CTYPE1="GLON-TAN", CTYPE2="GLAT-TAN", CRVAL1=centre.l.deg, CRVAL2=centre.b.deg, RADESYS=""
    )


def cd(rotation, **cards):
    cos, sin = (
        PIXEL / 3600 * np.cos(np.radians(rotation)),
        PIXEL / 3600 * np.sin(np.radians(rotation)),
    )
    made = header(CD1_1=-cos, CD1_2=sin, CD2_1=sin, CD2_2=cos, **cards)
    del made["CDELT1"], made["CDELT2"]
    return made


FRAMES = {
    "CROTA2": header(CROTA2=33.0),
    "PC": header(PC1_1=0.891, PC1_2=-0.454, PC2_1=0.454, PC2_2=0.891),
    "CD": cd(-70),
    "mirrored": header(CDELT1=PIXEL / 3600, CROTA2=20.0),
    "SIP": header(
        CTYPE1="RA---TAN-SIP",
        CTYPE2="DEC--TAN-SIP",
        A_ORDER=2,
        B_ORDER=2,
        A_2_0=3e-5,
        A_1_1=-2e-5,
        B_0_2=4e-5,
        B_2_0=1e-5,
    ),
    "TPV": cd(
        40,
        CTYPE1="RA---TPV",
        CTYPE2="DEC--TPV",
        PV1_0=1e-5,
        PV1_1=1.001,
        PV1_2=0.002,
        PV1_4=0.3,
        PV2_0=-1e-5,
        PV2_1=0.999,
        PV2_2=0.0,
        PV2_4=0.2,
        PV2_6=-0.3,
    ),
    "Galactic": galactic(),
}


def scene(wcs, seed=0):
    """Smooth structure, and a source 20 arcsec east and 15 north of the centre."""
    data = gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), 3) * 0.5 + 1
    x, y = wcs.world_to_pixel(
        SkyCoord(150 + 20 / 3600 / np.cos(np.radians(2)), 2 + 15 / 3600, unit="deg")
    )
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return (data + 50 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)).astype("f4")


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("pixel", [3.0, pytest.param(0.9, marks=pytest.mark.slow)])
def test_every_frame_lands_where_reproject_puts_it(tmp_path, frame, pixel):
    wcs = WCS(FRAMES[frame])
    data = scene(wcs)
    made = FRAMES[frame].copy()
    made["BUNIT"], made["FILTER"] = "MJy/sr", "WISE_3.4"
    fits.PrimaryHDU(data, made).writeto(tmp_path / "image_WISE_3.4.fits")
    recipe = Recipe.from_tree(
        {
            **QUIET,
            "psf": {"enabled": False},
            "grid": {"pixel": pixel},
            "galaxy": {"ra": 150.0, "dec": 2.0, "d25": 2.0},
        }
    )
    cube = prepare(read_galaxy([tmp_path], recipe), recipe)
    if (
        frame == "mirrored"
    ):  # reproject's kernel is another one there than for the same picture turned round
        made["CDELT1"], made["CRPIX1"] = -PIXEL / 3600, SHAPE[1] + 1 - made["CRPIX1"]
        data, wcs = data[:, ::-1], WCS(made)
    reference = reproject_adaptive(
        (data, wcs), cube.wcs, shape_out=cube.shape, return_footprint=False,
        bad_value_mode="ignore",
        boundary_mode="ignore_threshold", boundary_ignore_threshold=0.5,
    )  # fmt: skip
    valid = np.isfinite(cube.data[0]) & np.isfinite(reference)
    assert valid.mean() > 0.95
    off = np.abs(cube.data[0] - reference)[valid]
    assert (off > 2e-4).mean() < 5e-3 and off.max() < 0.05
    peak = np.unravel_index(np.nanargmax(cube.data[0]), cube.shape)
    found = cube.wcs.pixel_to_world(peak[1], peak[0])
    assert (
        found.separation(
            SkyCoord(150 + 20 / 3600 / np.cos(np.radians(2)), 2 + 15 / 3600, unit="deg")
        ).arcsec
        < pixel
    )


@pytest.mark.slow
def test_all_frames_agree_through_the_whole_chain():
    bands = ("WISE_3.4", "2MASS_J", "2MASS_H", "2MASS_Ks", "SDSS_g", "SDSS_r", "SDSS_i")
    images = {}
    for name, made in zip(bands, FRAMES.values(), strict=True):
        wcs = WCS(made)
        rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
        sky = wcs.pixel_to_world(columns, rows).icrs
        east, north = SkyCoord(150, 2, unit="deg").spherical_offsets_to(sky)
        disc = 10 * np.exp(-(((east.arcsec - 10) / 12) ** 2 + ((north.arcsec + 5) / 20) ** 2) / 2)
        images[name] = BandImage(disc.astype("f4"), get_band(name), wcs, fwhm=4.0)
    galaxy = Galaxy("a galaxy", images, 150.0, 2.0, None, Ellipse(150.0, 2.0, 60, 60))
    cube = prepare(
        galaxy, Recipe.from_tree({**QUIET, "psf": {"target": 9.0}, "grid": {"pixel": 2.0}})
    )
    inside = ~cube.mask
    for plane in cube.data:
        np.testing.assert_allclose(plane[inside], cube.data[0][inside], atol=0.02)


@pytest.fixture
def galaxy():
    """Makes a round exponential galaxy in one band, at any distance."""
    y, x = np.mgrid[:200, :200]
    data = 10 * np.exp(-np.hypot(x - 99.5, y - 99.5) / 20)
    image = BandImage(data.astype("f4"), get_band("SPIRE_250"), tan_wcs((200, 200), 6.0), fwhm=18.2)
    return lambda distance=None: Galaxy(
        "NGC 0", {"SPIRE_250": image}, 150.0, 2.0, distance, Ellipse(150.0, 2.0, 200, 150)
    )


@pytest.mark.parametrize("pixel", [18, 25, 36, 7.3])
def test_pixels_in_arcsec(galaxy, pixel):
    cube = prepare(galaxy(10.0), Recipe.from_tree({**QUIET, "grid": {"pixel": pixel}}))
    assert cube.pixel_arcsec == pixel and cube.pixel_pc == pytest.approx(pixel * 48.4814, rel=1e-4)


@pytest.mark.parametrize(
    "pixel, parsec", [("150 pc", 150), ("3 kpc", 3000), ("0.5kpc", 500), ("500pc", 500)]
)
def test_pixels_in_parsec(galaxy, pixel, parsec):
    recipe = Recipe.from_tree({**QUIET, "grid": {"pixel": pixel}})
    cube = prepare(galaxy(20.0), recipe)
    assert cube.pixel_pc == pytest.approx(parsec) and cube.pixel_arcsec == pytest.approx(
        parsec / 20 / 4.84814, rel=1e-4
    )
    assert Recipe.from_toml(recipe.to_toml()) == recipe and parsec_of(pixel) == parsec


def test_parsecs_need_a_distance(galaxy):
    with pytest.raises(
        InputError,
        match="A pixel of 500 pc needs the galaxy's distance; give it in Mpc, or the redshift",
    ) as refused:
        prepare(galaxy(), Recipe.from_tree({**QUIET, "grid": {"pixel": "500 pc"}}))
    assert refused.value.settings == ("galaxy.distance", "galaxy.redshift")
    with pytest.raises(InputError, match="less than one pixel"):
        prepare(galaxy(1.0), Recipe.from_tree({**QUIET, "grid": {"pixel": "3 kpc"}}))


@pytest.mark.parametrize("pixel", ["0", "-3", "0 pc", "500 Mpc", "wide", "nan", "inf"])
def test_what_is_no_pixel_is_refused(pixel):
    with pytest.raises(RecipeError, match=r"grid\.pixel"):
        Recipe().with_values([f"grid.pixel={pixel}"])


def test_a_redshift_gives_a_distance_and_says_so(galaxy):
    image = galaxy().images
    found = make_galaxy(image, GalaxySettings(redshift=0.0189))
    assert found.distance_mpc == pytest.approx(0.0189 * 299792.458 / 67.66, rel=0.03)
    assert "redshift 0.0189 (Hubble flow, Planck 2018)" in found.notes[0]
    assert angular_diameter_distance_mpc(0.1) == pytest.approx(
        394.0, rel=0.01
    )  # Planck 2018: 394 Mpc (angular diameter)
    assert "doubtful" not in found.notes[0]
    assert "doubtful" in make_galaxy(image, GalaxySettings(redshift=0.0016)).notes[0]
    given = make_galaxy(image, GalaxySettings(redshift=0.0189, distance=80.0))
    assert given.distance_mpc == 80 and given.redshift == 0.0189 and not given.notes


@pytest.mark.parametrize(
    ("told", "distance", "redshift", "said"),
    [
        ({}, None, None, ""),
        ({"distance": 0.78}, 0.78, None, ""),
        ({"distance": 0.78, "redshift": -0.001}, 0.78, -0.001, ""),
        ({"redshift": 0.0}, None, 0.0, "a redshift of 0 tells no distance"),
        ({"redshift": -0.001}, None, -0.001, "a redshift of -0.001 tells no distance"),
        # A luminosity distance of DL = (1 + z)^2 DA, and a redshift that was never measured.
        ({"distance": 476.8, "redshift": 0.1}, 476.8, 0.1, "a luminosity distance of 47"),
        ({"distance": 476.8, "redshift": 0.0}, 476.8, 0.0, "do not fit"),
    ],
)
def test_distance_and_redshift_are_never_made_up(galaxy, told, distance, redshift, said):
    found = make_galaxy(galaxy().images, GalaxySettings(**told))
    assert (found.distance_mpc, found.redshift) == (distance, redshift)
    assert any(said in note for note in found.notes) if said else not found.notes
