"""What the tests of training share with those of the models: the shipped model, made-up cubes, the
real galaxies.
"""

from tests.models.conftest import galaxies, make_cube, model

__all__ = ["galaxies", "make_cube", "model"]
