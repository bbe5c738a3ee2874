"""`python -m napari_galaxy_maps` is the command `galaxy-maps`."""

import sys


def main() -> int:
    """Run the command; an interruption shows no traceback even while the command is loading."""
    try:
        from .cli.main import main as command

        return command()
    except KeyboardInterrupt:
        sys.stderr.write("galaxy-maps: interrupted; nothing was written.\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
