"""Makes the sample galaxy: its images in 15 bands as observatories would deliver them, and the truth about its dust and stars.

    python sample_data/make_sample_galaxy.py [--out FOLDER] [--from-tables FOLDER]

The galaxy is invented, its colours are not. A bulge has the band ratios and dust properties that early-type galaxies of
DustPedia have, an exponential disc with two mild spiral arms those of late types; both stand in components.ecsv, which
--from-tables computes again from the DustPedia tables. Luminosities and masses of the two add up in every pixel, and the dust
temperature is weighted by dust mass: that is the truth. Each band is rendered on its own grid, blurred, set on its sky and
given the noise of its survey; headers say what those surveys' headers say. Random numbers come from one seed: the files are
the same each time.
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
from astropy import constants as const
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve
from scipy.special import gamma

from napari_galaxy_maps.bands import BANDS
from napari_galaxy_maps.fits_io import write_maps
from napari_galaxy_maps.galaxy import Ellipse
from napari_galaxy_maps.maps import Flag, PropertyMaps

HERE = Path(__file__).resolve().parent
SEED = 20261120
FWHM_SIGMA = 1 / np.sqrt(8 * np.log(2))
SR_PER_ARCSEC2 = (u.arcsec**2).to(u.sr)

# The galaxy. Flux and size are those of a DustPedia spiral of this diameter (its late types of D25 4' to 6.5' have a median
# WISE 3.4 flux of 0.58 Jy; this one is a little fainter and farther).
NAME = "Sample galaxy"
RA, DEC = 152.2500, 12.8500
DISTANCE_MPC = 20.0
D25_ARCMIN, AXIS_RATIO, POSITION_ANGLE = 5.0, 0.65, 40.0
W1_FLUX_JY = 0.35
BULGE = {"fraction": 0.25, "r_eff": 12.0, "index": 2.0, "axis_ratio": 0.85}
DISC = {"scale": 38.0, "arm_contrast": 0.35, "pitch_deg": 18.0}

TRUTH_PIXEL, TRUTH_FWHM, TRUTH_SIZE = 4.0, 12.0, 121


@dataclass(frozen=True)
class Exposure:
    """How a survey would deliver one band.

    `pixel` and `fwhm` are in arcsec, `sky` and `noise` in the unit of the file per pixel; `noise_fwhm` is the length in arcsec
    over which the noise is correlated, `exposure` the time in s over which photons are counted, `angle` the position angle of
    the pixel grid's second axis, `offset` the place of the galaxy relative to the centre of the image in arcsec.
    """

    band: str
    filename: str
    unit: str
    pixel: float
    size: tuple[int, int]
    angle: float
    sky: float
    noise: float = 0.0
    zero_point: float = 0.0
    noise_fwhm: float = 0.0
    exposure: float = 0.0
    offset: tuple[float, float] = (0.0, 0.0)
    moffat: bool = False
    uncertainty: str = ""


# GALEX: deep imaging, 1,600 s. SDSS: frames binned 3 x 3 to 1.19 arcsec to keep the files small, noise and sky of a dark
# night. 2MASS and WISE: zero points, skies and noise as in the Atlas images of NGC 309; WISE coadds have correlated noise.
# IRAC: the depth of a nearby-galaxy survey.
EXPOSURES = (
    Exposure("GALEX_FUV", "sample-fd-int.fits.gz", "counts/s", 1.5, (361, 361), 0.0, 3.5e-4, exposure=1600.0),
    Exposure("GALEX_NUV", "sample-nd-int.fits.gz", "counts/s", 1.5, (361, 361), 0.0, 3.2e-3, exposure=1600.0),
    Exposure("SDSS_u", "frame-u-sample.fits.bz2", "nanomaggy", 1.188, (455, 455), 97.8, 0.004, 0.16, moffat=True),
    Exposure("SDSS_g", "frame-g-sample.fits.bz2", "nanomaggy", 1.188, (455, 455), 97.8, 0.002, 0.055, moffat=True),
    Exposure("SDSS_r", "frame-r-sample.fits.bz2", "nanomaggy", 1.188, (455, 455), 97.8, 0.003, 0.085, moffat=True),
    Exposure("SDSS_i", "frame-i-sample.fits.bz2", "nanomaggy", 1.188, (455, 455), 97.8, 0.006, 0.13, moffat=True),
    Exposure("SDSS_z", "frame-z-sample.fits.bz2", "nanomaggy", 1.188, (455, 455), 97.8, -0.02, 0.52, moffat=True),
    Exposure("2MASS_J", "aJ_asky_sample.fits.gz", "DN", 1.0, (600, 512), 0.9, 73.15, 0.55, 21.0034, 2.0,
             offset=(9.0, -14.0), moffat=True),
    Exposure("2MASS_H", "aH_asky_sample.fits.gz", "DN", 1.0, (600, 512), 0.9, 278.1, 0.79, 20.4978, 2.0,
             offset=(9.0, -14.0), moffat=True),
    Exposure("2MASS_Ks", "aK_asky_sample.fits.gz", "DN", 1.0, (600, 512), 0.9, 406.6, 0.95, 19.9801, 2.0,
             offset=(9.0, -14.0), moffat=True),
    Exposure("WISE_3.4", "sample_ac51-w1-int-3.fits.gz", "DN", 1.375, (401, 401), -2.1, 3.84, 0.06, 20.5, 4.3,
             uncertainty="sample_ac51-w1-unc-3.fits.gz"),
    Exposure("Spitzer_3.6", "sample.phot.1.fits.fz", "MJy/sr", 0.9, (560, 560), 148.0, 0.09, 0.008, noise_fwhm=1.5),
    Exposure("WISE_4.6", "sample_ac51-w2-int-3.fits.gz", "DN", 1.375, (401, 401), -2.1, 10.58, 0.08, 19.5, 4.5,
             uncertainty="sample_ac51-w2-unc-3.fits.gz"),
    Exposure("WISE_12", "sample_ac51-w3-int-3.fits.gz", "DN", 1.375, (401, 401), -2.1, 1520.0, 0.45, 18.0, 4.6,
             uncertainty="sample_ac51-w3-unc-3.fits.gz"),
    Exposure("WISE_22", "sample_ac51-w4-int-3.fits.gz", "DN", 1.375, (401, 401), -2.1, 244.0, 0.18, 13.0, 8.4,
             uncertainty="sample_ac51-w4-unc-3.fits.gz"),
)  # fmt: skip


# --- What the galaxy is -------------------------------------------------------------------------------------------------


def light(east: np.ndarray, north: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Surface brightness of bulge and disc at WISE 3.4 in MJy/sr, at offsets from the centre in arcsec."""
    angle = np.radians(POSITION_ANGLE)
    major = east * np.sin(angle) + north * np.cos(angle)
    minor = east * np.cos(angle) - north * np.sin(angle)
    per_sr = 1e-6 * W1_FLUX_JY / SR_PER_ARCSEC2

    radius = np.hypot(major, minor / BULGE["axis_ratio"])
    n = BULGE["index"]
    b = 2 * n - 1 / 3 + 4 / (405 * n)  # Ciotti & Bertin (1999), eq. 18
    total = 2 * np.pi * n * gamma(2 * n) * np.exp(b) * b ** (-2 * n) * BULGE["r_eff"] ** 2 * BULGE["axis_ratio"]
    bulge = BULGE["fraction"] * per_sr / total * np.exp(-b * ((radius / BULGE["r_eff"]) ** (1 / n) - 1))

    x, y = major, minor / AXIS_RATIO
    radius = np.hypot(x, y)
    # Two arms on a logarithmic spiral, fading into the middle; around a circle their sum is zero, so that the flux stays.
    phase = 2 * (np.arctan2(y, x) - np.log(np.maximum(radius, 1e-3)) / np.tan(np.radians(DISC["pitch_deg"])))
    arms = DISC["arm_contrast"] * (1 - np.exp(-((radius / DISC["scale"]) ** 2))) * np.cos(phase)
    total = 2 * np.pi * DISC["scale"] ** 2 * AXIS_RATIO
    disc = (1 - BULGE["fraction"]) * per_sr / total * np.exp(-radius / DISC["scale"]) * (1 + arms)
    return bulge, disc


def read_components(path: Path = HERE / "components.ecsv") -> dict[str, dict[str, float]]:
    """The band ratios and dust properties of bulge ("early") and disc ("late")."""
    table = Table.read(path, format="ascii.ecsv")
    return {kind: dict(zip(table["quantity"], table[kind], strict=True)) for kind in ("early", "late")}


def truth_maps(components: dict[str, dict[str, float]]) -> PropertyMaps:
    """What is true of every pixel, at `TRUTH_FWHM` and on pixels of `TRUTH_PIXEL` arcsec."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [RA, DEC]
    wcs.wcs.crpix = [(TRUTH_SIZE + 1) / 2] * 2
    wcs.wcs.cdelt = [-TRUTH_PIXEL / 3600, TRUTH_PIXEL / 3600]
    wcs.wcs.cunit = ["deg", "deg"]
    shape = (TRUTH_SIZE, TRUTH_SIZE)
    parts = dict(zip(("early", "late"), render(wcs, shape, TRUTH_PIXEL, TRUTH_FWHM, oversample=4), strict=True))

    # L/A = 4 pi nu I, whatever the distance.
    frequency = (const.c / (BANDS["WISE_3.4"].pivot * u.micron)).to(u.Hz)
    luminosity = (4 * np.pi * frequency * u.MJy).to_value(u.L_sun / u.kpc**2)  # per MJy/sr
    sums = {name: np.zeros(shape) for name in ("lstar", "star", "ld", "md", "heat")}
    for kind, surface_brightness in parts.items():
        row = components[kind]
        l_w1 = luminosity * surface_brightness
        star, lstar = l_w1 * 10 ** row["LOG_STAR_W1"], l_w1 * 10 ** row["LOG_LSTAR_W1"]
        dust = star * 10 ** row["LOG_SMD"]
        for name, value in (("star", star), ("lstar", lstar), ("md", dust), ("ld", lstar * 10 ** row["LOG_SLD"])):
            sums[name] += value
        sums["heat"] += dust * row["T_DUST"]

    values = {
        "LOG_SLD": np.log10(sums["ld"] / sums["lstar"]),
        "LOG_SMD": np.log10(sums["md"] / sums["star"]),
        "T_DUST": sums["heat"] / sums["md"],
        "LOG_SIGMA_LSTAR": np.log10(sums["lstar"]),
        "LOG_SIGMA_LD": np.log10(sums["ld"]),
        "LOG_SIGMA_STAR": np.log10(sums["star"]),
        "LOG_SIGMA_MD": np.log10(sums["md"]),
    }
    inside = ellipse().radius(wcs, shape) <= 1
    provenance = {
        "object": NAME,
        "model": "truth of the sample galaxy",
        "imf": "Salpeter",
        "fwhm": TRUTH_FWHM,
    }
    return PropertyMaps(
        values={name: value.astype(np.float32) for name, value in values.items()},
        errors={},
        wcs=wcs,
        flags=np.where(inside, 0, int(Flag.OUTSIDE)).astype(np.int16),
        provenance=provenance,
    )


def ellipse() -> Ellipse:
    """The D25 ellipse."""
    semi_major = D25_ARCMIN * 30
    return Ellipse(RA, DEC, semi_major, semi_major * AXIS_RATIO, POSITION_ANGLE)


def recipe() -> str:
    """What there is to know about the galaxy beyond its images, in TOML."""
    galaxy = {
        "name": NAME, "ra": RA, "dec": DEC, "distance": DISTANCE_MPC, "d25": D25_ARCMIN, "axis_ratio": AXIS_RATIO,
        "position_angle": POSITION_ANGLE,
    }  # fmt: skip
    return tomli_w.dumps({"galaxy": galaxy})


# --- How it is seen -----------------------------------------------------------------------------------------------------


def render(
    wcs: WCS, shape: tuple[int, int], pixel: float, fwhm: float, oversample: int = 3, moffat: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Bulge and disc at WISE 3.4 in MJy/sr on a pixel grid, blurred by the PSF and integrated over pixels."""
    margin = int(np.ceil(4 * fwhm / pixel))
    ny, nx = shape[0] + 2 * margin, shape[1] + 2 * margin
    step = 1 / oversample
    x = (np.arange(nx * oversample) + 0.5) * step - 0.5 - margin
    y = (np.arange(ny * oversample) + 0.5) * step - 0.5 - margin
    x, y = np.meshgrid(x - (wcs.wcs.crpix[0] - 1), y - (wcs.wcs.crpix[1] - 1))
    # Over a few arcmin the sky is flat to 1e-6: the WCS's linear part does, and the reference point's own offset.
    reference = SkyCoord(*wcs.wcs.crval, unit="deg")
    east0, north0 = (
        angle.to_value("arcsec") for angle in SkyCoord(RA, DEC, unit="deg").spherical_offsets_to(reference)
    )
    matrix = wcs.pixel_scale_matrix * 3600
    east, north = matrix[0, 0] * x + matrix[0, 1] * y + east0, matrix[1, 0] * x + matrix[1, 1] * y + north0

    result = []
    for image in light(east, north):
        if moffat:
            blurred = fftconvolve(image, moffat_kernel(fwhm / pixel * oversample), mode="same")
        else:
            blurred = gaussian_filter(image, fwhm / pixel * oversample * FWHM_SIGMA, mode="nearest", truncate=5)
        binned = blurred.reshape(ny, oversample, nx, oversample).mean(axis=(1, 3))
        result.append(binned[margin:-margin, margin:-margin])
    return result[0], result[1]


def moffat_kernel(fwhm: float, beta: float = 4.765) -> np.ndarray:
    """A Moffat profile, as the atmosphere makes it (Trujillo+ 2001), with sum 1; `fwhm` in pixels."""
    half = int(np.ceil(5 * fwhm))
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    alpha = fwhm / 2 / np.sqrt(2 ** (1 / beta) - 1)
    kernel = (1 + (x**2 + y**2) / alpha**2) ** -beta
    return kernel / kernel.sum()


def unit_per_mjy_sr(exposure: Exposure) -> float:
    """What one MJy/sr is in the unit of the file, per pixel."""
    band = BANDS[exposure.band]
    jy = 1e6 * exposure.pixel**2 * SR_PER_ARCSEC2  # of a pixel at 1 MJy/sr
    if exposure.unit == "MJy/sr":
        return 1.0
    if exposure.unit == "nanomaggy":
        return jy / 3.631e-6
    if exposure.unit == "counts/s":
        return jy / band.count_rate_jy
    return jy / (band.vega_jy * 10 ** (-0.4 * exposure.zero_point))


def correlated_noise(rng: np.random.Generator, shape: tuple[int, int], fwhm_pixels: float) -> np.ndarray:
    """Gaussian noise of rms 1, correlated over `fwhm_pixels`."""
    noise = rng.standard_normal(shape)
    if fwhm_pixels > 0:
        sigma = fwhm_pixels * FWHM_SIGMA
        noise = gaussian_filter(noise, sigma, mode="wrap")
        noise /= noise.std()
    return noise


def round_to_step(data: np.ndarray, noise: float) -> tuple[np.ndarray, float]:
    """Values rounded to a power of two near a quarter of the noise, so that they compress well, and that step."""
    step = 2.0 ** np.floor(np.log2(noise / 4))
    return np.round(data / step) * step, step


def observe(exposure: Exposure, components: dict[str, dict[str, float]]) -> Iterator[tuple[str, fits.PrimaryHDU]]:
    """File names and contents of one band: the image, and its uncertainty where the survey delivers one."""
    rng = np.random.default_rng([SEED, list(BANDS).index(exposure.band)])
    header = header_of(exposure)
    wcs = WCS(header)
    fwhm = BANDS[exposure.band].fwhm
    bulge, disc = render(wcs, exposure.size[::-1], exposure.pixel, fwhm, moffat=exposure.moffat)
    ratio = {kind: 1.0 if exposure.band == "WISE_3.4" else components[kind][exposure.band] for kind in components}
    signal = unit_per_mjy_sr(exposure) * (ratio["early"] * bulge + ratio["late"] * disc)

    if exposure.exposure:
        counts = rng.poisson((signal + exposure.sky) * exposure.exposure)
        yield exposure.filename, fits.PrimaryHDU((counts / exposure.exposure).astype(np.float32), header)
        return
    noise = exposure.noise * correlated_noise(rng, signal.shape, exposure.noise_fwhm / exposure.pixel)
    data, step = round_to_step(signal + exposure.sky + noise, exposure.noise)
    hdu = fits.PrimaryHDU(data.astype(np.float32), header)
    if BANDS[exposure.band].survey == "2MASS":
        hdu.scale("int16", bscale=step, bzero=np.round(exposure.sky / step) * step)
    yield exposure.filename, hdu
    if exposure.uncertainty:
        # The background's rms, and 2 % of the signal for what the coadd does not know of its pixels' response.
        sigma, _ = round_to_step(np.hypot(exposure.noise, 0.02 * signal), exposure.noise / 8)
        header = header.copy()
        header["FILETYPE"] = ("1-sigma uncertainty image", "product description")
        yield exposure.uncertainty, fits.PrimaryHDU(sigma.astype(np.float32), header)


def header_of(exposure: Exposure) -> fits.Header:
    """The header as the survey writes it."""
    band = BANDS[exposure.band]
    header = fits.Header()
    header["OBJECT"] = (NAME, "invented: see sample_data/README.md")
    nx, ny = exposure.size
    east, north = exposure.offset
    centre = SkyCoord(RA, DEC, unit="deg").spherical_offsets_by(-east * u.arcsec, -north * u.arcsec)
    projection = "SIN" if band.survey in ("2MASS", "WISE") else "TAN"
    header["CTYPE1"], header["CTYPE2"] = f"RA---{projection}", f"DEC--{projection}"
    header["CRVAL1"], header["CRVAL2"] = round(centre.ra.deg, 8), round(centre.dec.deg, 8)
    header["CRPIX1"], header["CRPIX2"] = (nx + 1) / 2, (ny + 1) / 2
    scale, angle = exposure.pixel / 3600, np.radians(exposure.angle)
    cos, sin = np.cos(angle), np.sin(angle)
    if band.survey == "SDSS":
        header["CD1_1"], header["CD1_2"] = -scale * cos, -scale * sin
        header["CD2_1"], header["CD2_2"] = -scale * sin, scale * cos
    else:
        header["CDELT1"], header["CDELT2"] = -scale, scale
        if band.survey == "IRAC":
            header["PC1_1"], header["PC1_2"], header["PC2_1"], header["PC2_2"] = cos, -sin, sin, cos
        else:
            header["CROTA2"] = exposure.angle
    header["RADESYS"], header["EQUINOX"] = "ICRS", 2000.0
    if band.survey == "GALEX":
        header["TELESCOP"], header["BAND"] = "GALEX", (2 if exposure.band.endswith("FUV") else 1, "1- nuv, 2- fuv")
        header["BUNIT"], header["EXPTIME"] = "counts/s", exposure.exposure
    elif band.survey == "SDSS":
        header["ORIGIN"], header["TELESCOP"], header["FILTER"] = "SDSS", "2.5m", exposure.band[-1]
        header["BUNIT"] = ("nanomaggy", "1 nanomaggy = 3.631e-6 Jy")
        header["COLBIN"] = header["ROWBIN"] = 3
    elif band.survey == "2MASS":
        header["ORIGIN"], header["FILTER"] = "2MASS", exposure.band[6].lower()
        header["SKYVAL"], header["SKYSIG"] = exposure.sky, exposure.noise
        header["MAGZP"] = (exposure.zero_point, "Calibrated zero point")
    elif band.survey == "WISE":
        header["ORIGIN"], header["TELESCOP"] = "WISE Science Data Center, IPAC, Caltech", "WISE"
        header["FILETYPE"] = ("intensity image", "product description")
        header["BAND"] = (int(exposure.filename.split("-w")[1][0]), "wavelength band number")
        header["WAVELEN"] = (band.pivot, "[microns] effective wavelength of band")
        header["BUNIT"], header["MAGZP"] = "DN", (exposure.zero_point, "[mag] relative photometric zero point")
    else:
        header["TELESCOP"], header["INSTRUME"], header["CHNLNUM"] = "Spitzer", "IRAC", int(exposure.filename[-9])
        header["BUNIT"] = "MJy/sr"
    return header


def write(hdu: fits.PrimaryHDU, path: Path) -> None:
    """Write an image, packed as its ending says, byte for byte the same each time."""
    buffer = io.BytesIO()
    if path.suffix == ".fz":
        packed = fits.CompImageHDU(hdu.data, hdu.header, compression_type="GZIP_2", quantize_level=0.0)
        fits.HDUList([fits.PrimaryHDU(), packed]).writeto(buffer)
        path.write_bytes(buffer.getvalue())
        return
    hdu.writeto(buffer)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(buffer.getvalue(), 9, mtime=0))
    else:
        path.write_bytes(bz2.compress(buffer.getvalue(), 9))


def make(out: Path, bands: tuple[str, ...] | None = None) -> None:
    """Write images, truth and recipe to folder `out`; of the images only `bands` where they are named."""
    out.mkdir(parents=True, exist_ok=True)
    components = read_components()
    for exposure in EXPOSURES:
        if bands is None or exposure.band in bands:
            for name, hdu in observe(exposure, components):
                write(hdu, out / name)
    write_maps(out / "truth.fits", truth_maps(components), overwrite=True)
    (out / "galaxy.toml").write_text(recipe(), encoding="utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "sample-galaxy", help="folder to write to")
    parser.add_argument(
        "--from-tables", type=Path, metavar="FOLDER", help="compute components.ecsv again from these tables"
    )
    arguments = parser.parse_args()
    if arguments.from_tables:
        from dustpedia_components import components_from_tables

        table = components_from_tables(arguments.from_tables)
        table.write(HERE / "components.ecsv", format="ascii.ecsv", overwrite=True)
    make(arguments.out)
    size = sum(path.stat().st_size for path in arguments.out.iterdir())
    print(f"{len(list(arguments.out.iterdir()))} files, {size / 1e6:.1f} MB, in {arguments.out}")


if __name__ == "__main__":
    main()
