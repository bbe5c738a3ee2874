"""Makes the sample galaxies, a spiral and an early type: their images as observatories would
deliver them, and their truth.

    python sample_data/make_sample_galaxies.py [--out FOLDER] [--galaxy spiral|early-type]

Both are mock galaxies (docs/mocks.md), rendered once on fine pixels in every band's own PSF, behind
the Milky Way's dust and stars and before other galaxies. Each band is then taken to its survey's
pixels, turned as they lie, set on its sky and given its survey's noise; headers say what that
survey's headers say. Random numbers come from seeds: the files are the same each time.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tomli_w
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from scipy.ndimage import gaussian_filter, map_coordinates

from napari_galaxy_maps.bands.registry import BANDS, MODEL_BANDS
from napari_galaxy_maps.constants import SR_PER_ARCSEC2, ZERO_AB_JY
from napari_galaxy_maps.data.flags import Flag
from napari_galaxy_maps.data.maps import PropertyMaps
from napari_galaxy_maps.data.recipe import GalaxySettings
from napari_galaxy_maps.fits_io.galaxies import d25_ellipse
from napari_galaxy_maps.fits_io.map_files import write_maps
from napari_galaxy_maps.measure.compare.averaging import averaged
from napari_galaxy_maps.mocks.mock import Mock, make_mock
from napari_galaxy_maps.mocks.population import draw_galaxy
from napari_galaxy_maps.mocks.surroundings import leftover_sky
from napari_galaxy_maps.mocks.surveys import sigma
from napari_galaxy_maps.mocks.view import View
from napari_galaxy_maps.mocks.writing import d25, star_table, truth_maps

HERE = Path(__file__).resolve().parent
FWHM_SIGMA = 1 / np.sqrt(8 * np.log(2))
FINE_PIXEL = 0.6
"""Arcsec: under half of the sharpest PSF."""
TRUTH_BINNING = 7
"""Fine pixels along a pixel of the truth, which so has three of them in its PSF of 12 arcsec."""
CATALOGUE = "gaia.ecsv"


@dataclass(frozen=True)
class Sample:
    """A sample galaxy and its place on the detectors.

    `field_seed` is that of what stands around it, `fine` the number of fine pixels along a side,
    `field` the side in arcmin of the ultraviolet to mid-infrared images, `angles` the position
    angle of each survey's second axis, `offset` the place of the galaxy on 2MASS's images relative
    to their centre in arcsec. The redshifts differ from those of the Hubble flow by the galaxies'
    own motion of some 60 km/s.
    """

    key: str
    name: str
    kind: str
    seed: int
    field_seed: int
    log_mass: float
    inclination: float
    distance_mpc: float
    redshift: float
    ebv: float
    fine: int
    field: float
    angles: dict[str, float]
    offset: tuple[float, float]
    without: tuple[str, ...] = ()

    @property
    def bands(self) -> tuple[str, ...]:
        """Its bands in order of wavelength."""
        mine = {exposure.band for exposure in EXPOSURES if exposure.band not in self.without}
        return tuple(band for band in MODEL_BANDS if band in mine)


@dataclass(frozen=True)
class Exposure:
    """How a survey delivers one band.

    `pixel` in arcsec, `sky` in the file's unit per pixel; `noise_fwhm` is the length in arcsec over
    which the noise is correlated, `exposure` the time in s over which photons are counted, `wider`
    the side of the image in units of the galaxy's field.
    """

    band: str
    filename: str
    unit: str
    pixel: float
    sky: float = 0.0
    zero_point: float = 0.0
    noise_fwhm: float = 0.0
    exposure: float = 0.0
    wider: float = 1.0
    uncertainty: str = ""


SAMPLES = (
    Sample(
        "spiral", "Mock spiral", "spiral", 1, 4, 10.4, 40.0, 25.0, 0.005879609715396113, 0.035,
        1001, 7.0,
        {"GALEX": 0.0, "SDSS": 97.8, "2MASS": 0.9, "WISE": -2.1, "IRAC": 148.0, "PACS": 37.0,
            "SPIRE": -21.0}, (9.0, -14.0),
    ),
    Sample(
        "early-type", "Mock early type", "lenticular", 5, 5, 10.5, 60.0, 27.0, 0.006353790621086243,
        0.052, 861, 6.0,
        {"GALEX": 0.0, "SDSS": -64.5, "2MASS": -0.4, "WISE": 3.2, "PACS": 112.0, "SPIRE": 14.0},
        (-11.0, 6.0),
        without=("Spitzer_3.6",),
    ),
)  # fmt: skip

# GALEX: deep imaging, 1,600 s. SDSS: frames binned 3 x 3 to 1.19 arcsec to keep the files small.
# 2MASS and WISE: zero points and skies as in the Atlas images of NGC 309; their coadds have
# correlated noise. IRAC, PACS and SPIRE: surveys of nearby galaxies, as the archives' pipelines
# deliver them.
EXPOSURES = (
    Exposure("GALEX_FUV", "{}-fd-int.fits.gz", "counts/s", 1.5, 3.5e-4, exposure=1600.0),
    Exposure("GALEX_NUV", "{}-nd-int.fits.gz", "counts/s", 1.5, 3.2e-3, exposure=1600.0),
    Exposure("SDSS_u", "frame-u-{}.fits.bz2", "nanomaggy", 1.188, 0.004),
    Exposure("SDSS_g", "frame-g-{}.fits.bz2", "nanomaggy", 1.188, 0.002),
    Exposure("SDSS_r", "frame-r-{}.fits.bz2", "nanomaggy", 1.188, 0.003),
    Exposure("SDSS_i", "frame-i-{}.fits.bz2", "nanomaggy", 1.188, 0.006),
    Exposure("SDSS_z", "frame-z-{}.fits.bz2", "nanomaggy", 1.188, -0.02),
    Exposure("2MASS_J", "aJ_asky_{}.fits.gz", "DN", 1.0, 73.15, 21.0034, 2.0),
    Exposure("2MASS_H", "aH_asky_{}.fits.gz", "DN", 1.0, 278.1, 20.4978, 2.0),
    Exposure("2MASS_Ks", "aK_asky_{}.fits.gz", "DN", 1.0, 406.6, 19.9801, 2.0),
    Exposure("WISE_3.4", "{}_ac51-w1-int-3.fits.gz", "DN", 1.375, 3.84, 20.5, 4.3, wider=1.1,
             uncertainty="{}_ac51-w1-unc-3.fits.gz"),
    Exposure("WISE_4.6", "{}_ac51-w2-int-3.fits.gz", "DN", 1.375, 10.58, 19.5, 4.5, wider=1.1,
             uncertainty="{}_ac51-w2-unc-3.fits.gz"),
    Exposure("WISE_12", "{}_ac51-w3-int-3.fits.gz", "DN", 1.375, 1520.0, 18.0, 4.6, wider=1.1,
             uncertainty="{}_ac51-w3-unc-3.fits.gz"),
    Exposure("WISE_22", "{}_ac51-w4-int-3.fits.gz", "DN", 1.375, 244.0, 13.0, 8.4, wider=1.1,
             uncertainty="{}_ac51-w4-unc-3.fits.gz"),
    Exposure("Spitzer_3.6", "{}.phot.1.fits.fz", "MJy/sr", 0.9, 0.09, noise_fwhm=1.5),
    Exposure("PACS_70", "hpacs_{}_hppjsmapb.fits.gz", "Jy/pixel", 2.0, 2e-5, noise_fwhm=4.0),
    Exposure("PACS_100", "hpacs_{}_hppjsmapg.fits.gz", "Jy/pixel", 2.0, -1e-5, noise_fwhm=4.0),
    Exposure("PACS_160", "hpacs_{}_hppjsmapr.fits.gz", "Jy/pixel", 3.0, 4e-5, noise_fwhm=6.0),
    Exposure("SPIRE_250", "hspirepsw_{}_pxmp.fits.gz", "MJy/sr", 6.0, 0.6, wider=1.25),
    Exposure("SPIRE_350", "hspirepmw_{}_pxmp.fits.gz", "MJy/sr", 10.0, 0.4, wider=1.25),
    Exposure("SPIRE_500", "hspireplw_{}_pxmp.fits.gz", "MJy/sr", 14.0, 0.2, wider=1.25),
)  # fmt: skip


# --- What the galaxy is ---------------------------------------------------------------------------


def sky_of(sample: Sample) -> Mock:
    """The galaxy as it stands in the sky, on fine pixels: every band in its PSF, without noise or
    sky.
    """
    view = View(
        size=sample.fine, pixel_arcsec=FINE_PIXEL, bands=sample.bands,
        distance_mpc=sample.distance_mpc,
        redshift=sample.redshift, noise=0.0, ebv=sample.ebv, stars=0.8, neighbours=0.2,
    )  # fmt: skip
    return make_mock(
        sample.field_seed,
        view,
        draw_galaxy(sample.seed, sample.kind, sample.log_mass, sample.inclination),
    )


def known_of(sample: Sample, mock: Mock) -> dict[str, str | float]:
    """What a table of galaxies would say of it."""
    diameter, ratio = d25(mock)
    ra, dec = mock.position
    return {
        "name": sample.name, "ra": round(ra, 6), "dec": round(dec, 6),
        "distance": sample.distance_mpc, "d25": round(diameter, 2),
        "axis_ratio": round(ratio, 3), "position_angle": round(mock.galaxy.position_angle, 1),
    }  # fmt: skip


def truth_of(sample: Sample, mock: Mock) -> PropertyMaps:
    """The true maps on `TRUTH_BINNING` times larger pixels, as far as the ellipse and a quarter
    beyond it.
    """
    ellipse = d25_ellipse(GalaxySettings.model_validate(known_of(sample, mock)))
    fine = truth_maps(mock)
    half = (
        int(np.ceil(1.25 * ellipse.a / FINE_PIXEL / TRUTH_BINNING)) * TRUTH_BINNING
        + TRUTH_BINNING // 2
    )
    part = slice(sample.fine // 2 - half, sample.fine // 2 + half + 1)

    n = (2 * half + 1) // TRUTH_BINNING

    def mean(planes: np.ndarray) -> np.ndarray:
        blocks = planes[:, part, part].reshape(-1, n, TRUTH_BINNING, n, TRUTH_BINNING)
        return blocks.mean(axis=(2, 4))

    values = averaged(fine, mean)[0].values
    wcs = mock.wcs[part, part][::TRUTH_BINNING, ::TRUTH_BINNING]
    shape = next(iter(values.values())).shape
    outside = ellipse.radius(wcs, shape) > 1
    recipe = {**fine.provenance, "object": sample.name, "model": "truth of a mock galaxy"}
    return PropertyMaps(
        values, {}, wcs, np.where(outside, int(Flag.OUTSIDE), 0).astype(np.int16), recipe
    )


def recipe_of(sample: Sample, mock: Mock) -> str:
    """What there is to know about the galaxy beyond its images, in TOML."""
    recipe = {
        "galaxy": known_of(sample, mock),
        "reddening": {"ebv": sample.ebv},
        "stars": {"catalogue": CATALOGUE},
    }
    return tomli_w.dumps(recipe)


# --- How it is seen -------------------------------------------------------------------------------


def seen(mock: Mock, band: str, wcs: WCS, shape: tuple[int, int], pixel: float) -> np.ndarray:
    """A band on a survey's pixels, each the mean of what falls on it, MJy/sr."""
    times = int(np.ceil(pixel / FINE_PIXEL)) + 1
    sub = (np.arange(times) + 0.5) / times - 0.5
    x, y = np.meshgrid(
        (np.arange(shape[1])[:, None] + sub).ravel(), (np.arange(shape[0])[:, None] + sub).ravel()
    )
    at = mock.wcs.world_to_pixel_values(*wcs.pixel_to_world_values(x, y))
    # float64: the spline's ringing beside bright stars would show in float32's rounding
    plane = mock.data[mock.view.bands.index(band)].astype(float)
    found = map_coordinates(plane, at[::-1], order=3, mode="nearest")
    return np.asarray(found.reshape(shape[0], times, shape[1], times).mean(axis=(1, 3)))


def unit_per_mjy_sr(exposure: Exposure) -> float:
    """What one MJy/sr is in the unit of the file, per pixel."""
    band = BANDS[exposure.band]
    jy = 1e6 * exposure.pixel**2 * SR_PER_ARCSEC2  # of a pixel at 1 MJy/sr
    if exposure.unit == "MJy/sr":
        return 1.0
    if exposure.unit == "Jy/pixel":
        return jy
    if exposure.unit == "nanomaggy":
        return jy / (ZERO_AB_JY * 1e-9)
    if exposure.unit == "counts/s":
        return jy / band.count_rate_jy
    return jy / (band.zero_point_jy * 10 ** (-0.4 * exposure.zero_point))


def correlated_noise(
    rng: np.random.Generator, shape: tuple[int, int], fwhm_pixels: float
) -> np.ndarray:
    """Gaussian noise of rms 1, correlated over `fwhm_pixels`."""
    noise = rng.standard_normal(shape)
    if fwhm_pixels > 0:
        noise = gaussian_filter(noise, fwhm_pixels * FWHM_SIGMA, mode="wrap")
        noise /= noise.std()
    return noise


def step_of(noise: float) -> float:
    """A power of two near a third of the noise: values rounded to it compress well."""
    return float(2.0 ** np.floor(np.log2(noise / 2.8)))


def observe(
    sample: Sample, exposure: Exposure, mock: Mock
) -> Iterator[tuple[str, list[fits.hdu.base._BaseHDU]]]:
    """File names and contents of one band: the image, and its uncertainty where the survey delivers
    one in a file of its own.
    """
    rng = np.random.default_rng([sample.seed, len(sample.key), MODEL_BANDS.index(exposure.band)])
    band, unit = BANDS[exposure.band], unit_per_mjy_sr(exposure)
    header = header_of(sample, exposure, mock)
    shape = (header["NAXIS2"], header["NAXIS1"])
    light = seen(mock, exposure.band, WCS(header), shape, exposure.pixel)
    noise = sigma(exposure.band, light, exposure.pixel).astype(float) * unit
    empty = float(noise.min())
    if exposure.exposure:
        rate = np.maximum(light * unit + exposure.sky, 0)
        data = rng.poisson(rate * exposure.exposure) / exposure.exposure
        step = 0.0
    else:
        step = step_of(empty)
        field = light * unit + noise * correlated_noise(
            rng, shape, exposure.noise_fwhm / exposure.pixel
        )
        slope = 0.05 * empty * leftover_sky(rng, (1, *shape))[0]
        data = np.round((field + exposure.sky + slope) / step) * step
    name = exposure.filename.format(sample.key)
    data = data.astype(np.float32)
    error = (np.round(noise / step * 8) * step / 8).astype(np.float32) if step else None
    if band.survey in ("PACS", "SPIRE"):
        yield name, _herschel(data, error, header, band.survey)
        return
    hdu = fits.PrimaryHDU(data, header)
    if band.survey == "2MASS":
        hdu.scale("int16", bscale=step, bzero=np.round(exposure.sky / step) * step)
    yield name, [hdu]
    if exposure.uncertainty:
        header = header.copy()
        header["FILETYPE"] = ("1-sigma uncertainty image", "product description")
        # 2 % of the signal for what the coadd does not know of its pixels' response.
        whole = np.hypot(error, 0.02 * light * unit)
        whole = np.round(whole / step * 8) * step / 8
        yield (
            exposure.uncertainty.format(sample.key),
            [fits.PrimaryHDU(whole.astype(np.float32), header)],
        )


def _herschel(
    data: np.ndarray, error: np.ndarray, header: fits.Header, survey: str
) -> list[fits.hdu.base._BaseHDU]:
    """What the archive sends: a primary header that says what it is of, and the image, its coverage
    and its error beside it.
    """
    primary = fits.Header()
    image = header.copy()
    for key in ("OBJECT", "TELESCOP", "INSTRUME", "DETECTOR", "WAVELNTH"):
        if key in image:
            primary[key] = image[key], image.comments[key]
            del image[key]
    extensions = [fits.ImageHDU(data, image, name="image")]
    extensions.append(fits.ImageHDU(error, image, name="stDev" if survey == "PACS" else "error"))
    coverage = image.copy()
    coverage["QTTY____"] = "s" if survey == "PACS" else "1"
    extensions.append(fits.ImageHDU(np.full(data.shape, 40, np.float32), coverage, name="coverage"))
    return [fits.PrimaryHDU(header=primary), *extensions]


def header_of(sample: Sample, exposure: Exposure, mock: Mock) -> fits.Header:
    """The header as the survey writes it, with the image's size."""
    band = BANDS[exposure.band]
    header = fits.Header()
    nx = ny = round(sample.field * exposure.wider * 60 / exposure.pixel)
    if band.survey == "IRAC":
        ny = round(0.9 * nx)
    header["NAXIS"], header["NAXIS1"], header["NAXIS2"] = 2, nx, ny
    header["OBJECT"] = (sample.name, "a mock galaxy: see sample_data/README.md")
    east, north = sample.offset if band.survey == "2MASS" else (0.0, 0.0)
    position = SkyCoord(*mock.position, unit="deg")
    centre = position.spherical_offsets_by(-east * u.arcsec, -north * u.arcsec)
    projection = "SIN" if band.survey in ("2MASS", "WISE") else "TAN"
    header["CTYPE1"], header["CTYPE2"] = f"RA---{projection}", f"DEC--{projection}"
    header["CRVAL1"], header["CRVAL2"] = round(centre.ra.deg, 8), round(centre.dec.deg, 8)
    header["CRPIX1"], header["CRPIX2"] = (nx + 1) / 2, (ny + 1) / 2
    scale, angle = exposure.pixel / 3600, sample.angles[band.survey]
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    if band.survey == "SDSS":
        header["CD1_1"], header["CD1_2"] = -scale * cos, -scale * sin
        header["CD2_1"], header["CD2_2"] = -scale * sin, scale * cos
    else:
        header["CDELT1"], header["CDELT2"] = -scale, scale
        if band.survey == "IRAC":
            header["PC1_1"], header["PC1_2"], header["PC2_1"], header["PC2_2"] = cos, -sin, sin, cos
        else:
            header["CROTA2"] = angle
    header["RADESYS"], header["EQUINOX"] = "ICRS", 2000.0
    _write_keywords(header, exposure)
    return header


def _write_keywords(header: fits.Header, exposure: Exposure) -> None:
    """The keywords by which a survey names its band, unit and zero point."""
    band = BANDS[exposure.band]
    if band.survey == "GALEX":
        number = 2 if exposure.band.endswith("FUV") else 1
        header["TELESCOP"], header["BAND"] = "GALEX", (number, "1- nuv, 2- fuv")
        header["BUNIT"], header["EXPTIME"] = "counts/s", exposure.exposure
    elif band.survey == "SDSS":
        header["ORIGIN"], header["TELESCOP"], header["FILTER"] = "SDSS", "2.5m", exposure.band[-1]
        header["BUNIT"] = ("nanomaggy", "1 nanomaggy = 3.631e-6 Jy")
        header["COLBIN"] = header["ROWBIN"] = 3
    elif band.survey == "2MASS":
        header["ORIGIN"], header["FILTER"] = "2MASS", exposure.band[6].lower()
        header["SKYVAL"] = exposure.sky
        header["MAGZP"] = (exposure.zero_point, "Calibrated zero point")
    elif band.survey == "WISE":
        header["ORIGIN"], header["TELESCOP"] = "WISE Science Data Center, IPAC, Caltech", "WISE"
        header["FILETYPE"] = ("intensity image", "product description")
        header["BAND"] = (int(exposure.filename.split("-w")[1][0]), "wavelength band number")
        header["WAVELEN"] = (band.pivot, "[microns] effective wavelength of band")
        header["BUNIT"] = "DN"
        header["MAGZP"] = (exposure.zero_point, "[mag] relative photometric zero point")
    elif band.survey == "IRAC":
        header["TELESCOP"], header["INSTRUME"], header["CHNLNUM"] = "Spitzer", "IRAC", 1
        header["BUNIT"] = "MJy/sr"
    else:
        header["TELESCOP"] = "Herschel Space Observatory"
        header["INSTRUME"] = (band.survey, "Instrument attached to this product")
        wavelength = float(exposure.band.split("_")[1])
        if band.survey == "SPIRE":
            header["DETECTOR"] = {250.0: "PSW", 350.0: "PMW", 500.0: "PLW"}[wavelength]
        header["WAVELNTH"] = (wavelength, "[micrometer] Prime wavelength of instrument")
        header["QTTY____"] = (exposure.unit, "Unit of the data")


def write(hdus: list[fits.hdu.base._BaseHDU], path: Path) -> None:
    """Write a file, packed as its ending says, byte for byte the same each time."""
    buffer = io.BytesIO()
    if path.suffix == ".fz":
        packed = fits.CompImageHDU(
            hdus[0].data, hdus[0].header, compression_type="GZIP_2", quantize_level=0.0
        )
        fits.HDUList([fits.PrimaryHDU(), packed]).writeto(buffer)
        path.write_bytes(buffer.getvalue())
        return
    fits.HDUList(hdus).writeto(buffer)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(buffer.getvalue(), 9, mtime=0))
    else:
        path.write_bytes(bz2.compress(buffer.getvalue(), 9))


def make(
    sample: Sample, out: Path, mock: Mock | None = None, bands: tuple[str, ...] | None = None
) -> None:
    """Write images, truth, stars and recipe to folder `out`; of the images only `bands` where they
    are named.
    """
    out.mkdir(parents=True, exist_ok=True)
    mock = mock or sky_of(sample)
    for exposure in EXPOSURES:
        if exposure.band in (bands or sample.bands) and exposure.band in sample.bands:
            for name, hdus in observe(sample, exposure, mock):
                write(hdus, out / name)
    write_maps(out / "truth.fits", truth_of(sample, mock), overwrite=True)
    star_table(mock).write(out / CATALOGUE, format="ascii.ecsv", overwrite=True)
    (out / "galaxy.toml").write_text(recipe_of(sample, mock), encoding="utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=HERE, help="folder in which each galaxy gets its own"
    )
    parser.add_argument(
        "--galaxy", choices=[sample.key for sample in SAMPLES], help="only this one"
    )
    arguments = parser.parse_args()
    for sample in SAMPLES:
        if arguments.galaxy in (None, sample.key):
            folder = arguments.out / sample.key
            make(sample, folder)
            size = sum(path.stat().st_size for path in folder.iterdir())
            print(f"{len(list(folder.iterdir()))} files, {size / 1e6:.1f} MB, in {folder}")


if __name__ == "__main__":
    main()
