"""A model of a fit that is not finished, as a folder from which the program loads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ..model_files import write_model
from ..stellar_unet.assemble_model import bare_model
from ..stellar_unet.fit_colour_cloud import no_cloud
from ..stellar_unet.stellar_card import base_card, network_in_words

_WEIGHTS, _SETTINGS = "best.safetensors", "settings.json"


def is_fit(folder: Path) -> bool:
    """Whether it is the folder of a fit with the weights that were best so far."""
    return (folder / _WEIGHTS).is_file() and (folder / _SETTINGS).is_file()


@contextmanager
def model_of(name: str) -> Iterator[str]:
    """The name of a model; where it is the folder of a fit, that of a folder with its best weights
    as a model that is neither calibrated nor flags anything, which is gone afterwards.

    Raises
    ------
    InputError
        When the weights are of other settings than the folder's.
    """
    folder = Path(name)
    if not is_fit(folder):
        yield name
        return
    from ..stellar_unet.fit_files import load_network, read_settings

    settings = read_settings(folder)
    network = load_network(folder / _WEIGHTS, settings)
    card = base_card(settings, "Not finished.", network_in_words(network, settings))
    with TemporaryDirectory() as made:
        write_model(bare_model(network, settings.head, card, no_cloud()), "unet", Path(made))
        yield made
