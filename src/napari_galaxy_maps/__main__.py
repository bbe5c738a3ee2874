"""`python -m napari_galaxy_maps` is the command `galaxy-maps`."""

import os
import signal
import sys


def main() -> int:
    """Run the command."""
    # Libraries that are interrupted while they load raise whatever they like: until the command
    # runs, Ctrl-C ends the process itself.
    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN:
        signal.signal(signal.SIGINT, _end)
    try:
        from .cli.main import main as command

        return command()
    finally:
        signal.signal(signal.SIGINT, before)


def _end(*_: object) -> None:
    sys.stderr.write("galaxy-maps: interrupted; nothing was written.\n")
    sys.stderr.flush()
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
