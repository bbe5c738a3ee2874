"""`galaxy-maps demo` as `make demo` runs it: a window with maps in it, saved as a picture, or a
sentence.
"""

import os
import subprocess
import sys

import numpy as np
import pytest
from skimage.io import imread

pytestmark = [
    pytest.mark.window,
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform == "linux"
        and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")),
        reason="there is no display: run under xvfb-run, as make test does",
    ),
]


def demo(screenshot):
    command = [
        sys.executable,
        "-m",
        "napari_galaxy_maps.cli.main",
        "demo",
        "--screenshot",
        str(screenshot),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=240)


def test_the_demonstration_shows_the_predicted_maps(tmp_path):
    done = demo(tmp_path / "demo.png")
    assert done.returncode == 0, done.stderr[-2000:]
    picture = imread(tmp_path / "demo.png")[..., :3].astype(int)
    ny, nx, _ = picture.shape
    assert nx > 1200 and ny > 700
    canvas = picture[ny // 4 : 3 * ny // 4, nx // 3 : nx // 2]
    colourful = (
        np.ptp(canvas, axis=2) > 40
    )  # a map in viridis over grey: not a blank canvas, not an image alone
    assert colourful.mean() > 0.05
    assert len(np.unique(canvas[colourful], axis=0)) > 100


def test_a_picture_that_cannot_be_saved_is_told_in_a_line(tmp_path):
    (tmp_path / "file").write_text("")
    done = demo(tmp_path / "file" / "demo.png")
    assert done.returncode == 2
    assert done.stderr == (
        f"galaxy-maps: {tmp_path}/file/demo.png lies in a file, not a folder; check the path.\n"
    )
