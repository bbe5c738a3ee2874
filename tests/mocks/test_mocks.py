"""Mock galaxies are what they say: their mass, their energy, their truth, their PSF and noise, and
the same for the same seed.

Of `mocks.population`, `mocks.history` (stars by age), `mocks.dust`, `mocks.mock` and
`mocks.surveys`.
"""

from dataclasses import replace

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import MODEL_BANDS, get_band
from napari_galaxy_maps.cosmology import redshift_at_distance
from napari_galaxy_maps.data.properties import ATTENUATION, PROPERTIES
from napari_galaxy_maps.exceptions import GalaxyMapsError, RecipeError
from napari_galaxy_maps.mocks import relations
from napari_galaxy_maps.mocks.dust import SHOWN_BY
from napari_galaxy_maps.mocks.layers import ADDITIVE
from napari_galaxy_maps.mocks.mock import make_mock
from napari_galaxy_maps.mocks.population import KINDS, draw_galaxy
from napari_galaxy_maps.mocks.rendering import render
from napari_galaxy_maps.mocks.structure import patterns
from napari_galaxy_maps.mocks.surveys import DEPTHS, convolve, psf_transform, sigma
from napari_galaxy_maps.mocks.view import MAX_DISTANCE, MAX_REDSHIFT, View
from napari_galaxy_maps.sed.tables import dust_table, star_table

KPC_PER_ARCSEC_AT_100 = 100 * 4.84813681e-3


def whole(galaxy, bands=("SDSS_g",), size=160):
    """A view from 100 Mpc that holds all of a galaxy, and the area of its pixels in kpc2."""
    reach = 1.3 * max(
        7 * galaxy.scale_length * galaxy.growth,
        7 * galaxy.bulge_r_e,
        2 * relations.hi_radius(galaxy.log_hi),
    )
    view = View(
        size=size,
        pixel_arcsec=2 * reach / size / KPC_PER_ARCSEC_AT_100,
        bands=bands,
        distance_mpc=100.0,
    )
    return view, (2 * reach / size) ** 2


def sums(galaxy, bands=("SDSS_g",)):
    view, area = whole(galaxy, bands)
    planes = render(galaxy, view, 0.0)
    return dict(zip((*bands, *ADDITIVE), planes.sum(axis=(1, 2)) * area, strict=True))


def test_the_same_seed_makes_the_same_galaxy():
    first, again, other = (
        make_mock(7, View(size=48)),
        make_mock(7, View(size=48)),
        make_mock(8, View(size=48)),
    )
    np.testing.assert_array_equal(first.data, again.data)
    np.testing.assert_array_equal(first.truth["LOG_SMD"], again.truth["LOG_SMD"])
    assert first.galaxy == again.galaxy
    assert first.galaxy != other.galaxy


def test_every_property_has_its_true_map():
    mock = make_mock(5, View(size=48, bands=MODEL_BANDS, pixel_arcsec=2.0))
    assert set(mock.truth) == set(PROPERTIES) - set(ATTENUATION)
    assert mock.data.shape == mock.uncertainty.shape == (26, 48, 48)
    assert np.isfinite(mock.data).all()
    for name, plane in mock.truth.items():
        assert plane.shape == (48, 48)
        assert np.isfinite(plane[20:28, 20:28]).all(), name


@pytest.mark.parametrize("kind", KINDS)
def test_images_and_maps_hold_the_mass_that_was_drawn(kind):
    galaxy = replace(draw_galaxy(11, kind, 10.2), inclination=50.0)
    found = sums(galaxy)
    assert np.log10(found["star"]) == pytest.approx(galaxy.log_mass, abs=0.03)
    assert np.log10(found["sfr"]) == pytest.approx(galaxy.log_sfr, abs=0.03)
    assert np.log10(found["hi"]) == pytest.approx(galaxy.log_hi, abs=0.03)
    assert np.log10(found["gas"]) == pytest.approx(
        np.log10(1.36 * 10**galaxy.log_hi + 10**galaxy.log_h2), abs=0.03
    )
    assert found["dust"] < 0.4 * found["zgas"]


@pytest.mark.parametrize("kind", ["spiral", "lenticular", "irregular"])
def test_dust_gives_what_it_takes_however_it_is_seen(kind):
    """Dust's luminosity is the galaxy's, not the sight line's."""
    galaxy = draw_galaxy(3, kind, 10.2)
    luminosities = []
    for inclination in (0.0, 60.0, 90.0):
        found = sums(replace(galaxy, inclination=inclination))
        luminosities.append((found["diffuse"] + found["cloud"]) / found["lstar"])
    # Edge-on the gas is thinner than a pixel, and sampled as such.
    assert luminosities == pytest.approx([luminosities[0]] * 3, rel=0.06)
    assert 0.01 < luminosities[0] < 0.9


@pytest.mark.slow
def test_light_lost_over_all_directions_is_the_dusts_luminosity(monkeypatch):
    """What dust absorbs, reckoned by plane-parallel layers, is what is missing of starlight over
    the whole sphere of directions.

    Dust that shades nothing below the shortest band (0.153 micron), so that the bands see all of
    what is missing.
    """
    from napari_galaxy_maps.mocks import layers

    curve = layers.with_bump
    monkeypatch.setattr(
        layers, "with_bump", lambda micron, *rest: np.where(micron < 0.15, 0, curve(micron, *rest))
    )
    galaxy = replace(draw_galaxy(3, "flocculent", 10.2), cloud_tau=0.0, bulge=0.0)
    bare = replace(galaxy, log_hi=2.0, log_h2=2.0)
    bands = MODEL_BANDS[:12]
    frequency = 2.99792458e14 / np.array([get_band(b).pivot for b in bands])
    view, area = whole(galaxy, bands, 128)
    cosines, weights = np.polynomial.legendre.leggauss(5)
    lost = np.zeros(len(bands))
    for cosine, weight in zip(cosines, weights, strict=True):
        angle = float(np.degrees(np.arccos((cosine + 1) / 2)))
        with_dust, without = (
            render(replace(g, inclination=angle), view, 0.0)[:12].sum(axis=(1, 2))
            for g in (galaxy, bare)
        )
        lost += weight / 2 * (without - with_dust) * area
    order = np.argsort(frequency)
    missing = np.trapezoid(lost[order], frequency[order])
    absorbed = [
        sum(sums(g)[name] for name in ("diffuse", "cloud")) for g in (galaxy, bare)
    ]  # both keep ionising light
    assert missing == pytest.approx(absorbed[0] - absorbed[1], rel=0.1)


@pytest.mark.parametrize("seed", [3, 4, 9])
def test_ratios_are_the_sums_they_are_made_of(seed):
    mock = make_mock(seed, View(size=48))
    truth = mock.truth
    for ratio, above, below in (("LOG_SMD", "MD", "STAR"), ("LOG_SLD", "LD", "LSTAR")):
        difference = truth[f"LOG_SIGMA_{above}"] - truth[f"LOG_SIGMA_{below}"]
        np.testing.assert_allclose(truth[ratio], difference, atol=1e-4)
    assert np.nanmin(truth["T_DUST"]) > 10
    assert np.nanmax(truth["T_DUST"]) < 45
    assert np.nanmin(truth["AGE_STAR"]) > 0
    assert np.nanmax(truth["AGE_STAR"]) < 13.5


@pytest.mark.parametrize("seed", [3, 4])
def test_of_dust_that_nothing_could_show_a_truth_says_nothing(seed):
    """Where its light is under a thousandth of the far infrared's noise, ratios and temperature are
    blank; there the rounding of the blur made temperatures of 0 to 7,000,000 K.
    """
    mock = make_mock(seed, View(size=96, pixel_arcsec=2.0, bands=("SDSS_r", "WISE_22", SHOWN_BY)))
    blank = np.isnan(mock.truth["T_DUST"])
    light, noise = mock.model[2], DEPTHS[SHOWN_BY].noise
    assert not blank[light > 0.1 * noise].any() and 0.1 < blank.mean() < 0.95
    for name in ("LOG_SMD", "LOG_SLD", "LOG_SIGMA_MD", "LOG_SIGMA_LD"):
        assert np.isnan(mock.truth[name])[blank].all(), name
    seen = np.nansum(10.0 ** mock.truth["LOG_SIGMA_MD"].astype(float))
    assert seen == pytest.approx(mock.additive["dust"].sum(dtype=float), rel=0.01)
    stars = mock.truth["LOG_SIGMA_STAR"]
    assert np.isfinite(stars).any() and np.nanmin(stars) >= np.nanmax(stars) - 6.01


def test_dust_shines_with_the_energy_it_took():
    """All far-infrared bands together, interpolated, hold the dust's luminosity."""
    galaxy = draw_galaxy(3, "spiral", 10.4, 40)
    bands = tuple(b for b in MODEL_BANDS if get_band(b).pivot > 5)
    view, area = whole(galaxy, bands)
    mock = make_mock(3, replace(view, noise=0.0), galaxy)
    frequency = 2.99792458e14 / np.array([get_band(b).pivot for b in bands])
    order = np.argsort(frequency)
    to_lsun = 4 * np.pi * (3.0856775815e19) ** 2 / 3.828e26 / 1e20 * (1 + mock.redshift) ** 3
    light = mock.model.sum(axis=(1, 2))[order] * area * to_lsun
    smooth = np.exp(
        np.interp(
            log := np.linspace(*np.log(frequency[order][[0, -1]]), 500),
            np.log(frequency[order]),
            np.log(light),
        )
    )
    luminosity = np.trapezoid(smooth * np.exp(log), log)
    dust = (mock.additive["diffuse"] + mock.additive["cloud"]).sum() * area
    assert luminosity == pytest.approx(dust, rel=0.25)


def test_noise_is_what_the_error_says():
    mock = make_mock(4, View(size=96))
    clean = make_mock(4, View(size=96, noise=0.0))
    score = (mock.data - clean.data) / mock.uncertainty
    assert score.std() == pytest.approx(1, abs=0.02)
    assert abs(score.mean()) < 0.02
    np.testing.assert_array_equal(clean.data, clean.model)
    bright = sigma("SDSS_r", np.array([0.0, 100.0]), 0.396)
    assert bright[1] > 3 * bright[0]


def test_bigger_pixels_have_less_noise():
    small, large = (sigma("SDSS_r", np.zeros(1), pixel)[0] for pixel in (0.4, 0.8))
    assert small == pytest.approx(2 * large)


@pytest.mark.parametrize(("fwhm", "moffat"), [(1.5, False), (6.0, False), (2.5, True), (6.0, True)])
def test_psfs_have_their_width_and_keep_the_light(fwhm, moffat):
    from scipy import fft

    psf = fft.fftshift(fft.irfft2(psf_transform(fwhm, moffat, (129, 129)), (129, 129)))
    assert psf.sum() == pytest.approx(1, abs=1e-4)
    half = np.sum(psf > psf.max() / 2)
    if fwhm > 4:
        assert 2 * np.sqrt(half / np.pi) == pytest.approx(fwhm, rel=0.08)
    plane = np.zeros((1, 65, 65), np.float32)
    plane[0, 30, 34] = 1
    blurred = convolve(plane, [(fwhm, moffat)], 1.0)[0]
    assert np.unravel_index(blurred.argmax(), blurred.shape) == (30, 34)
    assert blurred.sum() == pytest.approx(1, abs=0.02)


def test_patterns_keep_the_mass_around_every_circle():
    galaxy = replace(draw_galaxy(6, "barred", 10.4), lopsided=0.0)
    planes = patterns(galaxy, 12.0, 96, 1e7)
    side = (np.arange(96) + 0.5) / 96 * 24 - 12
    radius = np.hypot(*np.meshgrid(side, side))
    for low in (2, 5, 8):
        ring = (radius > low) & (radius < low + 2)
        np.testing.assert_allclose(planes[ring].mean(axis=0), 1, atol=0.05)
    assert planes[..., 3].std() > planes[..., 2].std() > planes[..., 0].std(), (
        "the younger, the clumpier"
    )


def test_arms_are_there():
    """Around a circle the young stars of a two-armed spiral vary twice, those of a smooth
    lenticular hardly at all.
    """
    angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)

    def around(galaxy):
        planes = patterns(galaxy, 6 * galaxy.scale_length, 128, 1e7)[..., 1]
        place = 63.5 + 1.8 / 6 * 64 * np.array([np.sin(angle), np.cos(angle)])
        return planes[tuple(np.rint(place).astype(int))]

    spiral = replace(draw_galaxy(2, "spiral", 10.3), arms=2, arm_strength=1.2, bar=0.0)
    power = np.abs(np.fft.rfft(around(spiral) - around(spiral).mean()))
    assert np.argmax(power[1:6]) + 1 == 2
    assert around(draw_galaxy(2, "lenticular", 10.3)).std() < 0.4 * around(spiral).std()


def test_edge_on_spirals_are_redder_and_fainter():
    galaxy = draw_galaxy(12, "spiral", 10.5)
    face, edge = (
        sums(replace(galaxy, inclination=angle), ("SDSS_g", "SDSS_i")) for angle in (0.0, 88.0)
    )
    assert edge["SDSS_g"] < 0.8 * face["SDSS_g"]
    assert edge["SDSS_i"] / edge["SDSS_g"] > 1.1 * face["SDSS_i"] / face["SDSS_g"]


def test_what_lies_around_changes_the_images_and_not_the_truth():
    galaxy = draw_galaxy(2, "spiral", 10.2)
    bare = make_mock(2, View(size=64, noise=0.0, distance_mpc=60.0), galaxy)
    busy = make_mock(
        2, View(size=64, noise=0.0, distance_mpc=60.0, stars=40, neighbours=20, ebv=0.1), galaxy
    )
    np.testing.assert_array_equal(bare.truth["LOG_SIGMA_STAR"], busy.truth["LOG_SIGMA_STAR"])
    np.testing.assert_array_equal(bare.model, busy.model)
    assert busy.stars
    brightest = min(busy.stars, key=lambda star: star["magnitude"])
    if 3 < brightest["x"] < 60 and 3 < brightest["y"] < 60:
        here = busy.data[2, round(brightest["y"]), round(brightest["x"])]
        assert here > bare.data[2, round(brightest["y"]), round(brightest["x"])]
    dimmed = make_mock(2, View(size=64, noise=0.0, distance_mpc=60.0, ebv=0.1), galaxy)
    expected = 10 ** (-0.4 * get_band("SDSS_g").reddening * 0.1)
    bright = bare.data[1] > 0.01 * bare.data[1].max()
    np.testing.assert_allclose(dimmed.data[1][bright] / bare.data[1][bright], expected, rtol=1e-3)


def test_a_star_has_the_flux_of_its_magnitude():
    from napari_galaxy_maps.mocks.surroundings import _add_star

    view = View(size=32, bands=("SDSS_r",), pixel_arcsec=0.5)
    images = np.zeros((1, 32, 32), np.float32)
    _add_star(
        images,
        view,
        {"x": 10.3, "y": 12.7, "magnitude": 18.0, "temperature": 5800.0, "parallax": 1.0},
    )
    jansky = images.sum() * 1e6 * 0.25 * 2.3504430539e-11
    assert jansky == pytest.approx(
        3631 * 10 ** (-0.4 * 18), rel=0.03
    )  # G and r are near each other for the Sun
    x = np.arange(32)
    assert (images[0] * x).sum() / images.sum() == pytest.approx(10.3, abs=1e-3)


def test_distance_dims_and_reddens():
    galaxy = draw_galaxy(5, "elliptical", 11.0)
    near, far = (
        make_mock(5, View(size=64, noise=0, distance_mpc=d, bands=("SDSS_g", "SDSS_r")), galaxy)
        for d in (60.0, 600.0)
    )
    colour = [-2.5 * np.log10(m.model[0].sum() / m.model[1].sum()) for m in (near, far)]
    assert colour[1] > colour[0] + 0.3
    assert redshift_at_distance(43.0) == pytest.approx(
        67.66 * 43 / 299792.458, rel=0.02
    )  # Hubble's law nearby


def test_a_given_redshift_stands_in_for_the_hubble_flow():
    galaxy = draw_galaxy(5, "elliptical", 11.0)
    flow, still, receding = (
        make_mock(5, View(size=32, noise=0, distance_mpc=60.0, redshift=z), galaxy)
        for z in (None, 0.0, 0.1)
    )
    assert flow.redshift == redshift_at_distance(60.0)
    assert (still.redshift, receding.redshift) == (0.0, 0.1)
    assert still.model[2].sum() > flow.model[2].sum() > 1.2 * receding.model[2].sum()
    assert flow.pixel_kpc == still.pixel_kpc == receding.pixel_kpc
    with pytest.raises(RecipeError, match=r"redshift: 0\.51 is outside 0 to 0\.5"):
        View(redshift=0.51).check()


def test_mocks_reach_as_far_as_the_tables():
    """At the largest distance that may be given, dimmed as (1 + z)^3 per Hz and reddened."""
    view = View(size=16, bands=("SDSS_g", "SDSS_z", "WISE_12"), noise=0)
    assert MAX_REDSHIFT == star_table().redshift[-1] == dust_table().redshift[-1]
    galaxy = draw_galaxy(5, "elliptical", 11.0)
    near, far = (
        make_mock(5, replace(view, distance_mpc=distance), galaxy)
        for distance in (MAX_DISTANCE / 2, MAX_DISTANCE)
    )
    assert far.redshift == pytest.approx(MAX_REDSHIFT)
    assert np.isfinite(far.data).all() and far.model.min() >= 0
    # The 4000 Angstrom break has left g for r.
    red = [-2.5 * np.log10(mock.model[0].sum() / mock.model[1].sum()) for mock in (near, far)]
    assert red[1] > red[0] + 0.5
    with pytest.raises(RecipeError, match="distance_mpc"):
        replace(view, distance_mpc=MAX_DISTANCE + 1).check()


def test_drawn_galaxies_follow_the_main_sequence():
    galaxies = [draw_galaxy(seed) for seed in range(400)]
    forming = [g for g in galaxies if g.kind not in ("elliptical", "lenticular") and g.quench == 0]
    offset = np.array([g.log_sfr - relations.main_sequence(g.log_mass) for g in forming])
    assert np.median(offset) == pytest.approx(0, abs=0.06)
    assert offset.std() == pytest.approx(0.3, abs=0.06)
    assert {g.kind for g in galaxies} == set(KINDS)


@pytest.mark.parametrize(
    ("mistake", "word"),
    [({"kind": "comet"}, "comet"), ({"log_mass": 14.0}, "14"), ({"inclination": 120.0}, "120")],
)
def test_impossible_galaxies_are_refused(mistake, word):
    with pytest.raises(GalaxyMapsError, match=word):
        draw_galaxy(1, **mistake)


@pytest.mark.parametrize(
    "mistake",
    [
        {"size": 2},
        {"pixel_arcsec": -1.0},
        {"bands": ("Johnson_V",)},
        {"noise": -1.0},
        {"distance_mpc": 5000.0},
    ],
)
def test_impossible_views_are_refused(mistake):
    with pytest.raises(GalaxyMapsError):
        make_mock(1, View(**mistake))
