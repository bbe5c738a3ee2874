"""`python -m napari_galaxy_maps` is the command `galaxy-maps`."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
