"""The commands `measure`, `profile` and `evaluate`: apertures, whole-galaxy values and profiles as
tables, and scores.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..data.cube import BandCube
from ..data.galaxy import BandImage, Ellipse
from ..data.maps import PropertyMaps
from ..exceptions import InputError

if TYPE_CHECKING:
    from astropy.table import QTable

    from ..measure.apertures.aperture import Aperture

Command = Callable[
    [str, Callable[[argparse.Namespace], "int | None"], str], argparse.ArgumentParser
]
Source = PropertyMaps | BandCube | BandImage

_SHOWN = (
    "name",
    "map",
    "sum",
    "sum_err",
    "sum_unit",
    "mean",
    "mean_err",
    "median",
    "mean_unit",
    "n_pixels",
    "n_masked",
    "flags",
)
_OVER = {"arcsec": "r", "kpc": "r_kpc", "r25": "r_r25", "r-half": "r_rhalf"}
_MORE_SCORES = ("r2", "chi2", "coverage68", "coverage95")
_SHOWN_PROFILE = (
    "source",
    "map",
    "r_in",
    "r_out",
    "r_kpc",
    "mean",
    "mean_err",
    "median",
    "p16",
    "p84",
    "mean_unit",
    "n_pixels",
)


def add_commands(
    command: Command, add_input_options: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Add `measure`, `profile` and `evaluate` to the command line."""
    sub = command(
        "measure", _measure, "sums, means and errors inside apertures, of maps, a cube or images"
    )
    sub.add_argument(
        "file", metavar="FILE", help="maps, a prepared cube, an image or a folder of images"
    )
    where = sub.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--ellipse",
        metavar="RA,DEC,A,B,PA",
        help="degrees, semi-axes in arcsec, degrees east of north",
    )
    where.add_argument(
        "--regions",
        metavar="FILE.reg",
        help="DS9 regions: circles, ellipses, rings, boxes, polygons",
    )
    where.add_argument(
        "--total",
        action="store_true",
        help="whole-galaxy values inside the D25 ellipse of the recipe",
    )
    sub.add_argument(
        "--annulus", metavar="IN,OUT", help="local background from a ring, in units of the aperture"
    )
    sub.add_argument(
        "--background",
        choices=["median", "mean"],
        default="median",
        help="of the ring's clipped pixels",
    )
    sub.add_argument(
        "--correct-masked",
        action="store_true",
        help="scale sums to the whole aperture where it has blanks",
    )
    sub.add_argument(
        "--cube",
        metavar="CUBE",
        help="with --total: the prepared cube, for what its integrated fluxes give",
    )
    _add_common(sub, "table")
    add_input_options(sub)

    sub = command("profile", _profile, "radial profiles over elliptical annuli, with gradients")
    sub.add_argument(
        "file", metavar="FILE", help="maps, a prepared cube, an image or a folder of images"
    )
    sub.add_argument(
        "--ellipse",
        metavar="RA,DEC,A,B,PA",
        help="out to this ellipse; without it D25 of the recipe",
    )
    sub.add_argument(
        "--isophote",
        type=float,
        metavar="ARCSEC",
        help="take the shape of the isophote at this radius",
    )
    steps = sub.add_mutually_exclusive_group()
    steps.add_argument(
        "--step", type=float, metavar="ARCSEC", help="width of the annuli (default: 3 pixels)"
    )
    steps.add_argument(
        "--r-half",
        action="store_true",
        help="annuli of 0.5 R_half out to 5, in the shape of the stellar mass map",
    )
    sub.add_argument("--truth", metavar="FILE", help="maps to measure over the same annuli")
    sub.add_argument("--fit", metavar="INNER,OUTER", help="limits of the gradients' fit in arcsec")
    sub.add_argument(
        "--figure",
        metavar="FILE",
        help="draw the profiles, one above the other: .png, .pdf or .svg",
    )
    sub.add_argument(
        "--over", choices=list(_OVER), help="radius of the figure (default: kpc where it is known)"
    )
    sub.add_argument(
        "--show", choices=["mean", "median", "growth"], default="mean", help="what the figure shows"
    )
    _add_common(sub, "profile")
    add_input_options(sub)

    sub = command(
        "evaluate",
        _evaluate,
        "score maps against truths: metrics.json, tables, figures and a report",
    )
    sub.add_argument(
        "files",
        nargs="+",
        metavar="MAPS TRUTH",
        help="maps and their truth, a pair for each galaxy",
    )
    sub.add_argument("--out", required=True, metavar="DIR", help="folder to write to")
    sub.add_argument(
        "--format", choices=["png", "pdf", "svg"], default="png", help="of the figures"
    )
    sub.add_argument("--ellipse", metavar="RA,DEC,A,B,PA", help="D25, in place of the recipe's")
    sub.add_argument(
        "--fwhm",
        type=float,
        metavar="ARCSEC",
        help="PSF of the maps, in place of what the file says",
    )
    sub.add_argument(
        "--truth-fwhm",
        type=float,
        metavar="ARCSEC",
        help="PSF of the truth, in place of what the file says",
    )
    sub.add_argument("--overwrite", action="store_true", help="replace files that are there")
    sub.add_argument("--quiet", action="store_true", help="say nothing unless something is wrong")


def _add_common(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "--out", required=True, metavar="FILE", help=f"the {what} to write, .ecsv or .csv"
    )
    parser.add_argument(
        "--map", action="append", metavar="NAME", help="only this property or band (repeatable)"
    )
    parser.add_argument(
        "--distance", type=float, metavar="MPC", help="in place of the one in the file"
    )
    parser.add_argument(
        "--correlation",
        type=float,
        metavar="PIXELS",
        help="pixels over which noise is shared, 0 for none",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the output if it is there"
    )
    parser.add_argument(
        "--quiet", action="store_true", help="say nothing unless something is wrong"
    )


def _measure(arguments: argparse.Namespace) -> None:
    from astropy.table import vstack

    from ..measure.apertures.aperture_files import write_table
    from ..measure.apertures.photometry import Options, measure_apertures

    _check_out(arguments)
    ring = _numbers(arguments.annulus, 2, "--annulus", "IN,OUT") if arguments.annulus else None
    options = Options(
        (ring[0], ring[1]) if ring else None, arguments.background, arguments.correct_masked
    )
    sources = read_sources(arguments)
    if arguments.total:
        table = _totals(arguments, sources)
        shown = tuple(
            name
            for name in table.colnames
            if name not in ("n_masked", "what", "err_max", "log10_err_max")
        )
    else:
        tables = [
            measure_apertures(_planes(source, arguments), _apertures(arguments, source), options)
            for source in sources
        ]
        notes = list(dict.fromkeys(note for part in tables for note in part.meta.pop("notes")))
        for part in tables:
            part.meta.clear()
        table = vstack(tables) if len(tables) > 1 else tables[0]
        table.meta["notes"], shown = notes, _SHOWN
    _finish(arguments, table, shown, write_table)


def _totals(arguments: argparse.Namespace, sources: list[Source]) -> QTable:
    from ..fits_io.cube_files import read_cube
    from ..fits_io.recipe_files import read_recipe
    from ..measure.apertures.totals import galaxy_totals
    from ..pipeline import predict_global

    maps = sources[0]
    if not isinstance(maps, PropertyMaps):
        raise InputError(f"{arguments.file} holds no maps; --total adds up maps of properties.")
    ellipse = _recipe_ellipse(maps)
    single = None
    if arguments.cube:
        single = predict_global(read_cube(arguments.cube), read_recipe(arguments.file), ellipse)
        if single is None:
            raise InputError(
                "The maps' model looks at images, integrated fluxes tell it nothing; leave --cube out."
            )
    return galaxy_totals(_planes(maps, arguments), ellipse, single, arguments.correct_masked)


def _profile(arguments: argparse.Namespace) -> None:
    from dataclasses import replace

    from ..fits_io.map_files import read_maps
    from ..measure.apertures.aperture_files import write_table
    from ..measure.apertures.planes import linear
    from ..measure.profiles.ellipses import fit_isophote, half_mass_ellipse, stellar_half_radius
    from ..measure.profiles.radial_profile import equal_steps, fit_gradients, radial_profile

    _check_out(arguments)
    _check_figure(arguments)
    limits = (
        _numbers(arguments.fit, 2, "--fit", "INNER,OUTER") if arguments.fit else (0.0, float("inf"))
    )
    sources = read_sources(arguments)
    if len(sources) > 1:
        raise InputError(
            f"{arguments.file} holds {len(sources)} images; give the file of one, or a prepared cube."
        )
    source, d25 = sources[0], _recipe_ellipse(sources[0])
    ellipse = ellipse_of(arguments.ellipse) if arguments.ellipse else d25
    if ellipse is None:
        raise InputError(
            f"{arguments.file} does not say where its D25 ellipse is; give --ellipse RA,DEC,A,B,PA."
        )
    if arguments.isophote:
        values, log = _first_map(source, arguments)
        start = replace(ellipse, a=arguments.isophote, b=arguments.isophote * ellipse.b / ellipse.a)
        fitted = fit_isophote(linear(values, log), source.wcs, start)
        ellipse = replace(fitted, a=ellipse.a, b=ellipse.a * fitted.b / fitted.a)
    r_half = None
    if arguments.r_half:
        if not isinstance(source, PropertyMaps):
            raise InputError(
                f"{arguments.file} holds no stellar mass map, by which R_half is measured; give maps."
            )
        half = half_mass_ellipse(source, ellipse)
        ellipse, r_half, edges = (
            replace(half, a=5 * half.a, b=5 * half.b),
            half.a,
            equal_steps(0.5 * half.a, 5 * half.a),
        )
    else:
        edges = equal_steps(arguments.step or 3 * _pixel(source), ellipse.a)
        r_half = stellar_half_radius(source, ellipse)
    named = {"measured": _planes(source, arguments)}
    if arguments.truth:
        named["truth"] = _planes(read_maps(arguments.truth), arguments, shared=source)
    table = radial_profile(named, ellipse, edges, d25.a if d25 else None, r_half)
    if arguments.figure:
        _draw_profiles(arguments, table)
    if not arguments.quiet:
        gradients = fit_gradients(table, "r", *limits)
        print("Gradients per arcsec" + (", and per kpc:" if "r_kpc" in table.colnames else ":"))
        _print(gradients, gradients.colnames)
        if "r_kpc" in table.colnames:
            kpc = table["r_kpc"][0].value / table["r"][0].value
            per_kpc = fit_gradients(table, "r_kpc", *(limit * kpc for limit in limits))
            _print(per_kpc, per_kpc.colnames)
    _finish(
        arguments,
        table,
        tuple(name for name in _SHOWN_PROFILE if name in table.colnames),
        write_table,
    )


def _check_figure(arguments: argparse.Namespace) -> None:
    if not arguments.figure:
        return
    path = Path(arguments.figure)
    if path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise InputError(
            f"{path}: figures are saved as .png, .pdf or .svg; give the file such a name."
        )
    if path.exists() and not arguments.overwrite:
        raise InputError(
            f"{path} is there already; choose another name, or allow it to be replaced with --overwrite."
        )


def _draw_profiles(arguments: argparse.Namespace, table: QTable) -> None:
    from ..fits_io.safe_writing import written_whole
    from ..measure.figures.profile_figures import profiles_figure

    radius = (
        _OVER[arguments.over] if arguments.over else "r_kpc" if "r_kpc" in table.colnames else "r"
    )
    figure = profiles_figure(table, radius, arguments.show)
    with written_whole(arguments.figure, arguments.overwrite) as beside:
        figure.savefig(beside, dpi=200)


def _evaluate(arguments: argparse.Namespace) -> None:
    from astropy.table import QTable

    from ..fits_io.map_files import read_maps
    from ..measure.compare.comparison import compare, metrics_table
    from ..measure.report.evaluation import write_evaluation
    from ..models.registry import list_models, load_card

    if len(arguments.files) % 2:
        raise InputError("Give maps and their truth in turn, two files for each galaxy.")
    ellipse = ellipse_of(arguments.ellipse) if arguments.ellipse else None
    pairs = [
        (read_maps(arguments.files[i]), read_maps(arguments.files[i + 1]))
        for i in range(0, len(arguments.files), 2)
    ]
    comparisons = [
        compare(maps, truth, ellipse, arguments.fwhm, arguments.truth_fwhm) for maps, truth in pairs
    ]
    model = str(pairs[0][0].provenance.get("model", ""))
    card = load_card(model).to_markdown() if model in list_models() else ""
    found = write_evaluation(
        arguments.out, comparisons, card, arguments.format, arguments.overwrite
    )
    if arguments.quiet:
        return
    table = metrics_table(found["properties"])
    _print(
        table[table["over"] == "pixels"],
        ("property", "unit", "n", "rmse", "rmse_err", "bias", "bias_err", *_MORE_SCORES),
    )
    sums = [row for row in found["stellar_sums"]["scores"] if row["region"] == "sum"]
    if sums:
        print(
            f"Sums inside {sums[0]['outer']:g} R_half, log true - log predicted over {len(comparisons)} galaxies:"
        )
        _print(QTable(sums), ("property", "n", "bias", "bias_err", "scatter", "scatter_err"))
    notes = [note for comparison in comparisons for note in comparison.notes] + found[
        "stellar_sums"
    ]["notes"]
    for note in dict.fromkeys(notes):
        print(f"Note: {note}")
    print(f"written to {arguments.out}, which report.html shows")


def read_sources(arguments: argparse.Namespace) -> list[Source]:
    """What the file holds: maps, a cube, or the images in it."""
    from ..fits_io.cube_files import is_cube, read_cube
    from ..fits_io.galaxies import read_galaxy
    from ..fits_io.map_files import is_maps, read_maps
    from .main import recipe_of

    path = Path(arguments.file)
    if path.is_file() and is_maps(path):
        return [read_maps(path)]
    if path.is_file() and is_cube(path):
        return [read_cube(path)]
    images = read_galaxy([path], recipe_of(arguments)).images
    names = arguments.map or list(images)
    missing = [name for name in names if name not in images]
    if missing:
        raise InputError(f"{path} has no {', '.join(missing)}; it has {', '.join(images)}.")
    return [images[name] for name in names]


def ellipse_of(text: str, option: str = "--ellipse") -> Ellipse:
    """The ellipse in ``RA,DEC,A,B,PA``."""
    ra, dec, a, b, pa = _numbers(text, 5, option, "RA,DEC,A,B,PA")
    if not (0 <= ra <= 360 and -90 <= dec <= 90 and a > 0 and b > 0):
        raise InputError(f"{option} {text}: RA is 0 to 360, DEC -90 to 90, A and B are positive.")
    return Ellipse(ra, dec, a, b, pa) if a >= b else Ellipse(ra, dec, b, a, pa + 90)


def _numbers(text: str, n: int, option: str, form: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != n:
        raise InputError(f"{option} {text!r} is not of the form {form}.")
    return numbers


def _planes(source: Source, arguments: argparse.Namespace, shared: Source | None = None) -> Any:
    """The source ready to be summed; with `shared`, only those maps that the other has too."""
    from ..measure.apertures.planes import planes_of

    names = arguments.map if isinstance(source, PropertyMaps | BandCube) else None
    if isinstance(shared, PropertyMaps) and isinstance(source, PropertyMaps):
        names = [name for name in (arguments.map or shared.values) if name in source.values]
    return planes_of(source, names, arguments.distance, arguments.correlation)


def _apertures(arguments: argparse.Namespace, source: Source) -> list[Aperture]:
    import sys

    from ..measure.apertures.aperture import Aperture
    from ..measure.apertures.aperture_files import read_apertures

    if arguments.ellipse:
        return [Aperture(ellipse_of(arguments.ellipse), "ellipse")]
    left_out: list[str] = []
    found = read_apertures(arguments.regions, source.wcs, left_out)
    for reason in left_out:
        print(f"left out: {reason}", file=sys.stderr)
    return found


def _recipe_ellipse(source: Source) -> Ellipse | None:
    from ..measure.profiles.ellipses import recipe_ellipse

    return recipe_ellipse(source.provenance) if isinstance(source, PropertyMaps) else None


def _first_map(source: Source, arguments: argparse.Namespace) -> tuple[Any, bool]:
    """The map that isophotes are fitted to: the first that was asked for, or the stellar mass, or
    the first that adds up.
    """
    planes = _planes(source, arguments)
    order = sorted(
        range(len(planes.quantities)), key=lambda i: planes.quantities[i].name != "LOG_SIGMA_STAR"
    )
    for i in [0] if arguments.map else order:
        if planes.quantities[i].sum_unit:
            return planes.values[i], planes.quantities[i].log
    raise InputError(
        f"{arguments.file} has no map that adds up, to which isophotes could be fitted; give --ellipse."
    )


def _pixel(source: Source) -> float:
    from astropy.wcs.utils import proj_plane_pixel_area

    return float(proj_plane_pixel_area(source.wcs)) ** 0.5 * 3600


def _check_out(arguments: argparse.Namespace) -> None:
    """Refuse an output that cannot be before the work is done, not after."""
    path = Path(arguments.out)
    if path.suffix.lower() not in (".ecsv", ".csv"):
        raise InputError(f"{path}: tables are written as .ecsv or .csv; give the file such a name.")
    if path.exists() and not arguments.overwrite:
        raise InputError(
            f"{path} is there already; choose another name, or allow it to be replaced with --overwrite."
        )


def _finish(
    arguments: argparse.Namespace, table: QTable, shown: tuple[str, ...], write: Callable[..., None]
) -> None:
    table.meta["file"] = str(arguments.file)
    table.meta["made_by"] = f"napari-galaxy-maps {__version__}"
    write(arguments.out, table, arguments.overwrite)
    if arguments.quiet:
        return
    _print(table, shown)
    for note in table.meta["notes"]:
        print(f"Note: {note}")
    print(f"written to {arguments.out}")


def _print(table: QTable, names: tuple[str, ...]) -> None:
    short = table[list(names)]
    for name in short.colnames:
        if short[name].dtype.kind == "f":
            short[name].info.format = ".5g"
    short.pprint(max_lines=60, max_width=-1, show_dtype=False)
