"""The settings of every step: one recipe, shared by window, command line, TOML files and result
headers.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    model_validator,
)

from ..exceptions import InputError, RecipeError
from . import ranges
from .angles import parse_angle
from .assignments import assign
from .section import Section, Settings, problem, what_is_wrong
from .setting import RECIPE_ONLY, Range, Shown, Unit
from .sharpen_settings import SharpenSettings
from .star_settings import StarSettings
from .zero_points import FORM, parse_zero_point

_D25 = Unit("× D25", "units of the D25 ellipse")
_SEMI_MAJOR = Unit("× a", "semi-major axes of the D25 ellipse")


def parsec_of(pixel: float | str) -> float | None:
    """Side in parsec of a pixel given as ``"500 pc"`` or ``"1.5 kpc"``; None where it is given
    otherwise.
    """
    found = re.fullmatch(r"\s*((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(k?)pc\s*", str(pixel))
    return float(found[1]) * (1000 if found[2] else 1) if found else None


def _zero_point(text: str) -> str:
    """A zero point that is understood."""
    if parse_zero_point(text) is None:
        raise problem(f"{text!r} is no zero point; give one such as {FORM}")
    return text


def _number_in_quotes(value: float | str) -> float | str:
    """A number, where that is what words are."""
    try:
        return float(value)
    except ValueError:
        return value


def _pixel(value: float | str) -> float | str:
    """A pixel as it may be given; a number in quotes becomes one."""
    value = _number_in_quotes(value)
    if isinstance(value, str) and value != "auto":
        size = parsec_of(value)
        if size is None:
            raise problem(
                f"{value!r} is no pixel; give arcsec, a length such as '500 pc' or '1.5 kpc', "
                "or 'auto'"
            )
        trouble = ranges.PIXEL_PC.trouble(size)
        if trouble:
            raise problem(trouble)
    return value


def _degrees(hours: bool) -> BeforeValidator:
    """Degrees of a position that may be written as people write it, in hours or degrees."""

    def read(value: Any) -> Any:
        if isinstance(value, time):  # TOML takes hours, minutes and seconds for one
            value = value.isoformat()
        if not isinstance(value, str):
            return value
        try:
            return parse_angle(value, hours)
        except InputError as error:
            raise problem(str(error).removesuffix(".")) from None

    return BeforeValidator(read)


class GalaxySettings(Section):
    """What is known of the galaxy."""

    name: str = Field("", max_length=200, description="Name of the galaxy")
    ra: Annotated[float | None, ranges.RA, _degrees(hours=True)] = Field(
        None, description="Right ascension, ICRS"
    )
    dec: Annotated[float | None, ranges.DEC, _degrees(hours=False)] = Field(
        None, description="Declination, ICRS"
    )
    distance: Annotated[float | None, ranges.DISTANCE] = Field(None, description="Distance")
    redshift: Annotated[float | None, ranges.REDSHIFT] = Field(
        None,
        description="Redshift, for colours and model spectra, and for a distance by the Hubble "
        "flow (Planck 2018) where none is given; 0 nearby, and what is not given is not 0",
    )
    hubble_stage: Annotated[float | None, ranges.HUBBLE_STAGE] = Field(
        None, description="Hubble stage T: -5 = E … 10 = Irr; with it the dust's mass is surer"
    )
    d25: Annotated[float | None, ranges.D25] = Field(None, description="Diameter D25")
    axis_ratio: Annotated[float, ranges.AXIS_RATIO] = Field(
        1.0, description="Axis ratio b/a of the D25 ellipse"
    )
    position_angle: Annotated[float, ranges.POSITION_ANGLE] = Field(
        0.0, description="Position angle, east of north"
    )


Role = Literal["image", "uncertainty", "variance", "weight", "exposure", "mask", "psf", "ignore"]
"""What an image may be for; a weight is an inverse variance."""


class InputSettings(Section):
    """What a person says about the files where the headers do not, or say it wrongly."""

    bands: dict[str, str] = Field(default_factory=dict, description="Band by file name")
    roles: dict[str, Role] = Field(
        default_factory=dict, description="What an image is for, by file or FILE[EXTENSION]"
    )
    leave_out: list[str] = Field(
        default_factory=list, description="Files, or FILE[EXTENSION], that are not to be used"
    )
    units: dict[str, str] = Field(default_factory=dict, description="Unit by file, band or survey")
    zero_points: dict[str, Annotated[str, AfterValidator(_zero_point)]] = Field(
        default_factory=dict,
        description="Magnitude of one count by file, band or survey, such as '22.5 AB per second'",
    )
    beams: Annotated[dict[str, float], ranges.BEAM] = Field(
        default_factory=dict, description="Solid angle of the beam, by file or band"
    )
    stand_in: bool = Field(False, description="Let other cameras' bands stand in for missing ones")
    psf: Annotated[
        dict[str, Annotated[float | str, AfterValidator(_number_in_quotes)]],
        ranges.FWHM,
        Shown(hint="its FWHM in ″, or a FITS file of it"),
    ] = Field(
        default_factory=dict,
        title="PSF of",
        description="By band name, the FWHM in arcsec or a FITS file of the PSF",
    )


class SkySettings(Section):
    """Subtraction of the sky from every image."""

    enabled: bool = Field(True, description="Subtract the sky")
    model: Literal["constant", "plane", "polynomial"] = Field(
        "constant", title="Shape", description="Shape of the sky"
    )
    order: Annotated[int, Range(1, 5), Shown(only_for=("model", "polynomial"))] = Field(
        5,
        title="Order up to",
        description="Highest order of a polynomial; lower where that fits as well",
    )
    clip: Annotated[float, Range(1.5, 10, ranges.SIGMA), Shown(increment=0.5)] = Field(
        3.0, title="Clipped at", description="Clipping limit"
    )
    exclude: Annotated[float, Range(1, 20, _D25), Shown(increment=0.25)] = Field(
        1.25, title="Outside", description="Inner edge of the sky that is looked at"
    )
    reach: Annotated[float, Range(1.01, 100, _D25), RECIPE_ONLY] = Field(
        3.0, title="Inside", description="Outer edge of the sky that is looked at"
    )

    @model_validator(mode="after")
    def _edges_in_order(self) -> SkySettings:
        if self.exclude >= self.reach:
            raise problem(
                f"exclude, {self.exclude:g}, is the inner edge, and must be under reach, "
                f"{self.reach:g}"
            )
        return self


class ReddeningSettings(Section):
    """Removal of the Milky Way's reddening."""

    enabled: bool = Field(True, description="Remove the Milky Way's reddening")
    ebv: Annotated[
        float | None, ranges.EBV, Shown(hint="of a header or the map, if left empty")
    ] = Field(None, title="E(B−V)", description="E(B-V), as Schlegel+ 1998")
    map: Annotated[str, Shown(hint="a FITS map of E(B−V)", is_file=True)] = Field(
        "",
        title="Map",
        description="Map of E(B-V): a FITS file, or the name of a map of dustmaps",
    )

    @model_validator(mode="after")
    def _one_answer(self) -> ReddeningSettings:
        if self.ebv is not None and self.map:
            raise problem("ebv and map are two answers to one question; give one of them")
        return self


class PsfSettings(Section):
    """Bringing every band to one PSF."""

    enabled: bool = Field(True, description="Match the PSFs")
    target: Annotated[
        float | str,
        AfterValidator(_number_in_quotes),
        ranges.FWHM,
        Shown(hint="″, a band or a file; auto: the widest"),
    ] = Field(
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
    min_weight: Annotated[float, Range(0.01, 1), RECIPE_ONLY] = Field(
        0.5, description="Blank where valid pixels carry less of the kernel than this"
    )


class GridSettings(Section):
    """The common grid."""

    pixel: Annotated[
        float | str,
        AfterValidator(_pixel),
        ranges.PIXEL,
        Shown(hint="″, or pc; auto: a third of the PSF"),
    ] = Field(
        "auto",
        title="Pixel",
        description="Pixel in arcsec, in parsec ('500 pc', '1.5 kpc'), "
        "or 'auto': a third of the common PSF",
        examples=["auto", "6", "12", "18", "25", "36", "150 pc", "500 pc", "1 kpc", "3 kpc"],
    )
    extent: Annotated[float, Range(0.1, 10, _SEMI_MAJOR), Shown(increment=0.25)] = Field(
        1.25, title="Half-size", description="Half-size of the grid"
    )
    cut: bool = Field(
        True, title="inside the ellipse only", description="Predict inside the ellipse only"
    )


class ErrorSettings(Section):
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
        dict[str, float],
        Range(1e-15, 1e15),
        Shown(hint="electrons per unit; empty: as its header says"),
    ] = Field(
        default_factory=dict,
        title="Gain of",
        description="By band name, electrons (or detected photons) per unit of the image",
    )


class FillSettings(Section):
    """The light under masks, estimated from what surrounds them."""

    enabled: bool = Field(
        True,
        description="Estimate the light under masks, for sums and for models that look at images; "
        "off, what is masked is left out",
    )


class ImputeSettings(Section):
    """Filling of what is missing by model spectra fitted to the other bands of each pixel."""

    enabled: bool = Field(
        True, description="Fill gaps and negative pixels; off, the model takes them as they are"
    )
    bands: Literal["given", "all"] = Field(
        "given",
        title="Bands",
        description="Fill the bands that are there, or also those of the model that are not",
    )
    n_models: Annotated[int, Range(100, 2_000_000), Shown(increment=10_000)] = Field(
        10_000,
        title="Model spectra",
        description="Number of model spectra; the rest is as in sed",
    )


Nodes = Annotated[list[float], Field(min_length=1)]


class LibrarySettings(Section):
    """The library of model spectra, by which missing bands are filled and dust is measured where
    the far infrared is seen.
    """

    prior: Literal["broad", "dustpedia"] = Field(
        "broad",
        description="What is thought likely: broad, or the CIGALE grid of the DustPedia galaxies",
    )
    n_models: Annotated[int, Range(100, 2_000_000)] = Field(50_000, description="Number of models")
    seed: Annotated[int, Range(0, 2**53)] = Field(1, description="Seed of the draws")
    sampling: Literal["random", "grid"] = Field(
        "random", description="Draw between the nodes, or take the nodes themselves"
    )
    imf: Literal["salpeter", "chabrier"] = Field("salpeter", description="Initial mass function")
    extra_error: Annotated[float, Range(0, 1)] = Field(
        0.1, description="Fraction of the flux added to every error in quadrature"
    )
    age_myr: Annotated[Nodes | None, Range(100, 14000, ranges.MYR)] = Field(
        None, description="Nodes of the age of the oldest stars; None: the prior's"
    )
    tau_myr: Annotated[Nodes | None, Range(1, 1e6, ranges.MYR)] = Field(
        None, description="Nodes of the time scale of the star formation"
    )
    change_age_myr: Annotated[Nodes | None, Range(1, 5000, ranges.MYR)] = Field(
        None, description="Nodes of the time since a change of star formation"
    )
    change: Annotated[Nodes | None, Range(0, 1e4)] = Field(
        None, description="... and by which factor: a burst or a truncation: nodes"
    )
    metallicity: Annotated[Nodes | None, Range(1e-4, 0.05)] = Field(
        None, description="Mass fraction of metals: nodes"
    )
    ebv: Annotated[Nodes | None, ranges.EBV] = Field(
        None, description="Nodes of E(B-V), of stars younger than 10 Myr and of gas"
    )
    old_factor: Annotated[Nodes | None, Range(0, 1)] = Field(
        None, description="E(B-V) of older stars over that: nodes"
    )
    slope: Annotated[Nodes | None, Range(-1.5, 1.5)] = Field(
        None, description="Tilt of the starburst attenuation law: nodes"
    )
    bump: Annotated[Nodes | None, Range(0, 10)] = Field(
        None, description="Height of its ultraviolet bump, 3 in the Milky Way: nodes"
    )
    qhac: Annotated[Nodes | None, Range(0.02, 0.4)] = Field(
        None, description="Mass fraction of small dust grains: nodes"
    )
    umin: Annotated[Nodes | None, Range(0.1, 80)] = Field(
        None, description="Lowest radiation field that heats dust: nodes"
    )
    gamma: Annotated[Nodes | None, Range(0, 1)] = Field(
        None, description="Fraction of the dust in higher fields: nodes"
    )


class ModelSettings(Section):
    """The model and where it runs."""

    name: str = Field("dust-forest", description="Name of the model")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        "auto", description="Where the model runs"
    )
    prior: Literal["relations", "wide"] = Field(
        "relations",
        description="What a model that can do either takes for likely: the scaling relations of "
        "galaxies (mass and metals, mass and star formation), or anything alike",
    )
    members: Annotated[int, ranges.MEMBERS] = Field(
        1,
        description="In how many orientations (turned, mirrored) a model that looks at images sees "
        "the galaxy, to average what it says; so many times as long",
    )


class Recipe(Settings):
    """Settings of every step, from files to maps."""

    galaxy: GalaxySettings = Field(default_factory=GalaxySettings)
    input: InputSettings = Field(default_factory=InputSettings)
    sky: SkySettings = Field(default_factory=SkySettings)
    reddening: ReddeningSettings = Field(default_factory=ReddeningSettings)
    stars: StarSettings = Field(default_factory=StarSettings)
    psf: PsfSettings = Field(default_factory=PsfSettings)
    grid: GridSettings = Field(default_factory=GridSettings)
    errors: ErrorSettings = Field(default_factory=ErrorSettings)
    fill: FillSettings = Field(default_factory=FillSettings)
    impute: ImputeSettings = Field(default_factory=ImputeSettings)
    sed: LibrarySettings = Field(default_factory=LibrarySettings)
    model: ModelSettings = Field(default_factory=ModelSettings)
    sharpen: SharpenSettings = Field(default_factory=SharpenSettings)

    @model_validator(mode="before")
    @classmethod
    def _of_an_older_program(cls, tree: Any) -> Any:
        """What a result names is every section; one without this was made when masks were not
        filled yet, and keeps its numbers.
        """
        if isinstance(tree, dict) and "fill" not in tree and tree.keys() >= _ALWAYS_NAMED:
            return {**tree, "fill": {"enabled": False}}
        return tree

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
        except (ValueError, RecursionError) as error:
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
            wrong = "; ".join(f"{where}: {what}" for where, what in what_is_wrong(error).items())
            raise RecipeError(f"{source}: {wrong}.") from None

    def with_values(self, assignments: Iterable[str]) -> Recipe:
        """A copy with settings changed by ``"step.key=value"`` texts, or
        ``"errors.gain.SDSS_r=4.2"`` for one band.

        Raises
        ------
        RecipeError
            When a text has another form, its setting is unknown or out of range, or two texts
            answer one question.
        """
        tree = self.model_dump()
        assign(tree, assignments)
        return self.from_tree(tree, "The settings")


_ALWAYS_NAMED = frozenset(
    ("galaxy", "sky", "reddening", "stars", "psf", "grid", "errors", "impute", "model")
)


def filling_settings(recipe: Recipe) -> LibrarySettings:
    """The settings of the library by which gaps are filled."""
    return recipe.sed.model_copy(update={"n_models": recipe.impute.n_models})
