"""Star tables are read whatever their format, names and frame; Milky Way stars are told; stars are
moved to the images' epoch.
"""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable, Table

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.source_tables import read_table, table_positions
from napari_galaxy_maps.prepare.stars.catalogue import at_epoch, milky_way_stars, read_catalogue

GAIA = {
    "source_id": [11, 12, 13], "ra": [150.0, 150.1, 150.2], "dec": [2.0, 2.1, 2.2],
    "ref_epoch": [2016.0] * 3,
    "parallax": [5.0, 0.1, np.nan], "parallax_error": [0.1, 0.1, np.nan],
    "pmra": [100.0, 0.1, np.nan],
    "pmra_error": [0.1, 0.1, np.nan], "pmdec": [-50.0, 0.0, np.nan],
    "pmdec_error": [0.1, 0.1, np.nan],
    "phot_g_mean_mag": [12.0, 18.0, 20.5],
}  # fmt: skip


def gaia(**changes):
    table = Table(GAIA)
    for name, values in changes.items():
        if values is None:
            table.remove_column(name)
        else:
            table[name] = values
    return table


@pytest.mark.parametrize(
    "name, kind",
    [
        ("s.fits", "fits"),
        ("s.vot", "votable"),
        ("s.ecsv", "ascii.ecsv"),
        ("s.csv", "ascii.csv"),
        ("s.txt", "ascii.basic"),
        ("s.xml", "votable"),
    ],
)
def test_every_format_gives_the_same_stars(tmp_path, name, kind):
    gaia().write(tmp_path / name, format=kind)
    stars = read_catalogue(tmp_path / name)
    assert list(stars["id"]) == ["11", "12", "13"]
    np.testing.assert_allclose(stars["ra"].to_value("deg"), GAIA["ra"])
    np.testing.assert_allclose(stars["parallax"].to_value("mas"), GAIA["parallax"])
    np.testing.assert_allclose(stars["pmdec"].to_value("mas/yr"), GAIA["pmdec"])
    np.testing.assert_allclose(stars["magnitude"], GAIA["phot_g_mean_mag"])
    assert (stars["epoch"] == 2016).all() and stars.meta["has_parallax"] and not stars.meta["notes"]


def test_a_packed_table_is_read(tmp_path):
    gaia().write(tmp_path / "s.fits.gz", format="fits")
    assert len(read_catalogue(tmp_path / "s.fits.gz")) == 3


def test_vizier_and_legacy_survey_names_are_known(tmp_path):
    names = {"ra": "RA_ICRS", "dec": "DE_ICRS", "parallax": "Plx", "parallax_error": "e_Plx",
             "pmra": "pmRA", "pmdec": "pmDE",
             "pmra_error": "e_pmRA", "pmdec_error": "e_pmDE", "phot_g_mean_mag": "Gmag",
             "source_id": "Source"}  # fmt: skip
    table = gaia(ref_epoch=None)
    table.rename_columns(list(names), list(names.values()))
    table.write(tmp_path / "vizier.csv")
    stars = read_catalogue(tmp_path / "vizier.csv")
    assert list(milky_way_stars(stars)) == [True, False, False]
    assert (stars["epoch"] == 2016).all() and "no epoch" in stars.meta["notes"][0]

    table = gaia(parallax_error=None, pmra_error=None, pmdec_error=None)
    for key in ("parallax", "pmra", "pmdec"):
        table[f"{key}_ivar"] = [100.0, 100.0, 0.0]
    table.write(tmp_path / "legacy.fits")
    stars = read_catalogue(tmp_path / "legacy.fits")
    np.testing.assert_allclose(stars["parallax_error"].to_value("mas"), [0.1, 0.1, np.nan])


@pytest.mark.parametrize("frame, names", [("galactic", ("l", "b")), ("galactic", ("glon", "glat")),
                                          ("fk4", ("RAB1950", "DEB1950")),
                                          ("fk5", ("ra_fk5", "dec_fk5"))])  # fmt: skip
def test_positions_in_another_frame_are_converted(tmp_path, frame, names):
    sky = SkyCoord(GAIA["ra"], GAIA["dec"], unit="deg")
    other = sky.transform_to(frame).spherical
    table = gaia(ra=None, dec=None)
    table[names[0]], table[names[1]] = other.lon.deg, other.lat.deg
    table.write(tmp_path / "s.csv")
    stars = read_catalogue(tmp_path / "s.csv")
    assert stars.meta["frame"] == frame
    assert SkyCoord(stars["ra"], stars["dec"]).separation(sky).arcsec.max() < 1e-6


def test_the_files_own_word_on_its_frame_counts(tmp_path):
    sky = SkyCoord(GAIA["ra"], GAIA["dec"], unit="deg")
    fk4 = sky.transform_to("fk4")
    gaia(ra=fk4.ra.deg, dec=fk4.dec.deg).write(tmp_path / "s.fits")
    with fits.open(tmp_path / "s.fits", mode="update") as hdus:
        hdus[1].header["RADESYS"] = "FK4"
    stars = read_catalogue(tmp_path / "s.fits")
    assert SkyCoord(stars["ra"], stars["dec"]).separation(sky).arcsec.max() < 0.01


def test_gaias_own_galactic_columns_beside_ra_and_dec_are_not_taken(tmp_path):
    gaia(l=[1.0, 2.0, 3.0], b=[4.0, 5.0, 6.0]).write(tmp_path / "s.csv")
    np.testing.assert_allclose(read_catalogue(tmp_path / "s.csv")["ra"].to_value("deg"), GAIA["ra"])


def test_sexagesimal_positions_and_other_units_are_read(tmp_path):
    sky = SkyCoord(GAIA["ra"], GAIA["dec"], unit="deg")
    table = gaia(
        ra=sky.ra.to_string("hour", sep=":", precision=5),
        dec=sky.dec.to_string(sep=":", precision=5),
    )
    table.write(tmp_path / "s.csv")
    stars = read_catalogue(tmp_path / "s.csv")
    assert SkyCoord(stars["ra"], stars["dec"]).separation(sky).arcsec.max() < 1e-3
    table = gaia()
    table["ra"] = table["ra"] * np.pi / 180
    table["ra"].unit, table["dec"].unit, table["parallax"].unit = u.rad, u.deg, u.arcsec
    table.write(tmp_path / "s.ecsv")
    stars = read_catalogue(tmp_path / "s.ecsv")
    np.testing.assert_allclose(stars["ra"].to_value("deg"), GAIA["ra"])
    assert stars["parallax"][0].to_value("mas") == pytest.approx(5000)


def test_milky_way_stars_are_told_by_parallax_or_motion_and_nothing_known_is_no_star(tmp_path):
    gaia(parallax=[0.35, 0.1, 0.1], parallax_error=[0.1] * 3, pmra=[0.1, 0.8, np.nan],
         pmdec=[0.0, 0.0, np.nan],
         pmra_error=[0.1] * 3, pmdec_error=[0.1] * 3).write(tmp_path / "s.csv")  # fmt: skip
    stars = read_catalogue(tmp_path / "s.csv")
    assert list(milky_way_stars(stars)) == [True, True, False]
    assert list(milky_way_stars(stars, parallax_snr=4)) == [False, True, False]
    assert list(milky_way_stars(stars, motion_snr=10)) == [True, False, False]


def test_stars_are_moved_to_the_year_of_the_images(tmp_path):
    gaia().write(tmp_path / "s.csv")
    stars = read_catalogue(tmp_path / "s.csv")
    here, there = at_epoch(stars, None), at_epoch(stars, 2000.0)
    east, north = here.spherical_offsets_to(there)
    np.testing.assert_allclose(east.arcsec, [-1.6, -0.0016, 0], atol=2e-5)
    np.testing.assert_allclose(north.arcsec, [0.8, 0, 0], atol=2e-5)


def test_a_table_without_parallaxes_is_usable_and_says_so(tmp_path):
    Table({"ra": [150.0], "dec": [2.0], "Gmag": [12.0]}).write(tmp_path / "s.csv")
    stars = read_catalogue(tmp_path / "s.csv")
    assert not stars.meta["has_parallax"] and "no parallaxes" in stars.meta["notes"][0]
    assert not milky_way_stars(stars).any()


def test_rows_without_a_position_are_left_out_and_told(tmp_path):
    gaia(ra=[150.0, np.nan, 150.2]).write(tmp_path / "s.fits")
    stars = read_catalogue(tmp_path / "s.fits")
    assert list(stars["id"]) == ["11", "13"] and "1 of 3 rows" in stars.meta["notes"][0]


@pytest.mark.parametrize(
    "name, content, says",
    [("none.csv", None, "does not exist"), ("empty.csv", "", "is empty"),
     ("prose.csv", "This is\nno table\n", "cannot be read as a table"),
     ("rows.csv", "ra,dec,parallax\n", "holds no stars"),
     ("other.csv", "a,b2\n1,2\n", "no columns with positions"),
     ("hours.csv", "ra,dec\n700,20\n", "no degrees"),
     ("nan.csv", "ra,dec\nnan,nan\n", "without one number"),
     ("words.csv", "ra,dec,parallax\n150,2,far\n", "holds no numbers"),
     ("place.csv", "ra,dec\nhere,there\n", "no position")],
)  # fmt: skip
def test_what_is_no_star_table_is_refused_in_one_sentence(tmp_path, name, content, says):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=says) as caught:
        read_catalogue(path)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_an_image_is_no_star_table(tmp_path):
    fits.PrimaryHDU(np.zeros((5, 5))).writeto(tmp_path / "image.fits")
    with pytest.raises(InputError, match="cannot be read as a table"):
        read_catalogue(tmp_path / "image.fits")
    with pytest.raises(InputError, match="is a folder"):
        read_catalogue(tmp_path)


@pytest.mark.realdata
def test_the_legacy_surveys_gaia_chunk_is_read(shared_data):
    stars = read_catalogue(shared_data / "stars" / "decam_testcase6" / "chunk-03559.fits")
    assert len(stars) == 113 and (stars["epoch"] == 2015.5).all()
    brightest = np.argmin(stars["magnitude"])
    assert (
        stars["magnitude"][brightest] == pytest.approx(10.584, abs=1e-3)
        and milky_way_stars(stars)[brightest]
    )
    assert 0.3 < milky_way_stars(stars).mean() < 0.9


def test_tables_of_other_programs_are_read(tmp_path):
    """LDAC's second table, SExtractor's text, a CDS table, photutils' coordinates."""
    ra, dec = np.array([150.0, 150.1]), np.array([2.0, 2.1])
    image_header = fits.BinTableHDU(Table({"Field Header Card": [b"SIMPLE"]}), name="LDAC_IMHEAD")
    objects = fits.BinTableHDU(Table({"ALPHA_J2000": ra, "DELTA_J2000": dec}), name="LDAC_OBJECTS")
    fits.HDUList([fits.PrimaryHDU(), image_header, objects]).writeto(tmp_path / "a.fits")
    (tmp_path / "b.cat").write_text(
        "#   1 NUMBER       Running object number\n"
        "#   2 ALPHA_J2000  Right ascension [deg]\n#   3 DELTA_J2000  Declination [deg]\n"
        "1 150.0 2.0\n2 150.1 2.1\n"
    )
    QTable({"label": [1, 2], "sky_centroid": SkyCoord(ra, dec, unit="deg")}).write(
        tmp_path / "c.ecsv"
    )
    Table({"RAdeg": ra, "DEdeg": dec, "Gmag": [14.0, 15.0]}).write(
        tmp_path / "d.txt", format="ascii.mrt"
    )
    for path in sorted(tmp_path.iterdir()):
        sky, _, _ = table_positions(read_table(path, "stars"), path)
        np.testing.assert_allclose(sky.ra.deg, ra, err_msg=path.name)
        np.testing.assert_allclose(sky.dec.deg, dec, err_msg=path.name)
