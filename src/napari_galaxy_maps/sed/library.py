"""A library of model spectra in all bands at a galaxy's redshift: made by its recipe, kept on disk
by the recipe's hash.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..bands.registry import get_band
from ..data.ranges import REDSHIFT
from ..data.recipe import LibrarySettings
from ..exceptions import InputError
from ..fits_io.safe_writing import written_whole
from ..progress import Progress, Steps, run_to_end
from .compose import DIMMED, PROPERTY_NAMES, compose, compose_spectra, spectrum_on_grid, stage
from .priors import PARAMETERS, draw
from .tables import FOLDER, star_table

VERSION = 2
"""Raise it when what a recipe makes changes, so that libraries kept on disk are made anew."""
CACHE_VARIABLE = "GALAXY_MAPS_CACHE"
"""Name of the environment variable that says where libraries are kept."""
_CHUNK = 5000


@dataclass(frozen=True, eq=False)
class Library:
    """Model spectra, each per Msun of stars ever formed.

    Attributes
    ----------
    settings : LibrarySettings
    redshift : float
    bands : tuple of str
    light : ndarray, float32, shape (n_models, n_bands)
        Mean L_nu that the band sees, Lsun/Hz at the rest frequency, after attenuation, with the
        dust's emission.
    bare : ndarray, float32, shape (n_models, n_dimmed)
        The same before attenuation, without dust's emission, in `compose.DIMMED`.
    visual : ndarray, float32, shape (n_models,)
        nu L_nu at 0.55 micron before attenuation, Lsun.
    properties : dict of ndarray, float32, shape (n_models,)
        `compose.PROPERTY_NAMES`.
    parameters : dict of ndarray, float32, shape (n_models,)
        `priors.PARAMETERS`.
    """

    settings: LibrarySettings
    redshift: float
    bands: tuple[str, ...]
    light: np.ndarray
    bare: np.ndarray
    visual: np.ndarray
    properties: dict[str, np.ndarray]
    parameters: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.light)

    def columns(self, bands: Sequence[str]) -> list[int]:
        """Where bands stand in `light`.

        Raises
        ------
        InputError
            When a band is unknown, or not in this library.
        """
        names = [get_band(band).name for band in bands]
        for name in names:
            if name not in self.bands:
                raise InputError(
                    f"This library of model spectra has no {name}; build it with that band."
                )
        return [self.bands.index(name) for name in names]

    def spectra(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Spectra of some models.

        Returns
        -------
        wavelength : ndarray, shape (n,)
            As observed, micron.
        light : ndarray, shape (n_rows, n)
            In the unit of `light`.
        """
        chosen = {name: np.asarray(values[rows], float) for name, values in self.parameters.items()}
        wavelength, light = spectrum_on_grid(
            compose_spectra(chosen, self.redshift, self.settings.imf)
        )
        return wavelength * (1 + self.redshift), light


def known_places(bands: Sequence[str], library: Library | None = None) -> list[int]:
    """Places of those of some bands that a library has, or without one the tables that libraries
    are made of; nothing is fitted to the others.
    """
    known = star_table().bands if library is None else library.bands
    return [i for i, band in enumerate(bands) if get_band(band).name in known]


def not_fitted(bands: Sequence[str], library: Library | None = None) -> str:
    """Words for those of some bands that a library lacks (see `known_places`); empty where it has
    all of them.
    """
    known = known_places(bands, library)
    lacking = [get_band(band).name for i, band in enumerate(bands) if i not in known]
    if not lacking:
        return ""
    one = len(lacking) == 1
    return (
        f"{', '.join(lacking)} {'is' if one else 'are'} not fitted: the model spectra have no such "
        f"band{'' if one else 's'}"
    )


def cache_folder() -> Path:
    """Where libraries are kept: the folder in GALAXY_MAPS_CACHE, or the user's cache."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    from astropy.config import get_cache_dir

    return Path(get_cache_dir("napari-galaxy-maps", ensure_exists=False)) / "sed"


def checked_redshift(redshift: float | None) -> float:
    """The redshift of a library, to 0.001: 0 for galaxies that come towards us, as M31 does.

    Raises
    ------
    InputError
        When there is none, it is less than any galaxy's, or the tables end before it.
    """
    last = float(star_table().redshift[-1])
    if redshift is None or not np.isfinite(redshift):
        raise InputError(
            "The galaxy's redshift is not known, and model spectra depend on it; give it, 0 "
            "for a nearby galaxy.",
            "galaxy.redshift",
        )
    if not REDSHIFT.least <= redshift <= last:
        raise InputError(
            f"A redshift of {redshift:g} cannot be used: model spectra are there from 0 to "
            f"{last:g}; correct it.",
            "galaxy.redshift",
        )
    return round(max(float(redshift), 0.0), 3)


def _bands(bands: Sequence[str] | None) -> tuple[str, ...]:
    """Names of bands; all that the tables hold by default, whatever else the registry knows.

    Raises
    ------
    InputError
        When a band is unknown, or the tables lack it.
    """
    names = tuple(get_band(band).name for band in (star_table().bands if bands is None else bands))
    lacking = not_fitted(names)
    if lacking:
        raise InputError(f"{lacking}; leave {'it' if ' is ' in lacking else 'them'} out.")
    return names


def recipe_hash(
    settings: LibrarySettings, redshift: float, bands: Sequence[str] | None = None
) -> str:
    """Hash of all that a library depends on, but for what only the fit uses (`extra_error`)."""
    tables = [
        hashlib.sha256((FOLDER / f"{name}.npz").read_bytes()).hexdigest()
        for name in ("stars", "dust", "spectra")
    ]
    what = settings.model_dump(exclude={"extra_error"})
    text = json.dumps(
        [VERSION, what, checked_redshift(redshift), list(_bands(bands)), tables], sort_keys=True
    )
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def build_library(
    settings: LibrarySettings, redshift: float | None, bands: Sequence[str] | None = None,
    cache: str | Path | bool = True,
) -> Library:  # fmt: skip
    """The library of a recipe: see `library_steps`."""
    return run_to_end(library_steps(settings, redshift, bands, cache))


def library_steps(
    settings: LibrarySettings, redshift: float | None, bands: Sequence[str] | None = None,
    cache: str | Path | bool = True,
) -> Steps[Library]:  # fmt: skip
    """The library of a recipe, from disk where it was made before.

    Parameters
    ----------
    settings : LibrarySettings
        `recipe.sed`.
    redshift : float or None
        Of the galaxy; taken to 0.001.
    bands : sequence of str
        Which bands; all of the tables by default.
    cache : path or bool
        Folder in which libraries are kept; True: that of `cache_folder`; False: nowhere.

    Yields
    ------
    Progress
        After every few thousand models.

    Returns
    -------
    Library

    Raises
    ------
    InputError
        When the redshift is missing or absurd, or a band unknown or not in the tables.
    """
    z = checked_redshift(redshift)
    names = _bands(bands)
    folder = cache_folder() if cache is True else Path(cache) if cache else None
    path = folder / f"library-{recipe_hash(settings, z, names)}.npz" if folder else None
    found = _read(path, settings, z, names) if path else None
    if found is not None:
        return found
    parameters = draw(settings)
    n = len(parameters["ebv"])
    stage(z, settings.imf)
    columns = [star_table().bands.index(name) for name in names]
    light = np.empty((n, len(names)), np.float32)
    bare, visual = np.empty((n, len(DIMMED)), np.float32), np.empty(n, np.float32)
    properties = {name: np.empty(n, np.float32) for name in PROPERTY_NAMES}
    for start in range(0, n, _CHUNK):
        part = slice(start, start + _CHUNK)
        made = compose({name: values[part] for name, values in parameters.items()}, z, settings.imf)
        light[part] = made.bands[:, columns]
        bare[part], visual[part] = made.bare, made.visual
        for name in PROPERTY_NAMES:
            properties[name][part] = made.properties[name]
        done = min(start + _CHUNK, n)
        yield Progress("sed", done, n, f"{done:,} of {n:,} model spectra")
    small = {name: parameters[name].astype(np.float32) for name in PARAMETERS}
    library = Library(
        settings.model_copy(deep=True), z, names, light, bare, visual, properties, small
    )
    if path:
        _keep(path, library)
    return library


def _keep(path: Path, library: Library) -> None:
    """Write a library beside its place and rename it; where that cannot be, it is made again next
    time.
    """
    arrays = {f"property {name}": values for name, values in library.properties.items()}
    arrays |= {f"parameter {name}": values for name, values in library.parameters.items()}
    try:
        with written_whole(path, overwrite=True) as beside, beside.open("wb") as stream:
            np.savez(
                stream,
                light=library.light,
                bare=library.bare,
                visual=library.visual,
                **arrays,  # type: ignore[arg-type]
            )
    except InputError:
        return


def _read(
    path: Path, settings: LibrarySettings, redshift: float, bands: tuple[str, ...]
) -> Library | None:
    """A library that was kept, or None where there is none or its file is damaged."""
    import zipfile
    import zlib

    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            light, bare, visual = (arrays[name] for name in ("light", "bare", "visual"))
            properties = {name: arrays[f"property {name}"] for name in PROPERTY_NAMES}
            parameters = {name: arrays[f"parameter {name}"] for name in PARAMETERS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    whole = light.ndim == 2 and light.shape[1] == len(bands) and light.dtype == np.float32
    whole &= bare.shape == (len(light), len(DIMMED)) and bare.dtype == np.float32
    columns = [visual, *properties.values(), *parameters.values()]
    if not whole or any(column.shape != light.shape[:1] for column in columns):
        return None
    return Library(
        settings.model_copy(deep=True), redshift, bands, light, bare, visual, properties,
        parameters,
    )  # fmt: skip
