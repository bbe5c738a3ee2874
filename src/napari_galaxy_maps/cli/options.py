"""Options that several commands share, and the recipe that they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ..data import ranges
from ..data.setting import Range
from ..exceptions import InputError, RecipeError

if TYPE_CHECKING:
    from ..data.galaxy import Ellipse
    from ..data.recipe import GalaxySettings, Recipe

N = TypeVar("N", int, float)

IMAGES = "FITS files or folders"
IMAGES_OR_CUBE = "FITS files or folders, or one prepared cube"
MEASURABLE = "maps, a prepared cube, an image or a folder of images"
DEVICES = ("auto", "cpu", "cuda", "mps")

GALAXY_OPTIONS: dict[str, tuple[Range | None, str]] = {
    "ra": (None, "right ascension (ICRS), degrees or hh:mm:ss"),
    "dec": (None, "declination (ICRS), degrees or dd:mm:ss"),
    "distance": (ranges.DISTANCE, "distance in Mpc"),
    "redshift": (
        ranges.REDSHIFT,
        "redshift, for colours and model spectra, and for a distance by the Hubble flow where none "
        "is given",
    ),
    "hubble_stage": (
        ranges.HUBBLE_STAGE,
        "Hubble stage T, from -5 (elliptical) to 10 (irregular), with which the mass of dust is "
        "surer",
    ),
    "d25": (ranges.D25, "diameter D25 in arcmin"),
    "axis_ratio": (ranges.AXIS_RATIO, "axis ratio b/a of the D25 ellipse"),
    "position_angle": (ranges.POSITION_ANGLE, "position angle in degrees east of north"),
}
"""By setting, the range of the option's number (none where the recipe reads text) and its help."""

_OPTION_SETTINGS = (
    *((f"galaxy.{key}", key) for key in ("name", *GALAXY_OPTIONS)),
    ("psf.target", "resolution"), ("grid.pixel", "pixel"), ("grid.pixel", "pixel_pc"),
    ("reddening.ebv", "ebv"), ("reddening.map", "reddening_map"), ("stars.catalogue", "stars"),
    ("input.stand_in", "stand_in"), ("model.name", "model"), ("model.prior", "prior"),
    ("model.members", "members"), ("model.device", "device"),
)  # fmt: skip
"""Settings of the recipe, and the options of their own that set them."""

_ASKED_FOR = {
    "overwrite": ("overwrite",),
    "apertures": ("ellipse", "regions"),
    "fwhm": ("fwhm",),
    "resume": ("resume",),
    "sharpen.image": ("image",),
    "sharpen.fwhm": ("coarse_fwhm",),
    "sharpen.coarse": (),  # an argument without a name
    "input.leave_out": ("leave_out",),
}
"""What errors ask for besides, and the options that give it."""

INPUT_PAIRS = {
    "band": ("bands", "FILE=BAND"),
    "role": ("roles", "FILE=ROLE"),
    "unit": ("units", "FILE_OR_BAND=UNIT"),
    "zero_point": ("zero_points", "FILE_OR_BAND=ZERO_POINT"),
    "beam": ("beams", "FILE_OR_BAND=ARCSEC2"),
    "psf": ("psf", "FILE_OR_BAND=FWHM_OR_FILE"),
}
"""Options that say what files are, with their setting and their form."""

PREPARING = (
    "recipe", *INPUT_PAIRS, "leave_out", "stand_in", "name", *GALAXY_OPTIONS, "table", "ebv",
    "reddening_map",
    "stars", "mask", "resolution", "kernel", "pixel", "pixel_pc",
)  # fmt: skip
"""Options of `add_recipe_options` that say how images are prepared."""


def option_name(option: str) -> str:
    """An option as it is written on the command line."""
    return f"--{option.replace('_', '-')}"


def options_of(settings: Sequence[str]) -> str:
    """The options that set something that an error asks for: `exceptions.Places`."""
    of_input = {f"input.{key}": (option,) for option, (key, _) in INPUT_PAIRS.items()}
    found: dict[str, None] = {}
    for setting in settings:
        own = tuple(option for key, option in _OPTION_SETTINGS if key == setting)
        own = own or {**of_input, **_ASKED_FOR}.get(setting, ())
        found |= dict.fromkeys(map(option_name, own))
    return ", ".join(found)


def join_words(words: Sequence[str]) -> str:
    """Words in a row, with "and" before the last."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def refuse_idle(arguments: argparse.Namespace, options: Sequence[str], why: str) -> None:
    """Refuse options that are given and would have no effect, for a reason.

    Raises
    ------
    RecipeError
        When one of them is given.
    """
    idle = [option_name(name) for name in options if getattr(arguments, name) not in (None, [])]
    if idle:
        raise RecipeError(f"{join_words(idle)} would have no effect: {why}.")


def add_paths(parser: argparse.ArgumentParser, text: str) -> None:
    """The files to work on."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help=text)


def add_device(parser: argparse.ArgumentParser, text: str) -> None:
    """Where the work is done."""
    parser.add_argument("--device", choices=DEVICES, help=text)


def add_quiet(parser: argparse._ActionsContainer) -> None:
    """Nothing is printed."""
    parser.add_argument(
        "--quiet", action="store_true", help="say nothing unless something is wrong"
    )


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """What the files do not say of themselves, or say wrongly."""
    group = parser.add_argument_group("what the files are")
    group.add_argument(
        "--band",
        action="append",
        default=[],
        metavar="FILE=BAND",
        help="band of a file (repeatable)",
    )
    group.add_argument(
        "--role",
        action="append",
        default=[],
        metavar="FILE=ROLE",
        help="what an image is for: image, uncertainty, variance, weight, exposure, mask, psf or "
        "ignore; FILE may be FILE[EXTENSION] or FILE[EXTENSION][PLANE] (repeatable)",
    )
    group.add_argument(
        "--leave-out",
        action="append",
        default=[],
        metavar="FILE",
        help="leave out a file, FILE[EXTENSION] or FILE[EXTENSION][PLANE] (repeatable)",
    )
    group.add_argument(
        "--unit",
        action="append",
        default=[],
        metavar="FILE_OR_BAND=UNIT",
        help="unit of a file, or of all of a band or survey (repeatable)",
    )
    group.add_argument(
        "--zero-point",
        action="append",
        default=[],
        metavar="FILE_OR_BAND=ZERO_POINT",
        help="magnitude of one count, as '22.5 AB', 'Vega' or '25 AB per second' (repeatable)",
    )
    group.add_argument(
        "--beam",
        action="append",
        default=[],
        metavar="FILE_OR_BAND=ARCSEC2",
        help="solid angle of the beam of an image in Jy/beam (repeatable)",
    )
    group.add_argument(
        "--psf",
        action="append",
        default=[],
        metavar="FILE_OR_BAND=FWHM_OR_FILE",
        help="PSF of a file or band: its FWHM in arcsec, or a FITS picture of it (repeatable)",
    )


def add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """All that decides how a galaxy is prepared."""
    add_input_options(parser)
    _add_galaxy_options(parser)
    _add_milky_way_options(parser)
    _add_setting_options(parser)


def _add_galaxy_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the galaxy")
    group.add_argument("--name", help="name of the galaxy")
    for name, (limits, text) in GALAXY_OPTIONS.items():
        kind = number(limits) if limits is not None else str
        group.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar="X", help=text)
    group.add_argument(
        "--table", action="append", default=[], metavar="FILE",
        help="a table of galaxies that tells all this (e.g. of HyperLEDA), by name or position; "
        "what options tell comes first (repeatable)",
    )  # fmt: skip


def _add_milky_way_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the Milky Way")
    group.add_argument("--ebv", type=number(ranges.EBV), metavar="MAG", help="its reddening E(B-V)")
    group.add_argument(
        "--reddening-map", metavar="FILE", help="a map of E(B-V), or the name of one of dustmaps"
    )
    group.add_argument(
        "--stars",
        metavar="TABLE",
        help="its stars, a table with Gaia's columns, or 'gaia' to fetch them; masked band by band",
    )
    group.add_argument(
        "--mask",
        action="append",
        default=[],
        metavar="FILE.reg",
        help="DS9 regions to mask (repeatable)",
    )


def _add_setting_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("settings")
    group.add_argument(
        "--stand-in",
        action="store_true",
        default=None,
        help="let another camera's band, such as DECam_g, stand in for the models' band beside it, "
        "SDSS_g, where that is not there",
    )
    group.add_argument(
        "--resolution",
        metavar="ARCSEC_OR_BAND",
        help="the common PSF: its FWHM, a band, or a FITS file of a PSF",
    )
    group.add_argument(
        "--kernel", action="append", default=[], metavar="BAND=FILE",
        help="a ready kernel that brings a band to the common PSF (repeatable)",
    )  # fmt: skip
    pixels = group.add_mutually_exclusive_group()
    pixels.add_argument(
        "--pixel",
        type=number(ranges.PIXEL),
        metavar="ARCSEC",
        help="pixel of the common grid",
    )
    pixels.add_argument(
        "--pixel-pc",
        type=number(ranges.PIXEL_PC),
        metavar="PC",
        help="the same in parsec; needs a distance",
    )
    group.add_argument(
        "--recipe", metavar="FILE", help="settings from a TOML file or an earlier result"
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="STEP.KEY=VALUE",
        help="any setting (repeatable)",
    )
    group.add_argument("--overwrite", action="store_true", help="replace the output if it is there")
    add_quiet(group)


def recipe_of(arguments: argparse.Namespace) -> Recipe:
    """The recipe that the options ask for: a file's, changed by what the options say."""
    from ..data.recipe import Recipe
    from ..fits_io.recipe_files import read_recipe

    path = getattr(arguments, "recipe", None)
    return changed_by_options(read_recipe(path) if path else Recipe(), arguments)


def changed_by_options(recipe: Recipe, arguments: argparse.Namespace) -> Recipe:
    """A recipe changed by --set and by the options that set something of their own.

    Raises
    ------
    RecipeError
        When a value makes no sense, or options give two answers to one question.
    """
    from ..data.assignments import settle_alternatives
    from ..data.recipe import Recipe

    asked = _asked(arguments)
    assignments = getattr(arguments, "set", [])
    for text in assignments:
        key = text.partition("=")[0].strip()
        if key in asked:
            raise RecipeError(
                f"{asked[key][0]} and --set {text} both say what {key} is; give one of them."
            )
    recipe = recipe.with_values(assignments)
    tree = recipe.model_dump()
    for option, (key, form) in INPUT_PAIRS.items():
        given = getattr(arguments, option, [])
        name = f"--{option.replace('_', '-')}"
        tree["input"][key].update(parse_pairs(given, name, form))
    tree["input"]["leave_out"] += getattr(arguments, "leave_out", [])
    tree["psf"]["kernels"].update(
        parse_pairs(getattr(arguments, "kernel", []), "--kernel", "BAND=FILE")
    )
    if getattr(arguments, "table", []):
        tree["galaxy"].update(_from_tables(arguments, recipe.galaxy))
    for key, (_, value) in asked.items():
        section, _, name = key.partition(".")
        tree[section][name] = value
    settle_alternatives(tree, [*asked, *assignments])
    return Recipe.from_tree(tree, "The options")


def _asked(arguments: argparse.Namespace) -> dict[str, tuple[str, Any]]:
    """By setting, the option that asks for it and its value."""
    found: dict[str, tuple[str, Any]] = {}
    for key, option in _OPTION_SETTINGS:
        value = getattr(arguments, option, None)
        if value is None:
            continue
        if option == "pixel_pc":
            value = f"{value:.10g} pc"
        found[key] = (option_name(option), value)
    return found


def _from_tables(arguments: argparse.Namespace, known: GalaxySettings) -> dict[str, Any]:
    """What the tables of --table hold of the galaxy; the first that has a value counts."""
    from ..data.recipe import Recipe
    from ..fits_io.galaxy_catalogue import galaxy_from_table

    given = {key: getattr(arguments, key) for key in ("name", "ra", "dec")}
    given = {key: value for key, value in given.items() if value is not None}
    tree = {"galaxy": {**known.model_dump(), **given}}
    wanted = Recipe.from_tree(tree, "The options").galaxy
    place = None if wanted.ra is None or wanted.dec is None else (wanted.ra, wanted.dec)
    found: dict[str, Any] = {}
    for path in arguments.table:
        row, note = galaxy_from_table(path, wanted.name, place)
        found = {**row, **found}
        if not arguments.quiet:
            print(note)
    return found


def parse_pairs(texts: Sequence[str], option: str, form: str) -> dict[str, str]:
    """``KEY=VALUE`` texts as a dictionary; a value may hold an equals sign, a key may not."""
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (equals and key and value):
            raise RecipeError(f"{option} {text!r} is not of the form {form}.")
        if found.setdefault(key, value) != value:
            raise RecipeError(
                f"{option} {key}={found[key]} and {text} contradict each other; give one of them."
            )
    return found


def ellipse_of(text: str, option: str = "--ellipse") -> Ellipse:
    """The ellipse in ``RA,DEC,A,B,PA``."""
    from ..data.galaxy import Ellipse

    ra, dec, a, b, pa = parse_numbers(text, 5, option, "RA,DEC,A,B,PA")
    for limits, value, what in (
        (ranges.RA, ra, "RA"),
        (ranges.DEC, dec, "DEC"),
        (ranges.RADIUS, a, "A"),
        (ranges.RADIUS, b, "B"),
        (ranges.POSITION_ANGLE, pa, "PA"),
    ):
        limits.check(value, f"{option} {text}: {what}")
    ranges.AXIS_RATIO.check(min(a, b) / max(a, b), f"{option} {text}: B/A")
    return Ellipse(ra, dec, a, b, pa) if a >= b else Ellipse(ra, dec, b, a, pa + 90)


def number(limits: Range) -> Callable[[str], float]:
    """How a number of an option is read: refused outside its range."""
    return _reader(float, limits, "a number")


def whole(limits: Range) -> Callable[[str], int]:
    """How a whole number of an option is read: refused outside its range."""
    return _reader(int, limits, "a whole number")


def _reader(kind: Callable[[str], N], limits: Range, what: str) -> Callable[[str], N]:
    def read(text: str) -> N:
        """A number in `limits`."""
        try:
            value = kind(text)
        except ValueError:
            written = text if len(text) < 40 else f"{text[:20]}... ({len(text)} characters)"
            raise argparse.ArgumentTypeError(f"{written!r} is not {what}") from None
        trouble = limits.trouble(value)
        if trouble:
            raise argparse.ArgumentTypeError(trouble)
        return value

    read.limits = limits  # type: ignore[attr-defined]  # for who asks a parser what it takes
    return read


def parse_numbers(text: str, n: int, option: str, form: str) -> tuple[float, ...]:
    """`n` numbers with commas between them."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != n:
        raise InputError(f"{option} {text!r} is not of the form {form}.")
    return numbers
