"""Which models there are, and how they are loaded: their files' SHA-256 is checked, and nothing in
them is ever executed.

A row of the package's ``registry.json`` names a model, the module and the class that it is made of,
which are imported when it is loaded, and its files. The ``registry.json`` of a folder that was
trained to names the kind of model alone, and the package says which code that is.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..exceptions import ModelError, brief
from .base import RELATIONS
from .card import ModelCard

if TYPE_CHECKING:
    from ..data.recipe import ModelSettings
    from .base import Model, ModelWithMembers, ModelWithPrior

SHIPPED = Path(__file__).parent
"""Folder of the models that ship with the package."""
INDEX = "registry.json"
_FILES = ("weights", "weights_sha256", "card", "card_sha256")
"""What every entry of it holds, besides more."""


def list_models() -> list[str]:
    """Names of the models that ship with the package."""
    return list(_index(SHIPPED))


def load_card(name: str, folder: Path | None = None) -> ModelCard:
    """The card of a model, without its weights; parameters, errors and what is not read again are
    as of `load_model`.
    """
    name, folder = _place(name, folder)
    entry = _entry(name, folder)
    return _card(folder / entry["card"], entry["card_sha256"])


def model_hash(name: str, folder: Path | None = None) -> str:
    """SHA-256 of a model's weights; parameters and errors as those of `load_model`."""
    name, folder = _place(name, folder)
    return _entry(name, folder)["weights_sha256"]


def model_class(name: str, folder: Path | None = None) -> type[Model]:
    """The class of a model, without its weights; parameters and errors as those of `load_model`."""
    name, folder = _place(name, folder)
    return _class_of(_entry(name, folder), folder)


def load_model(name: str = "dust-forest", folder: Path | None = None) -> Model:
    """Load a model; one that was loaded already is not read again while its files are entered with
    the same SHA-256.

    Parameters
    ----------
    name : str
        One of `list_models`, or a folder to which training wrote a model (with ``/NAME`` after it
        where it holds several). With ``@HASH`` after it, the first digits (six or more) of the
        SHA-256 of its weights, it is loaded only where these are the weights.
    folder : Path, optional
        Where training wrote its files; the package's own by default.

    Raises
    ------
    ModelError
        When there is no such model, it has other weights, or a file of it is missing or damaged.
    """
    name, folder = _place(name, folder)
    entry = _entry(name, folder)
    return _load(name, folder, entry["weights_sha256"], entry["card_sha256"])


def chosen_model(settings: ModelSettings) -> Model:
    """The model that a recipe names, with the prior and the members that it names.

    Raises
    ------
    ModelError
        As `load_model`; when the model cannot leave its prior out, or has no members.
    """
    model = _with_prior(load_model(settings.name), settings.prior)
    if settings.members == 1:
        return model
    if not hasattr(model, "with_members"):
        raise ModelError(
            f"{model.name} does not look at images, which it could turn; set the orientations back "
            "to 1, or choose another model, such as stellar-unet.",
            "model.members",
        )
    return cast("ModelWithMembers", model).with_members(settings.members)


def _with_prior(model: Model, prior: str) -> Model:
    if prior == "relations":
        return model
    if not hasattr(model, "without_relations"):
        raise ModelError(
            f"{model.name} has no scaling relations that it could leave out; let it count on them, "
            "or choose another model, such as stellar-unet.",
            "model.prior",
        )
    if RELATIONS not in model.card.features:
        raise ModelError(
            f"These weights of {model.name} ({model.card.version}) cannot leave out the scaling "
            "relations of galaxies; let it count on them, or take weights that were taught both.",
            "model.prior",
        )
    return cast("ModelWithPrior", model).without_relations()


@lru_cache(maxsize=8)
def _card(path: Path, sha256: str) -> ModelCard:
    return ModelCard.from_json(_checked(path, sha256).decode())


@lru_cache(maxsize=4)
def _load(name: str, folder: Path, weights_sha256: str, card_sha256: str) -> Model:
    entry = _entry(name, folder)
    blob = _checked(folder / entry["weights"], weights_sha256)
    card = _card(folder / entry["card"], card_sha256)
    return _class_of(entry, folder).from_bytes(blob, card, weights_sha256)


def _place(name: str, folder: Path | None) -> tuple[str, Path]:
    """Name and folder of a model that may be given as a folder; names of the package's own come
    first. ``NAME@HASH`` asks for weights whose SHA-256 begins so.
    """
    pinned = re.fullmatch(r"(.+)@([0-9a-fA-F]{6,64})", name)
    if pinned:
        name, folder = _place(pinned[1], folder)
        weights = _entry(name, folder)["weights_sha256"]
        if not weights.startswith(pinned[2].lower()):
            raise ModelError(
                f"The weights of {pinned[1]}@{pinned[2]} are not here: this version has "
                f"{pinned[1]}@{weights[:12]}; leave the @ and what follows out to use these, or "
                "install the version that the earlier result names."
            )
        return name, folder
    if folder is not None or name in _index(SHIPPED):
        return name, folder or SHIPPED
    given = Path(name).expanduser()
    if (given / INDEX).is_file():
        there = list(_index(given))
        if len(there) != 1:
            raise ModelError(
                f"{given} holds the models {', '.join(there)}; "
                f"choose one, as in {given / there[0]}."
            )
        return there[0], given.resolve()
    if (given.parent / INDEX).is_file() and len(given.parts) > 1:
        return given.name, given.parent.resolve()
    if given.is_dir():
        raise ModelError(
            f"The folder {given} holds no model (no {INDEX}); train one, or finish its training.",
            "resume",
        )
    return name, SHIPPED


def _class_of(entry: dict[str, str], folder: Path) -> type[Model]:
    """The class of an entry's kind, imported. The package alone names where it is: another folder's
    registry must not choose code to run.
    """
    for row in _index(SHIPPED).values():
        if row["kind"] == entry.get("kind"):
            module = import_module(row["module"], __package__)
            found: type[Model] = getattr(module, row["class"])
            return found
    raise ModelError(
        f"{folder / INDEX} names no kind of model that this version knows; train the model anew."
    )


def write_entry(
    folder: Path, name: str, kind: str, version: str, weights: Path, card: Path
) -> None:
    """Enter a model's files, which lie in `folder` or below, with their SHA-256 in the registry of
    `folder`; its kind is one of those of the package's registry, as ``"forest"`` or ``"unet"``.
    """
    index = _index(folder) if (folder / INDEX).exists() else {}
    index[name] = index.get(name, {}) | {
        "kind": kind,
        "version": version,
        "weights": weights.relative_to(folder).as_posix(),
        "weights_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "card": card.relative_to(folder).as_posix(),
        "card_sha256": hashlib.sha256(card.read_bytes()).hexdigest(),
    }
    (folder / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def _index(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / INDEX
    try:
        index: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
        if not index or not all(isinstance(row, dict) for row in index.values()):
            raise ValueError("it names no models")
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{path} cannot be read ({brief(error)}); install the package again, or train the "
            "model anew."
        ) from None
    return index


def _entry(name: str, folder: Path) -> dict[str, str]:
    index = _index(folder)
    if name not in index:
        raise ModelError(f"There is no model called {name!r}; there are {', '.join(index)}.")
    if not all(isinstance(index[name].get(key), str) for key in _FILES):
        raise ModelError(f"{folder / INDEX} names no files of {name}; train the model anew.")
    return index[name]


def _checked(path: Path, sha256: str) -> bytes:
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read ({error.strerror}); "
            "install the package again, or train the model anew."
        ) from None
    found = hashlib.sha256(blob).hexdigest()
    if found != sha256:
        raise ModelError(
            f"{path} is damaged: its SHA-256 is {found[:12]}..., the registry says "
            f"{sha256[:12]}...; install the package again, or train the model anew."
        )
    return blob
