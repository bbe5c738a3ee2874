"""Mock galaxies: images in every band with the true maps of every property, by a seeded forward
model.
"""

from .mock import Mock, View, make_mock
from .population import KINDS, MockGalaxy, draw_galaxy

__all__ = ["KINDS", "Mock", "MockGalaxy", "View", "draw_galaxy", "make_mock"]
