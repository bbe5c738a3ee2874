"""The settings of every step: one recipe, shared by window, command line, TOML files and result
headers.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from ..exceptions import RecipeError
from .setting import RECIPE_ONLY, Shown, Unit

_DEGREES = Unit("°", "degrees")
_SIGMA = Unit("σ", "sigma")
_MAG = Unit("mag", "magnitudes")
_D25 = Unit("× D25", "units of the D25 ellipse")
_SEMI_MAJOR = Unit("× a", "semi-major axes of the D25 ellipse")
_MYR = Unit("Myr")
_ARCSEC = Unit("″", "arcsec")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)


def parsec_of(pixel: float | str) -> float | None:
    """Side in parsec of a pixel given as ``"500 pc"`` or ``"1.5 kpc"``; None where it is given
    otherwise.
    """
    found = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*(k?)pc\s*", str(pixel))
    return float(found[1]) * (1000 if found[2] else 1) if found else None


def _pixel(value: float | str) -> float | str:
    """A pixel as it may be given; a number in quotes becomes one."""
    if isinstance(value, str) and value != "auto" and parsec_of(value) is None:
        try:
            value = float(value)
        except ValueError:
            raise PydanticCustomError(
                "pixel", "give arcsec, a length such as '500 pc' or '1.5 kpc', or 'auto'"
            ) from None
    size = parsec_of(value) if isinstance(value, str) else value
    if size is not None and not 0 < size < float("inf"):
        raise PydanticCustomError("pixel", "a pixel is a positive size")
    return value


class GalaxySettings(_Section):
    """What is known of the galaxy."""

    name: str = Field("", description="Name of the galaxy")
    ra: Annotated[float | None, _DEGREES] = Field(
        None, ge=0, le=360, description="Right ascension, ICRS"
    )
    dec: Annotated[float | None, _DEGREES] = Field(
        None, ge=-90, le=90, description="Declination, ICRS"
    )
    distance: Annotated[float | None, Unit("Mpc")] = Field(None, gt=0, description="Distance")
    redshift: float | None = Field(
        None,
        ge=0,
        le=10,
        description="Redshift, for model spectra, and for a distance where none is given; 0 nearby",
    )
    d25: Annotated[float | None, Unit("′", "arcmin")] = Field(
        None, gt=0, description="Diameter D25"
    )
    axis_ratio: float = Field(1.0, gt=0, le=1, description="Axis ratio b/a of the D25 ellipse")
    position_angle: Annotated[float, _DEGREES] = Field(
        0.0, ge=-360, le=360, description="Position angle, east of north"
    )


class InputSettings(_Section):
    """What a person says about the files where the headers do not, or say it wrongly."""

    bands: dict[str, str] = Field(default_factory=dict, description="Band by file name")
    units: dict[str, str] = Field(default_factory=dict, description="Unit by file or band name")
    psf: Annotated[dict[str, float | str], Shown(hint="its FWHM in ″, or a FITS file of it")] = (
        Field(
            default_factory=dict,
            title="PSF of",
            description="By band name, the FWHM in arcsec or a FITS file of the PSF",
        )
    )


class SkySettings(_Section):
    """Subtraction of the sky from every image."""

    enabled: bool = Field(True, description="Subtract the sky")
    model: Literal["constant", "plane", "polynomial"] = Field(
        "constant", title="Shape", description="Shape of the sky"
    )
    order: Annotated[int, Shown(only_for=("model", "polynomial"))] = Field(
        5,
        ge=1,
        le=5,
        title="Order up to",
        description="Highest order of a polynomial; lower where that fits as well",
    )
    clip: Annotated[float, _SIGMA, Shown(increment=0.5)] = Field(
        3.0, gt=1, le=10, title="Clipped at", description="Clipping limit"
    )
    exclude: Annotated[float, _D25, Shown(increment=0.25)] = Field(
        1.25, ge=1, title="Outside", description="Inner edge of the sky that is looked at"
    )
    reach: Annotated[float, _D25, RECIPE_ONLY] = Field(
        3.0, gt=1, title="Inside", description="Outer edge of the sky that is looked at"
    )


class ReddeningSettings(_Section):
    """Removal of the Milky Way's reddening."""

    enabled: bool = Field(True, description="Remove the Milky Way's reddening")
    ebv: Annotated[float | None, _MAG, Shown(hint="of a header or the map, if left empty")] = Field(
        None, ge=0, le=20, title="E(B−V)", description="E(B-V), as Schlegel+ 1998"
    )
    map: Annotated[str, Shown(hint="a FITS map of E(B−V)", is_file=True)] = Field(
        "",
        title="Map",
        description="Map of E(B-V): a FITS file, or the name of a map of dustmaps",
    )


class StarSettings(_Section):
    """How the Milky Way's stars are recognised, fitted and masked."""

    enabled: bool = Field(
        True, description="Mask stars: those of the catalogue, those found, or those given by hand"
    )
    catalogue: Annotated[
        str, Shown(hint="with Gaia's columns (FITS, VOTable, ECSV, CSV), or: gaia", is_file=True)
    ] = Field(
        "",
        title="Table",
        description="Table of stars with Gaia's columns (FITS, VOTable, ECSV or CSV), "
        "or 'gaia' to fetch them from its archive",
    )
    find: bool = Field(
        False,
        title="without one, look for them on the images",
        description="Without a catalogue, look for stars on the images",
    )
    parallax_snr: Annotated[float, RECIPE_ONLY] = Field(
        3.0, gt=0, description="Parallax over its error from which a star is the Milky Way's"
    )
    motion_snr: Annotated[float, RECIPE_ONLY] = Field(
        5.0, gt=0, description="... or proper motion over its error"
    )
    epoch: Annotated[float | None, RECIPE_ONLY] = Field(
        None, ge=1850, le=2100, description="Year of the images; None: as their headers say"
    )
    seen: Annotated[float, RECIPE_ONLY] = Field(
        3.0, gt=0, description="Peak over its error from which a star is seen in a band"
    )
    tie: Annotated[float, RECIPE_ONLY] = Field(
        1.0, ge=0, description="Strength of the ties to the band before"
    )
    leak: Annotated[float, RECIPE_ONLY] = Field(
        0.01,
        gt=0,
        lt=1,
        description="Fraction of a star's light that may remain outside its circle",
    )
    depth: Annotated[float, RECIPE_ONLY] = Field(
        1.0, gt=0, description="A circle reaches to where the wings are this many times the noise"
    )
    largest: Annotated[float, _ARCSEC, RECIPE_ONLY] = Field(
        90.0, gt=0, description="Largest radius of a circle"
    )
    runaway: Annotated[float, RECIPE_ONLY] = Field(
        2.5, gt=1, description="A fit ran away where it is this many PSFs wide"
    )
    nucleus: Annotated[float, _ARCSEC, RECIPE_ONLY] = Field(
        3.0, ge=0, description="Radius about the galaxy's centre, never masked"
    )
    threshold: Annotated[float, _SIGMA, RECIPE_ONLY] = Field(
        8.0, gt=1, description="Without a catalogue, least height of a star"
    )


class PsfSettings(_Section):
    """Bringing every band to one PSF."""

    enabled: bool = Field(True, description="Match the PSFs")
    target: Annotated[float | str, Shown(hint="″, a band or a file; auto: the widest")] = Field(
        "auto",
        title="Common PSF",
        description="FWHM in arcsec, a band's name, a FITS file of a PSF, "
        "or 'auto': the widest of the bands",
        examples=["auto", "WISE_12", "WISE_22", "12", "18"],
    )
    kernels: Annotated[dict[str, str], Shown(hint="none: made from the PSFs")] = Field(
        default_factory=dict,
        title="Kernel for",
        description="By band name, a FITS file of a ready kernel",
    )
    broader: Literal["leave out", "keep"] = Field(
        "leave out",
        title="Broader bands",
        description="What becomes of bands whose PSF is wider than the target",
    )
    min_weight: Annotated[float, RECIPE_ONLY] = Field(
        0.5, gt=0, le=1, description="Blank where valid pixels carry less of the kernel than this"
    )


class GridSettings(_Section):
    """The common grid."""

    pixel: Annotated[
        float | str, AfterValidator(_pixel), Shown(hint="″, or pc; auto: a third of the PSF")
    ] = Field(
        "auto",
        title="Pixel",
        description="Pixel in arcsec, in parsec ('500 pc', '1.5 kpc'), "
        "or 'auto': a third of the common PSF",
        examples=["auto", "6", "12", "18", "25", "36", "150 pc", "500 pc", "1 kpc", "3 kpc"],
    )
    extent: Annotated[float, _SEMI_MAJOR, Shown(increment=0.25)] = Field(
        1.25, gt=0, le=10, title="Half-size", description="Half-size of the grid"
    )
    cut: bool = Field(
        True, title="inside the ellipse only", description="Predict inside the ellipse only"
    )


class ErrorSettings(_Section):
    """What enters the error of a pixel."""

    background: bool = Field(
        True,
        title="background",
        description="Clipped rms of the background, after convolution",
    )
    poisson: bool = Field(
        True,
        title="Poisson",
        description="Poisson noise of the source, where a gain is given or a header tells it",
    )
    calibration: bool = Field(
        True, title="calibration", description="Calibration error of each band"
    )
    reddening: bool = Field(
        True, title="reddening", description="Scatter of the reddening over the field"
    )
    gain: Annotated[
        dict[str, Annotated[float, Field(gt=0)]],
        Shown(hint="electrons per unit; empty: as its header says"),
    ] = Field(
        default_factory=dict,
        title="Gain of",
        description="By band name, electrons (or detected photons) per unit of the image",
    )


class ImputeSettings(_Section):
    """Filling of what is missing by model spectra fitted to the other bands of each pixel."""

    enabled: bool = Field(
        True, description="Fill gaps and negative pixels; off, the model takes them as they are"
    )
    bands: Literal["given", "all"] = Field(
        "given",
        title="Bands",
        description="Fill the bands that are there, or also those of the model that are not",
    )
    n_models: Annotated[int, Shown(increment=10_000)] = Field(
        10_000,
        ge=100,
        le=2_000_000,
        title="Model spectra",
        description="Number of model spectra; the rest is as in sed",
    )


Nodes = Annotated[list[float], Field(min_length=1)]


class LibrarySettings(_Section):
    """The library of model spectra, by which missing bands are filled and dust is measured where
    the far infrared is seen.
    """

    prior: Literal["broad", "dustpedia"] = Field(
        "broad",
        description="What is thought likely: broad, or the CIGALE grid of the DustPedia galaxies",
    )
    n_models: int = Field(50_000, ge=100, le=2_000_000, description="Number of models")
    seed: int = Field(1, ge=0, description="Seed of the draws")
    sampling: Literal["random", "grid"] = Field(
        "random", description="Draw between the nodes, or take the nodes themselves"
    )
    imf: Literal["salpeter", "chabrier"] = Field("salpeter", description="Initial mass function")
    extra_error: float = Field(
        0.1, ge=0, le=1, description="Fraction of the flux added to every error in quadrature"
    )
    age_myr: Annotated[Nodes | None, _MYR] = Field(
        None, description="Nodes of the age of the oldest stars; None: the prior's"
    )
    tau_myr: Annotated[Nodes | None, _MYR] = Field(
        None, description="Nodes of the time scale of the star formation"
    )
    change_age_myr: Annotated[Nodes | None, _MYR] = Field(
        None, description="Nodes of the time since a change of star formation"
    )
    change: Nodes | None = Field(
        None, description="... and by which factor: a burst or a truncation: nodes"
    )
    metallicity: Nodes | None = Field(None, description="Mass fraction of metals: nodes")
    ebv: Annotated[Nodes | None, _MAG] = Field(
        None, description="Nodes of E(B-V), of stars younger than 10 Myr and of gas"
    )
    old_factor: Nodes | None = Field(None, description="E(B-V) of older stars over that: nodes")
    slope: Nodes | None = Field(None, description="Tilt of the starburst attenuation law: nodes")
    bump: Nodes | None = Field(
        None, description="Height of its ultraviolet bump, 3 in the Milky Way: nodes"
    )
    qhac: Nodes | None = Field(None, description="Mass fraction of small dust grains: nodes")
    umin: Nodes | None = Field(None, description="Lowest radiation field that heats dust: nodes")
    gamma: Nodes | None = Field(None, description="Fraction of the dust in higher fields: nodes")


class ModelSettings(_Section):
    """The model and where it runs."""

    name: str = Field("dust-forest", description="Name of the model")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        "auto", description="Where the model runs"
    )


class Recipe(_Section):
    """Settings of every step, from files to maps."""

    galaxy: GalaxySettings = Field(default_factory=GalaxySettings)
    input: InputSettings = Field(default_factory=InputSettings)
    sky: SkySettings = Field(default_factory=SkySettings)
    reddening: ReddeningSettings = Field(default_factory=ReddeningSettings)
    stars: StarSettings = Field(default_factory=StarSettings)
    psf: PsfSettings = Field(default_factory=PsfSettings)
    grid: GridSettings = Field(default_factory=GridSettings)
    errors: ErrorSettings = Field(default_factory=ErrorSettings)
    impute: ImputeSettings = Field(default_factory=ImputeSettings)
    sed: LibrarySettings = Field(default_factory=LibrarySettings)
    model: ModelSettings = Field(default_factory=ModelSettings)

    def to_toml(self) -> str:
        """The recipe as TOML text; settings that are None are left out."""
        import tomli_w

        return tomli_w.dumps(self.model_dump(exclude_none=True))

    @classmethod
    def from_toml(cls, text: str, source: str = "the recipe") -> Recipe:
        """The recipe in TOML `text`.

        Raises
        ------
        RecipeError
            When the text is not TOML, or a setting is unknown or out of range; `source` names the
            file.
        """
        try:
            tree = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RecipeError(
                f"{source} is not TOML ({error}); correct it or leave it out."
            ) from None
        return cls.from_tree(tree, source)

    @classmethod
    def from_tree(cls, tree: dict[str, Any], source: str = "the recipe") -> Recipe:
        """The recipe of nested dictionaries.

        Raises
        ------
        RecipeError
            When a setting is unknown or out of range.
        """
        try:
            return cls.model_validate(tree)
        except ValidationError as error:
            raise RecipeError(f"{source}: {_in_words(error)}.") from None

    def with_values(self, assignments: Iterable[str]) -> Recipe:
        """A copy with settings changed by ``"step.key=value"`` texts, or
        ``"errors.gain.SDSS_r=4.2"`` for one band.

        Raises
        ------
        RecipeError
            When a text has another form, or its setting is unknown or out of range.
        """
        tree = self.model_dump()
        for text in assignments:
            key, equals, value = text.partition("=")
            section, dot, name = key.strip().partition(".")
            if not (equals and dot and name):
                raise RecipeError(
                    f"{text!r} is not of the form STEP.KEY=VALUE, as in sky.model=plane."
                )
            name, dot, entry = name.partition(".")
            if (
                section not in tree
                or name not in tree[section]
                or (dot and not isinstance(tree[section][name], dict))
            ):
                known = [f"{s}.{k}" for s, keys in tree.items() for k in keys]
                raise RecipeError(
                    f"There is no setting {key.strip()!r}; the settings are {', '.join(known)}."
                )
            if dot:
                tree[section][name][entry] = _parse(value.strip())
            else:
                tree[section][name] = _parse(value.strip())
        return self.from_tree(tree, "The settings")


def filling_settings(recipe: Recipe) -> LibrarySettings:
    """The settings of the library by which gaps are filled."""
    return recipe.sed.model_copy(update={"n_models": recipe.impute.n_models})


def _parse(text: str) -> Any:
    """A TOML value where `text` is one, else the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _in_words(error: ValidationError) -> str:
    parts = []
    for item in error.errors():
        where = ".".join(
            str(p)
            for p in item["loc"]
            if not str(p).startswith(("float", "str", "literal", "function"))
        )
        what = "no such setting" if item["type"] == "extra_forbidden" else item["msg"].lower()
        parts.append(f"{where}: {what}")
    return "; ".join(dict.fromkeys(parts))
