"""No word of astropy's reaches a terminal while files are read, in any thread, and others' do; and
damaged header cards stop nobody.

Of `fits_io.quiet`, `fits_io.sky_coordinates` and `fits_io.open_fits`.
"""

import json
import logging
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest
from astropy import log
from astropy.io import fits
from astropy.wcs import WCS

from napari_galaxy_maps.exceptions import InputError
from napari_galaxy_maps.fits_io.band_images import read_band_image
from napari_galaxy_maps.fits_io.image_files import find_images
from napari_galaxy_maps.fits_io.quiet import is_quiet, quiet
from napari_galaxy_maps.fits_io.sky_coordinates import coordinates, left_over_sip
from tests.conftest import tan_wcs, write_image

DATA = np.random.default_rng(0).normal(5, 1, (40, 50)).astype("f4")


def with_sip(folder, named=False):
    header = tan_wcs(DATA.shape, 1.22).to_header()
    for key, value in {"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 0.01, "B_0_2": 0.01}.items():
        header[key] = value
    if named:
        header["CTYPE1"], header["CTYPE2"] = "RA---TAN-SIP", "DEC--TAN-SIP"
    header["BUNIT"] = "MJy/sr"
    path = folder / f"gal_IRAC1_{named}.fits"
    fits.PrimaryHDU(DATA, header).writeto(path)
    return path


@pytest.fixture
def records(monkeypatch):
    """What astropy's logger passes on, whatever other tests' libraries made of loggers."""
    kept = []
    monkeypatch.setattr(log, "disabled", False)
    monkeypatch.setattr(log, "level", logging.INFO)
    log.manager._clear_cache()
    monkeypatch.setattr(log.manager, "disable", logging.NOTSET)

    class Keep(logging.Handler):
        def emit(self, record):
            kept.append(record.getMessage())

    handler = Keep()
    log.addHandler(handler)
    yield kept
    log.removeHandler(handler)


def test_warnings_and_records_inside_are_dropped_and_outside_are_not(records):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with quiet():
            with quiet():
                log.warning("one")
            warnings.warn("two", UserWarning, stacklevel=1)
            assert is_quiet()
        warnings.warn("three", UserWarning, stacklevel=1)
        log.warning("four")
    assert not is_quiet()
    assert [str(w.message) for w in caught] == ["three"] and records == ["four"]


def test_an_error_inside_ends_the_quiet():
    with pytest.raises(KeyError), quiet():
        raise KeyError
    assert not is_quiet()


def test_warnings_that_are_made_errors_are_dropped_inside():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with quiet():
            warnings.warn("no error", UserWarning, stacklevel=1)
        with pytest.raises(UserWarning):
            warnings.warn("an error", UserWarning, stacklevel=1)


def test_another_thread_is_heard_while_this_one_is_quiet(records):
    inside, done = threading.Event(), threading.Event()

    def read():
        with quiet():
            inside.set()
            done.wait(10)
            log.warning("from the quiet thread")
            warnings.warn("from the quiet thread", UserWarning, stacklevel=1)

    thread = threading.Thread(target=read)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thread.start()
        assert inside.wait(10)
        log.warning("from this thread")
        warnings.warn("from this thread", UserWarning, stacklevel=1)
        done.set()
        thread.join()
    assert records == ["from this thread"]
    assert [str(w.message) for w in caught] == ["from this thread"]


def test_the_filter_stands_once_however_often_it_is_used():
    for _ in range(3):
        with quiet(), warnings.catch_warnings(), quiet():
            pass
    assert sum("_InThisThread" in repr(entry[1]) for entry in warnings.filters) == 1
    assert sum("_DropInThisThread" in repr(entry) for entry in log.filters) == 1


def test_a_header_that_astropy_talks_of_is_read_without_a_word_on_any_stream(tmp_path):
    """In a process of its own, in which nothing has loaded astropy before."""
    path = with_sip(tmp_path)
    code = (
        "import sys, json\n"
        "from napari_galaxy_maps.fits_io.image_files import find_images\n"
        "from napari_galaxy_maps.fits_io.band_images import read_band_image\n"
        "image = read_band_image(find_images(sys.argv[1:])[0])\n"
        "print(json.dumps(image.notes))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code, str(path)], capture_output=True, text=True
    )
    assert done.returncode == 0 and "astropy" not in done.stderr.lower()
    assert "SIP distortion terms" in json.loads(done.stdout)[-1]


def test_left_over_sip_terms_are_told_with_how_far_they_move(tmp_path):
    image = read_band_image(find_images([with_sip(tmp_path)])[0])
    with quiet():
        bent = WCS(image.header).pixel_to_world(0, 0)
        straight = tan_wcs(DATA.shape, 1.22).pixel_to_world(0, 0)
    # CRPIX is 25.5, 20.5: u = -24.5, v = -19.5; A u^2 = 6.0 and B v^2 = 3.8 pixels of 1.22 arcsec
    moved = bent.separation(straight).arcsec
    assert moved == pytest.approx(1.22 * np.hypot(0.01 * 24.5**2, 0.01 * 19.5**2), rel=0.01)
    assert f"they are used, and move corners by up to {moved:.2g} arcsec" in image.notes[-1]
    assert image.wcs.pixel_to_world(0, 0).separation(bent).arcsec < 1e-6


def test_sip_that_ctype_names_and_none_are_not_told(tmp_path):
    named = find_images([with_sip(tmp_path, named=True)])[0]
    assert named.wcs.sip is not None and left_over_sip(named.wcs, named.shape) == ()
    assert left_over_sip(tan_wcs(DATA.shape, 1.0), DATA.shape) == ()


# --- damaged cards --------------------------------------------------------------------------------

DAMAGE = {
    "blank": lambda card: card[:10],
    "text": lambda card: card[:10] + b"'N/A     '",
    "number": lambda card: card[:10] + b"                  5.",
    "garbage": lambda card: card[:10] + b"1.2.3 x ''' $",
    "nan": lambda card: card[:10] + b"                 NaN",
    "bytes": lambda card: card[:10] + b"'\xe4\xff\xf6\x80     '",
    "no value": lambda card: card[:8] + b"  " + card[10:],
    "huge": lambda card: card[:10] + b"              1E+400",
    "negative": lambda card: card[:10] + b"                  -7",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A file of two extensions with many cards, as bytes."""
    header = tan_wcs(DATA.shape, 6.0).to_header()
    cards = {
        "BUNIT": "MJy/sr", "INSTRUME": "SPIRE", "DETECTOR": "PSW", "OBJECT": "NGC 1",
        "BSCALE": 1.0, "BZERO": 0.0, "EXTNAME": "image", "MAGZP": 20.0, "EXPTIME": 3.0,
        "UTYPE": "x", "NODATA": -9.0, "WAVELNTH": 250.0,
    }  # fmt: skip
    header.update(cards)
    path = tmp_path_factory.mktemp("whole") / "a.fits"
    primary = fits.PrimaryHDU(header=fits.Header([("TELESCOP", "Herschel")]))
    fits.HDUList([primary, fits.ImageHDU(DATA, header)]).writeto(path)
    return path.read_bytes()


@pytest.mark.parametrize(
    "damage",
    ["blank", "text", *(pytest.param(d, marks=pytest.mark.slow) for d in list(DAMAGE)[2:])],
)
def test_no_damaged_card_takes_the_neighbour_away(tmp_path, whole, damage):
    wcs = tan_wcs(DATA.shape, 2.0)
    write_image(tmp_path / "good_WISE_3.4.fits", DATA, wcs, BUNIT="MJy/sr")
    tried = 0
    for place in range(0, len(whole) - DATA.nbytes, 80):
        card = whole[place : place + 80]
        if card[8:10] != b"= ":
            continue
        damaged = DAMAGE[damage](card).ljust(80)[:80]
        path = tmp_path / "bad.fits"
        path.write_bytes(whole[:place] + damaged + whole[place + 80 :])
        skipped = []
        tried += 1
        found = {image.path.name: image for image in find_images([tmp_path], skipped)}
        assert "good_WISE_3.4.fits" in found, card
        assert all("\n" not in text and "bad.fits" in text for text in skipped), card
        assert ("bad.fits" in found) or skipped, card
        if "bad.fits" in found and not found["bad.fits"].problems:
            try:
                image = read_band_image(found["bad.fits"])
            except InputError:
                continue
            if damage not in ("number", "negative"):  # which say where else it is
                here = image.wcs.pixel_to_world(24.5, 19.5)
                assert abs(here.ra.deg - 150) < 0.1 and abs(here.dec.deg - 2) < 0.1, card
    assert tried > 30


@pytest.mark.parametrize("key", ["CRVAL1", "CRPIX2", "CDELT1", "CTYPE2"])
def test_the_card_that_leaves_an_image_nowhere_is_named(tmp_path, key):
    header = tan_wcs(DATA.shape, 2.0).to_header()
    header["BUNIT"] = "MJy/sr"
    header[key] = None
    fits.PrimaryHDU(DATA, header).writeto(tmp_path / "a_WISE_3.4.fits")
    with pytest.raises(InputError, match=rf"a_WISE_3\.4\.fits has a header whose {key} is not"):
        find_images([tmp_path / "a_WISE_3.4.fits"])
    assert coordinates(tan_wcs(DATA.shape, 2.0).to_header(), DATA.shape)[1] == ""


def test_coordinates_that_cannot_be_understood_are_not_called_missing(tmp_path):
    header = tan_wcs(DATA.shape, 2.0).to_header()
    header["CUNIT1"] = "furlong"
    wcs, why = coordinates(header, DATA.shape)
    assert wcs is None and "CUNIT1" in why
    assert coordinates(fits.Header(), DATA.shape) == (None, "")


def test_after_reading_scikit_learn_still_fits_side_by_side_and_hears_its_own_warnings():
    """It copies the filters of the process into its threads as text."""
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.utils.parallel import Parallel, delayed

    with quiet():
        pass
    x = np.arange(20.0)[:, None]
    forest = ExtraTreesRegressor(4, n_jobs=2, random_state=0).fit(x, x[:, 0])
    assert forest.predict(x).shape == (20,)
    with pytest.warns(UserWarning, match="heard"):
        Parallel(n_jobs=1)(delayed(warnings.warn)("heard", UserWarning) for _ in range(1))
