"""The files that are damaged: small ones of every kind that is read, as bytes by name."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from astropy.io import fits

from napari_galaxy_maps.data.cube import BandCube
from napari_galaxy_maps.fits_io.cube_files import write_cube
from napari_galaxy_maps.fits_io.map_files import write_maps
from napari_galaxy_maps.fits_io.open_fits import opened

from ..conftest import SAMPLE, SHARED, tan_wcs
from ..fits_io.test_map_and_cube_files import made_maps

_SIDE = 40


def _bytes(*hdus: fits.hdu.base._BaseHDU) -> bytes:
    stream = io.BytesIO()
    fits.HDUList(list(hdus)).writeto(stream)
    return stream.getvalue()


def own_files(folder: Path) -> dict[str, bytes]:
    """Images of one and many extensions, scaled, packed, in planes; a table; maps and a cube."""
    shape = (24, 20)
    data = np.random.default_rng(1).normal(5, 1, shape).astype("f4")
    header = tan_wcs(shape, 1.375).to_header()
    header["BUNIT"] = "MJy/sr"
    image, error = (fits.ImageHDU(data, header, name=name) for name in ("SCI", "ERR"))
    mask = fits.ImageHDU((data > 7).astype(np.int16), header, name="MASK")
    counts = fits.PrimaryHDU(np.round(100 * data).astype(np.int16), header)
    counts.header["BLANK"] = -32768
    table = fits.BinTableHDU.from_columns(
        [fits.Column("ra", "D", "deg", array=[150.0, 150.1]),
         fits.Column("dec", "D", "deg", array=[2.0, 2.1]),
         fits.Column("name", "8A", array=["a", "b"])]
    )  # fmt: skip
    nothing = np.zeros(shape, bool)
    cube = BandCube(
        np.stack([data, data]), np.stack([data, data]) / 10, ("WISE_3.4", "WISE_4.6"),
        tan_wcs(shape, 6.0), 12.0, 6.0, 300.0, nothing, nothing.astype(np.int16), "made",
    )  # fmt: skip
    write_cube(folder / "cube.fits", cube, made_maps(shape).provenance)
    write_maps(folder / "maps.fits", made_maps(shape))
    return {
        "one_WISE_3.4": _bytes(fits.PrimaryHDU(data, header)),
        "many_WISE_3.4": _bytes(fits.PrimaryHDU(), image, error, mask),
        "packed_WISE_3.4": _bytes(fits.PrimaryHDU(), fits.CompImageHDU(data, header)),
        "counts_WISE_3.4": _bytes(counts),
        "planes_WISE_3.4": _bytes(fits.PrimaryHDU(np.stack([data, data / 10, data]), header)),
        "table_WISE_3.4": _bytes(fits.PrimaryHDU(), table),
        "cube_result": (folder / "cube.fits").read_bytes(),
        "maps_result": (folder / "maps.fits").read_bytes(),
    }


def sample_files() -> dict[str, bytes]:
    """The corner of each image of the sample, under its own header."""
    found = {}
    for path in sorted(SAMPLE.glob("*.fits*")):
        with opened(path) as hdus:
            small = [
                type(hdu)(hdu.data[-_SIDE:, -_SIDE:], hdu.header)
                for hdu in hdus
                if hdu.is_image and hdu.data is not None and hdu.data.ndim == 2
            ]
            if small and not isinstance(small[0], fits.PrimaryHDU):
                small.insert(0, fits.PrimaryHDU())
            if small:
                found[path.name.partition(".fits")[0]] = _bytes(*small)
    return found


def foreign_files() -> dict[str, bytes]:
    """Small files of other projects' tests, where the real data are."""
    folder = SHARED / "fits_cases"
    return {path.stem: path.read_bytes() for path in sorted(folder.glob("*.fits"))}
