"""The mouse on the canvas as the tests move it, for benchmarks that are run as scripts."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from tests.plugin.mouse import LEFT, NONE, canvas, pixel, send

__all__ = ["LEFT", "NONE", "canvas", "pixel", "send"]
