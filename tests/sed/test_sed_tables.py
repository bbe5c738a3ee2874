"""The tables of stars, gas and dust meet the numbers known of them."""

from itertools import pairwise

import numpy as np
import pytest

from napari_galaxy_maps.bands.registry import MODEL_BANDS, get_band
from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.sed import attenuation, nebular
from napari_galaxy_maps.sed.tables import (
    StarTable,
    at_redshift,
    dust_table,
    dust_temperature,
    spectrum_table,
    star_table,
)

LSUN_ERG = 3.828e33
SUN_R = 4.65  # absolute AB magnitude of the Sun in SDSS r (Willmer 2018)
SOLAR = 4  # Z = 0.02


def magnitudes(luminosity):
    """Absolute AB magnitudes of Lsun/Hz."""
    return -2.5 * np.log10(luminosity * LSUN_ERG / (4 * np.pi * 3.0857e19**2)) - 48.6


@pytest.fixture(scope="module")
def table():
    """The shipped table of stars."""
    return star_table()


def old(table, redshift=0.0, metallicity=SOLAR):
    """Light of 10 Gyr old stars by band, Lsun/Hz per Msun formed."""
    light = at_redshift(table.stars, table.redshift, redshift)[metallicity]
    return {band: np.interp(1e10, table.age_yr, light[:, i]) for i, band in enumerate(table.bands)}


def test_the_table_has_every_band(table):
    assert table.bands == MODEL_BANDS
    assert dust_table().bands == tuple(b for b in MODEL_BANDS if get_band(b).pivot > 2)


def test_colours_of_old_stars(table):
    light = old(table)
    u, g, r, i = (magnitudes(light[f"SDSS_{band}"]) for band in "ugri")
    assert (u - g, g - r, r - i) == pytest.approx((1.79, 0.83, 0.35), abs=0.015)


def test_mass_to_light_of_old_stars(table):
    surviving = np.interp(1e10, table.age_yr, table.surviving[SOLAR])
    luminosity = 10 ** (-0.4 * (magnitudes(old(table)["SDSS_r"]) - SUN_R))
    assert surviving == pytest.approx(0.515, abs=0.005)
    assert surviving / luminosity == pytest.approx(2.8, rel=0.03)


def test_ultraviolet_and_ionising_photons_of_star_formation(table):
    """One Msun/yr over 100 Myr: Kennicutt & Evans (2012, Table 1) find 43.35 and 41.27."""
    weights = table.age_weights(0, 1e8) * 1e8
    far = table.bands.index("GALEX_FUV")
    frequency = 2.99792458e14 / 0.1528
    assert np.log10(
        weights @ table.stars[0, SOLAR, :, far] * frequency * LSUN_ERG
    ) == pytest.approx(43.37, abs=0.01)
    halpha = weights @ table.photons[SOLAR] * nebular.lines(8.69)[1][0]
    assert np.log10(halpha) == pytest.approx(41.31, abs=0.03)


def test_balmer_lines_are_those_of_case_b():
    wavelength, energy = nebular.lines(8.69)
    by_line = dict(zip(wavelength, energy, strict=True))
    assert by_line[6562.8] == pytest.approx(
        1.37e-12, rel=0.01
    )  # erg per ionising photon (Kennicutt 1998)
    assert by_line[6562.8] / by_line[4861.3] == pytest.approx(2.86, abs=0.01)


def test_metal_lines_follow_the_oxygen():
    """[O III] rises towards low metallicity and [N II] towards high; beyond the calibration the
    lines stay as they are.
    """
    poor, rich = (dict(zip(*nebular.lines(oh), strict=True)) for oh in (8.1, 8.7))
    assert poor[5006.8] > 3 * rich[5006.8]
    assert rich[6583.4] > 3 * poor[6583.4]
    np.testing.assert_array_equal(nebular.lines(9.5)[1], nebular.lines(nebular.OH_RANGE[1])[1])


@pytest.mark.realdata
def test_lines_are_near_those_of_photoionisation_models(shared_data):
    """At the Sun's metallicity and low ionisation; the observed ratios and the models' differ by a
    factor of two at most.
    """
    rows = np.loadtxt(shared_data / "templates" / "lines_0.02.dat")
    model = dict(zip(rows[:, 0], rows[:, 1], strict=True))
    ours = dict(zip(*nebular.lines(8.69), strict=True))
    assert ours[6562.8] / ours[4861.3] == pytest.approx(10 ** (model[6563] - model[4861]), rel=0.04)
    for line, name in ((3727.5, 3727), (6583.4, 6584), (6716.4, 6716)):
        assert np.log10(ours[line] / ours[4861.3]) == pytest.approx(
            model[name] - model[4861], abs=0.3
        ), line


def test_the_balmer_jump():
    """H I at 10^4 K: near 2.7e-39 erg cm3/s/Hz blueward of 3646 Angstrom (Osterbrock & Ferland
    2006, Table 4.9), little beyond.
    """
    blue, red = nebular.continuum(np.array([3640.0, 3660.0])) * nebular.ALPHA_B
    assert blue - red == pytest.approx(2.7e-39 * (1 + nebular.HELIUM), rel=0.05)
    assert nebular.continuum(np.array([900.0]))[0] == 0


def test_gas_gives_no_more_than_the_photons_bring(table):
    """Of 13.6 eV and the electrons' heat, lines and continuum beyond the Lyman limit carry most:
    Lyman alpha is left out.
    """
    ratio = table.gas_bins.sum(1) * LSUN_ERG / 2.179e-11
    assert np.all((ratio > 0.5) & (ratio < 1))
    young = table.ionising[SOLAR, 0] * LSUN_ERG / table.photons[SOLAR, 0] / 2.179e-11
    assert 1 < young < 3, "mean energy of ionising photons in units of 13.6 eV"


def test_bins_hold_the_luminosity(table):
    soft = table.bolometric - table.ionising
    assert np.all(table.stars_bins.sum(-1) <= soft * 1.001)
    np.testing.assert_allclose(table.stars_bins.sum(-1)[SOLAR], soft[SOLAR], rtol=0.02)


def test_lines_raise_the_bands_that_they_lie_in(table):
    """Halpha lies in r at redshift 0 and has left it for i at 0.1."""
    r, i = (table.bands.index(f"SDSS_{band}") for band in "ri")
    near, far = (at_redshift(table.gas, table.gas_redshift, z)[-3] for z in (0.0, 0.1))
    assert near[r] > 1.5 * near[i]
    assert far[i] > near[i]


def test_old_galaxies_redden_with_redshift(table):
    near, far = old(table), old(table, 0.2)
    colours = [magnitudes(light["SDSS_g"]) - magnitudes(light["SDSS_r"]) for light in (near, far)]
    assert colours[1] - colours[0] == pytest.approx(
        0.55, abs=0.1
    )  # about 2.5 to 3 z (Chilingarian+ 2010)


def test_age_weights_are_exact_for_what_is_linear(table):
    weights = table.age_weights(2e8, 3e9)
    assert weights.sum() == pytest.approx(1)
    assert weights @ table.age_yr == pytest.approx((2e8 + 3e9) / 2)
    assert weights[table.age_yr > 4e9].sum() == 0


def test_dust_at_unit_field():
    table = dust_table()
    assert table.lsun_per_msun == pytest.approx(224, rel=0.005)


def modified_black_body(frequency, kappa, temperature):
    """log of erg/s/Hz per g of dust of opacity `kappa` (cm2/g) at 250 micron and beta 1.79."""
    planck = (
        2
        * 6.62607e-27
        * frequency**3
        / 2.99792458e10**2
        / np.expm1(4.799243e-11 * frequency / temperature)
    )
    return np.log(4 * np.pi * kappa * (frequency / 1.19917e12) ** 1.79 * planck)


def fitted(micron, light):
    from scipy.optimize import curve_fit

    (kappa, temperature), _ = curve_fit(
        modified_black_body, 2.99792458e14 / micron, np.log(light), p0=(5, 20)
    )
    return temperature, kappa


@pytest.mark.realdata
def test_dust_templates_give_temperature_and_opacity(shared_data):
    """THEMIS at U = 1 as a modified black body of beta 1.79, 100 to 500 micron: 18.4 K, and 5.9
    cm2/g at 250.
    """
    from napari_galaxy_maps.training.datasets.photometric_tables import DUST_TO_HYDROGEN

    with np.load(shared_data / "templates" / "dust_emission_themis_dl07.npz") as template:
        micron, field = (
            template["themis_wavelength_um"],
            np.argmin(np.abs(template["themis_umin"] - 1)),
        )
        light = (
            template["themis_jy_cm2_per_sr_per_h"][4, field, 0]
            * 1e-23
            * 4
            * np.pi
            / (1.6735e-24 * DUST_TO_HYDROGEN)
        )
    far = (micron > 100) & (micron < 500)
    assert fitted(micron[far], light[far]) == pytest.approx((18.4, 5.9), rel=0.05)


def test_dust_bands_give_temperature_and_opacity():
    """The same from the bands of the table, whose widths blur it."""
    table = dust_table()
    u, q = np.argmin(np.abs(table.umin - 1)), np.argmin(np.abs(table.qhac - 0.17))
    names = ("PACS_100", "PACS_160", "SPIRE_250", "SPIRE_350", "SPIRE_500")
    light = (
        np.array([table.light[0, q, u, 0, table.bands.index(n)] for n in names])
        * LSUN_ERG
        / 1.98841e33
    )
    assert fitted(np.array([get_band(n).pivot for n in names]), light) == pytest.approx(
        (18.4, 5.9), rel=0.15
    )


def test_dust_is_warmer_in_stronger_fields():
    table = dust_table()
    assert np.all(np.diff(table.total[4, :, 0]) > 0)
    assert dust_temperature(np.array(1.0)) == pytest.approx(18.3)
    # A field twice as strong heats to 2^(1/5.79) times the temperature, as luminosity per mass
    # says.
    np.testing.assert_allclose(table.total[4, :, 0] / table.umin, table.lsun_per_msun, rtol=0.03)


def test_attenuation_curves_are_one_at_v():
    v = np.array(0.55)
    assert attenuation.power_law(v) == 1
    assert attenuation.calzetti(v) == pytest.approx(1, abs=0.01)
    assert attenuation.calzetti(np.array(0.15)) == pytest.approx(
        2.55, abs=0.1
    )  # Calzetti+ 2000, k(1500) = 10.3
    assert (
        attenuation.with_bump(np.array(0.2175), -1.0, 2.0)
        - attenuation.power_law(np.array(0.2175), -1.0)
        == 2
    )


def test_a_redshift_beyond_the_tables_is_refused(table):
    with pytest.raises(InputError, match=r"redshift 0\.51 is not between 0\.0 and 0\.5"):
        at_redshift(table.stars, table.redshift, 0.51)


def test_all_tables_end_at_one_redshift(table):
    nodes = (table.redshift, table.gas_redshift, dust_table().redshift, spectrum_table().redshift)
    assert {(z[0], z[-1]) for z in nodes} == {(0.0, 0.5)}
    np.testing.assert_array_equal(table.redshift, spectrum_table().redshift)


@pytest.mark.parametrize("redshift", [0.0, 0.125, 0.3125, 0.46, 0.5])
def test_spectra_in_bins_give_the_light_of_the_bands(table, redshift):
    """Two tables made apart: light by band, and spectra seen through the response."""
    narrow = spectrum_table()
    short = [narrow.bands.index(f"SDSS_{band}") for band in "ugriz"]
    light = at_redshift(table.stars, table.redshift, redshift)[:, table.age_yr > 5e6]
    seen = narrow.stars @ at_redshift(narrow.response, narrow.redshift, redshift)
    np.testing.assert_allclose(
        seen[:, table.age_yr > 5e6][..., short], light[..., short], rtol=0.01
    )


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "stars.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"stars\.npz is no table"):
        StarTable.read(tmp_path / "stars.npz")


@pytest.mark.realdata
def test_the_script_makes_the_tables_that_ship(shared_data, tmp_path):
    pytest.importorskip("sedpy")
    from napari_galaxy_maps.training.datasets import photometric_tables

    photometric_tables.main([str(shared_data / "templates"), "--out", str(tmp_path)])
    made = StarTable.read(tmp_path / "stars.npz")
    for name in ("stars", "gas", "photons", "stars_bins"):
        np.testing.assert_allclose(getattr(made, name), getattr(star_table(), name), rtol=1e-5)


@pytest.mark.realdata
def test_between_its_redshifts_the_table_is_linear_enough(shared_data):
    """Light in ugriz half way between redshifts beyond 0.2, of stars of 5 Myr to 13 Gyr."""
    pytest.importorskip("sedpy")
    from napari_galaxy_maps.training.datasets import photometric_tables as script

    table = star_table()
    curves = {band: c for band, c in script.filter_curves().items() if band.startswith("SDSS")}
    columns = [table.bands.index(band) for band in curves]
    wavelength, spectra, *_ = script._populations(
        shared_data / "templates" / "bc03_lr_chabrier_ssp.npz"
    )
    spectra = np.where(wavelength < 912, 0, spectra)[:, (table.age_yr > 5e6)]
    for low, high in pairwise(table.redshift[table.redshift >= 0.2]):
        z = (low + high) / 2
        exact = spectra @ script.band_matrix(wavelength, curves, z)
        found = at_redshift(table.stars, table.redshift, z)[:, table.age_yr > 5e6][..., columns]
        np.testing.assert_allclose(found, exact, rtol=0.01)


@pytest.mark.realdata
def test_lines_that_leave_a_band_between_redshifts_are_seen_in_time(shared_data, monkeypatch):
    """Light in ugriz of stars that formed at a steady rate over 100 Myr, with their gas."""
    pytest.importorskip("sedpy")
    from napari_galaxy_maps.training.datasets import photometric_tables as script

    table = star_table()
    between = (table.gas_redshift[:-1] + table.gas_redshift[1:])[::3] / 2
    curves = {band: c for band, c in script.filter_curves().items() if band.startswith("SDSS")}
    for name in ("REDSHIFTS", "GAS_REDSHIFTS"):
        monkeypatch.setattr(script, name, between)
    path = shared_data / "templates" / "bc03_lr_chabrier_ssp.npz"
    exact = script.star_table(path, curves)
    weight = np.gradient(table.age_yr) * (table.age_yr < 1e8)
    columns = [table.bands.index(band) for band in curves]
    photons = weight @ table.photons[SOLAR]
    for k, z in enumerate(between):
        true = weight @ exact.stars[k, SOLAR] + photons * exact.gas[k, 5]
        stars = at_redshift(table.stars, table.redshift, z)[SOLAR][:, columns]
        gas = at_redshift(table.gas, table.gas_redshift, z)[5][columns]
        np.testing.assert_allclose(weight @ stars + photons * gas, true, rtol=0.03)


@pytest.mark.realdata
def test_our_own_integral_agrees_with_sedpys(shared_data):
    """The same AB magnitudes as sedpy's own projection, for a 1 Gyr old population."""
    pytest.importorskip("sedpy")
    from sedpy.observate import Filter

    from napari_galaxy_maps.training.datasets.photometric_tables import (
        SEDPY_NAMES,
        band_matrix,
        filter_curves,
    )

    with np.load(shared_data / "templates" / "bc03_lr_chabrier_ssp.npz") as template:
        wavelength = template["wavelength_angstrom"]
        spectrum = template["lsun_per_angstrom_per_msun_formed"][
            SOLAR, np.argmin(abs(template["age_yr"] - 1e9))
        ]
    bands = [b for b in MODEL_BANDS if get_band(b).pivot < 5]
    light = spectrum @ band_matrix(wavelength, filter_curves(), 0.0)
    theirs = np.array([Filter(SEDPY_NAMES[b]).ab_mag(wavelength, spectrum) for b in bands])
    difference = -2.5 * np.log10(light[: len(bands)]) - theirs
    np.testing.assert_allclose(difference - difference.mean(), 0, atol=0.01)
