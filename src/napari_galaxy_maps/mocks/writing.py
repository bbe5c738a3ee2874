"""A mock galaxy as files: an image for each band as FITS, its true maps, its stars, and a recipe
that tells what is known of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bands.registry import BANDS, INPUT_BANDS, MODEL_BANDS, get_band
from ..data.maps import PropertyMaps
from ..fits_io.map_files import write_maps
from ..fits_io.safe_writing import check_output, folder_written_whole
from ..progress import Progress, Steps
from .dustless import attenuation_truth_steps
from .isophote import axis_ratio, ellipse_radii, isophotal_radius
from .mock import Mock, make_mock_steps
from .population import MockGalaxy, draw_galaxy
from .view import UGRIZ, View

if TYPE_CHECKING:
    from astropy.wcs import WCS

BAND_SETS: dict[str, tuple[str, ...]] = {"all": MODEL_BANDS, "input": INPUT_BANDS, "ugriz": UGRIZ}
"""Names for sets of bands."""


def bands_of(text: str) -> tuple[str, ...]:
    """The bands of a set, or those named with commas between them, in order of wavelength.

    Raises
    ------
    InputError
        When there is no such band.
    """
    if text in BAND_SETS:
        return BAND_SETS[text]
    names = {get_band(name).name for name in text.split(",")}
    return tuple(band for band in BANDS if band in names)


def view_for(bands: str, size: int, pixel_arcsec: float | None = None, **options: Any) -> View:
    """A view of the bands that `bands_of` understands, with pixels that suit their PSFs.

    Without a pixel: SDSS's own where all bands come from the ground, else 2 arcsec, about a third
    of WISE's PSF. True maps have the widest PSF of the bands up to 22 micron.
    """
    names = bands_of(bands)
    if pixel_arcsec is None:
        pixel_arcsec = 0.396 if set(names) <= set(UGRIZ) else 2.0
    return View(size=size, pixel_arcsec=pixel_arcsec, bands=names, **options)


def d25(mock: Mock) -> tuple[float, float]:
    """Diameter in arcmin and axis ratio b/a of the ellipse where the brightness in g (or the bluest
    optical band) falls to 25 mag/arcsec2.

    The ellipse has the galaxy's position angle, and the axis ratio of its disc or spheroid.
    """
    galaxy, view = mock.galaxy, mock.view
    place = next(
        (view.bands.index(b) for b in ("SDSS_g", "SDSS_r", *view.bands) if b in view.bands), 0
    )
    radii = ellipse_radii(galaxy, view.size)
    semi_major = isophotal_radius(mock.model[place], radii, 4.0) * view.pixel_arcsec
    return 2 * semi_major / 60, axis_ratio(galaxy)


def truth_maps(mock: Mock, attenuation: Mapping[str, np.ndarray] | None = None) -> PropertyMaps:
    """The true maps as the program holds maps; `attenuation` is of
    `dustless.attenuation_truth_steps`.
    """
    provenance = {
        "object": name_of(mock), "model": "truth of a mock galaxy", "imf": "Chabrier",
        "fwhm": mock.view.fwhm_of_truth,
        "seed": mock.galaxy.seed, "distance_mpc": mock.view.distance_mpc, "redshift": mock.redshift,
        "mock": {key: str(value) for key, value in mock.galaxy.as_dict().items()},
    }  # fmt: skip
    flags = np.zeros((mock.view.size,) * 2, np.int16)
    return PropertyMaps({**mock.truth, **(attenuation or {})}, {}, mock.wcs, flags, provenance)


def name_of(mock: Mock) -> str:
    """What the mock is called."""
    return f"Mock {mock.galaxy.seed}"


def _binned(mock: Mock, index: int) -> tuple[np.ndarray, np.ndarray, WCS]:
    """Image, error and coordinates of a band on pixels of up to a third of its FWHM, whole numbers
    of the mock's.
    """
    view = mock.view
    factor = max(1, int(view.fwhm_of(view.bands[index]) / 3 / view.pixel_arcsec))
    factor = min(factor, max(1, view.size // 8))
    n = view.size // factor
    cut = n * factor

    def mean(plane: np.ndarray) -> np.ndarray:
        return plane[:cut, :cut].reshape(n, factor, n, factor).mean(axis=(1, 3))

    data = mean(mock.data[index])
    error = np.sqrt(mean(mock.uncertainty[index].astype(float) ** 2)) / factor
    wcs = mock.wcs.deepcopy()
    wcs.wcs.crpix = (wcs.wcs.crpix - 0.5) / factor + 0.5
    wcs.wcs.cdelt = wcs.wcs.cdelt * factor
    wcs.wcs.set()
    return data.astype(np.float32), error.astype(np.float32), wcs


def write_mock_steps(mock: Mock, folder: Path, overwrite: bool = False) -> Steps[list[Path]]:
    """Write a mock galaxy, all of its files or none, yielding after every file.

    Parameters
    ----------
    mock : Mock
    folder : Path
        Made where it is not there. An image `BAND.fits` for each band in MJy/sr with its 1-sigma
        error in the extension ERROR, truth.fits, recipe.toml, and stars.ecsv where there are stars.
    overwrite : bool
        Whether files that are there may be replaced.

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        When a file is there already or cannot be written.
    """
    names = _file_names(mock.view, bool(mock.stars))
    _check_names(folder, names, overwrite)
    dimmed = yield from attenuation_truth_steps(mock)
    with folder_written_whole(folder, overwrite) as stage:
        for index, band in enumerate(mock.view.bands):
            _write_band(stage / f"{band}.fits", mock, index)
            yield Progress("mock", index + 1, len(names), band)
        write_maps(stage / "truth.fits", truth_maps(mock, dimmed))
        (stage / "recipe.toml").write_text(_recipe(mock), encoding="utf-8")
        if mock.stars:
            star_table(mock).write(stage / "stars.ecsv", format="ascii.ecsv")
    yield Progress("mock", len(names), len(names), "truth.fits")
    return [folder / name for name in names]


def _file_names(view: View, stars: bool) -> list[str]:
    images = [f"{band}.fits" for band in view.bands]
    return [*images, "truth.fits", "recipe.toml", *(["stars.ecsv"] if stars else [])]


def _check_names(folder: Path, names: Sequence[str], overwrite: bool) -> None:
    """Refuse a folder in which one of the files is there already."""
    for name in names:
        check_output(folder / name, overwrite)


def _write_band(path: Path, mock: Mock, index: int) -> None:
    """The image of a band and its error."""
    from astropy.io import fits

    band = mock.view.bands[index]
    data, error, wcs = _binned(mock, index)
    header = wcs.to_header()
    header["BUNIT"] = "MJy/sr"
    header["FILTER"], header["TELESCOP"] = band, get_band(band).survey
    header["OBJECT"] = name_of(mock)
    header["BMAJ"] = header["BMIN"] = mock.view.fwhm_of(band) / 3600
    header["SEED"] = (mock.galaxy.seed, "of the mock galaxy")
    fits.HDUList(
        [fits.PrimaryHDU(data, header), fits.ImageHDU(error, header, name="ERROR")]
    ).writeto(path)


def _recipe(mock: Mock) -> str:
    import tomli_w

    diameter, ratio = d25(mock)
    ra, dec = mock.position
    galaxy = {
        "name": name_of(mock), "ra": ra, "dec": dec, "d25": diameter, "axis_ratio": ratio,
        "position_angle": float(mock.galaxy.position_angle),
    }  # fmt: skip
    told = {"distance": mock.view.distance_mpc, "redshift": mock.view.redshift}
    galaxy |= {key: float(value) for key, value in told.items() if value is not None}
    recipe: dict[str, Any] = {"galaxy": galaxy, "reddening": {"ebv": mock.view.ebv}}
    if mock.stars:
        recipe["stars"] = {"catalogue": "stars.ecsv"}
    return tomli_w.dumps(recipe)


def star_table(mock: Mock) -> Any:
    """The Milky Way's stars with Gaia's columns; they move by some 40 km/s in each direction."""
    from astropy import units as u
    from astropy.table import QTable

    x, y = (np.array([star[axis] for star in mock.stars]) for axis in "xy")
    sky = mock.wcs.pixel_to_world(x, y).icrs
    magnitude = np.array([star["magnitude"] for star in mock.stars])
    # Errors as in Gaia DR3: 0.03 mas down to G = 15, 0.5 mas at 20 (Lindegren+ 2021).
    error = 0.03 + 0.5 * 10 ** (0.24 * (np.maximum(magnitude, 15) - 20)) - 0.03
    rng = np.random.default_rng([mock.galaxy.seed, 0x6A1A])
    parallax = np.array([star["parallax"] for star in mock.stars])
    table = QTable()
    table["source_id"] = np.arange(1, len(mock.stars) + 1)
    table["ra"], table["dec"] = sky.ra.to(u.deg), sky.dec.to(u.deg)
    table["ref_epoch"] = np.full(len(x), 2016.0)
    table["parallax"] = (parallax + error * rng.standard_normal(len(x))) * u.mas
    table["parallax_error"] = error * u.mas
    for name in ("pmra", "pmdec"):  # in DR3 their errors are those of parallaxes, in mas/yr
        motion = parallax * 40 / 4.74047 * rng.standard_normal(len(x))
        table[name] = (motion + error * rng.standard_normal(len(x))) * u.mas / u.yr
        table[f"{name}_error"] = error * u.mas / u.yr
    table["phot_g_mean_mag"] = magnitude * u.mag
    return table


def mock_steps(
    seed: int, view: View, folder: Path, kind: str | None = None, log_mass: float | None = None,
    inclination: float | None = None, overwrite: bool = False,
) -> Steps[tuple[Mock, list[Path]]]:  # fmt: skip
    """Make a mock galaxy and write it; what `galaxy-maps mock` does.

    Raises
    ------
    InputError
        When the wishes make no sense, or a file is there already or cannot be written.
    """
    _check_names(folder, _file_names(view, view.stars > 0), overwrite)
    galaxy: MockGalaxy = draw_galaxy(seed, kind, log_mass, inclination)
    yield Progress(
        "mock", 0, len(view.bands) + 2, f"a {galaxy.kind} galaxy of 10^{galaxy.log_mass:.2f} Msun"
    )
    mock = yield from make_mock_steps(seed, view, galaxy)
    written = yield from write_mock_steps(mock, folder, overwrite)
    return mock, written
