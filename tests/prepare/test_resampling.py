"""The compiled resampling is reproject's: on every frame, orientation and pixel size, with stars
masked and without.

Of `prepare.grid.resampling` and `prepare.grid.resampling_loops`.
"""

import os
import subprocess
import sys

import numpy as np
import pytest
from astropy.wcs import WCS
from reproject import reproject_adaptive
from scipy.ndimage import gaussian_filter

from napari_galaxy_maps.prepare.grid.resampling import pixel_map, resample_planes
from tests.conftest import tan_wcs


def scene(shape, seed=0):
    rng = np.random.default_rng(seed)
    return (gaussian_filter(rng.normal(size=shape), 3) * 10 + 1).astype("f4")


def both(data, image, grid, shape):
    reference = reproject_adaptive(
        (data, image), grid, shape_out=shape, return_footprint=False, bad_value_mode="ignore",
        boundary_mode="ignore_threshold", boundary_ignore_threshold=0.5,
    )  # fmt: skip
    return resample_planes(data[None], pixel_map(image, grid, shape))[0], reference


def agree(ours, reference):
    """Equal to rounding, but for the few pixels where rounding puts a sample on either side of the
    kernel's edge.
    """
    off = np.abs(ours - reference)
    assert (off > 2e-5).mean() < 1e-3 and off.max() < 0.02


def skewed(shape, pixel):
    wcs = tan_wcs(shape, pixel)
    wcs.wcs.cdelt = [-pixel / 3600, 1.7 * pixel / 3600]
    wcs.wcs.pc = [[0.9, 0.3], [-0.2, 1.0]]
    return wcs


def galactic(shape, pixel):
    from astropy.coordinates import SkyCoord

    centre = SkyCoord(150, 2, unit="deg").galactic
    wcs = tan_wcs(shape, pixel, centre.l.deg, centre.b.deg, rotation=10)
    wcs.wcs.ctype = ["GLON-CAR", "GLAT-CAR"]
    wcs.wcs.crval = [centre.l.deg, 0]
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2 - centre.b.deg * 3600 / pixel]
    wcs.wcs.pc = [[1, 0], [0, 1]]
    return wcs


def distorted(shape, pixel):
    header = tan_wcs(shape, pixel, rotation=25).to_header()
    header.update({"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 3, "B_ORDER": 3})
    header.update({"A_2_0": 2e-5, "A_1_1": -3e-5, "A_0_3": 2e-7, "B_0_2": 4e-5, "B_2_1": -1e-7})
    return WCS(header)


@pytest.mark.parametrize("kind", [tan_wcs, skewed, galactic, distorted])
@pytest.mark.parametrize(
    "pixel, rotation",
    [
        (4.5, 33),
        (0.71, 70),
        *(pytest.param(pixel, 0, marks=pytest.mark.slow) for pixel in (4.5, 1.03)),
    ],
)
def test_it_is_reprojects_adaptive_method(kind, pixel, rotation):
    shape, out = (160, 140), (int(200 / pixel), int(190 / pixel))
    ours, reference = both(
        scene(shape), kind(shape, 1.4), tan_wcs(out, pixel, rotation=rotation), out
    )
    valid = np.isfinite(ours) & np.isfinite(reference)
    assert valid.mean() > 0.7 and (np.isfinite(ours) == np.isfinite(reference)).mean() > 0.995
    agree(ours[valid], reference[valid])


@pytest.mark.parametrize("rotation", [0, 40])
def test_it_is_reprojects_in_star_masks_too(rotation):
    shape, out = (200, 200), (60, 60)
    data = scene(shape)
    y, x = np.mgrid[:200, :200]
    for i, (cx, cy) in enumerate(np.random.default_rng(1).uniform(30, 170, (12, 2))):
        data[np.hypot(x - cx, y - cy) < 2 + i] = np.nan
    ours, reference = both(data, tan_wcs(shape, 1.0), tan_wcs(out, 3.1, rotation=rotation), out)
    valid = np.isfinite(ours)
    assert valid.any() and np.isfinite(reference[valid]).all()
    agree(ours[valid], reference[valid])
    # ours is blank where less than half of the kernel is valid, reproject's only where none is
    assert 0 < (np.isfinite(reference) & ~valid).sum() < 0.1 * valid.size


def test_planes_resampled_together_are_planes_resampled_alone():
    shape, out = (90, 90), (40, 40)
    planes = np.stack([scene(shape, seed) for seed in range(3)])
    planes[1, 20:40, 20:40] = np.nan
    where = pixel_map(tan_wcs(shape, 1.5), tan_wcs(out, 3.0, rotation=12), out)
    together = resample_planes(planes, where)
    for plane, result in zip(planes, together, strict=True):
        np.testing.assert_allclose(resample_planes(plane[None], where)[0], result, atol=1e-6)


def test_positions_off_the_sphere_are_blank():
    shape = (50, 50)
    image = tan_wcs(shape, 1.5, ra=330.0, dec=-2.0)  # the other side of the sky
    assert np.isnan(
        resample_planes(scene(shape)[None], pixel_map(image, tan_wcs(shape, 1.5), shape))
    ).all()


COMPILE = """
import numpy as np
from napari_galaxy_maps.prepare.grid.resampling import PixelMap, resample_planes
from napari_galaxy_maps.prepare.grid.resampling_loops import compiled_loops

y, x = np.mgrid[:5, :5].astype(float)
where = PixelMap(x, y, np.ones((3, 5, 5)), np.full((5, 5), 1.5), True)
assert np.isfinite(resample_planes(np.ones((1, 9, 9), np.float32), where)).all()
print(sum(compiled_loops()[0].stats.cache_hits.values()))
"""


@pytest.mark.slow
def test_what_one_process_has_compiled_the_next_finds_on_disk(tmp_path):
    found = [
        subprocess.run(
            [sys.executable, "-c", COMPILE],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout.strip()
        for _ in range(2)
    ]
    assert found == ["0", "1"]
