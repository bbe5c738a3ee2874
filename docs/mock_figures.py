"""Makes the table and the figures of docs/mocks.md: a population of mock galaxies beside published
relations, and pictures.

    python docs/mock_figures.py [--number 600] [--data FOLDER]

Each galaxy is seen at redshift 0 without noise in an image that holds it whole; what is compared is
measured on images and true maps, not taken from what was drawn. With --data, the folder of
DustPedia's tables, the dust is set beside that of its galaxies. The table replaces what stands
between the two marks in docs/mocks.md.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

from napari_galaxy_maps.bands.registry import INPUT_BANDS, get_band
from napari_galaxy_maps.constants import (
    LSUN_W,
    MJY_SR_PER_LSUN_HZ_KPC2,
    PC_M,
    PC_PER_MPC_ARCSEC,
    ZERO_AB_JY,
)
from napari_galaxy_maps.mocks import dust, relations
from napari_galaxy_maps.mocks.layers import ADDITIVE
from napari_galaxy_maps.mocks.mock import make_mock
from napari_galaxy_maps.mocks.population import EARLY, draw_galaxy
from napari_galaxy_maps.mocks.rendering import render
from napari_galaxy_maps.mocks.view import View

matplotlib.use("Agg")


HERE = Path(__file__).parent
BANDS = INPUT_BANDS
SUN_I = 4.58  # absolute AB magnitude of the Sun in i, as Taylor+ (2011) take it


def measure(seed: int) -> dict:
    """What there is to know of one galaxy."""
    galaxy = draw_galaxy(seed)
    reach = 1.2 * max(galaxy.scale_length * 6 * galaxy.growth, 5 * galaxy.bulge_r_e)
    size = 80
    view = View(
        size=size,
        pixel_arcsec=2 * reach / size / 20 / PC_PER_MPC_ARCSEC * 1e3,
        bands=BANDS,
        distance_mpc=20.0,
    )
    planes = render(galaxy, view, 0.0)
    kpc = 2 * reach / size
    total = planes.sum(axis=(1, 2)) * kpc**2
    row = dict(zip(ADDITIVE, total[len(BANDS) :], strict=True))
    light = planes[: len(BANDS)] * MJY_SR_PER_LSUN_HZ_KPC2 + dust.emission(
        planes[len(BANDS) :], galaxy.qhac, BANDS, 0.0
    )
    luminosity = light.sum(axis=(1, 2)) * kpc**2 / MJY_SR_PER_LSUN_HZ_KPC2
    row.update(
        zip(
            BANDS,
            -2.5
            * np.log10(luminosity * LSUN_W / (4 * np.pi * (10 * PC_M) ** 2) / (ZERO_AB_JY * 1e-26)),
            strict=True,
        )
    )
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    radius = np.hypot(x, y).ravel() * kpc
    order = np.argsort(radius)
    light = np.cumsum(planes[BANDS.index("SDSS_z")].ravel()[order])
    row["r50"] = np.interp(0.5 * light[-1], light, radius[order])
    inside = (radius < galaxy.r_e).reshape(size, size)
    part = dict(zip(ADDITIVE, planes[len(BANDS) :, inside].sum(-1), strict=True))
    row["oxygen"] = relations.SOLAR_OH + np.log10(part["zgas"] / part["gas"] / relations.SOLAR_Z)
    row["metals"] = np.log10(part["zstar"] / part["star"] / 0.02)
    planes = planes[len(BANDS) :]
    star, gas, hi = (planes[ADDITIVE.index(name)].ravel() for name in ("star", "gas", "hi"))
    h2 = gas - 1.36 * hi
    with np.errstate(divide="ignore", invalid="ignore"):
        near = np.abs(np.log10(star * np.cos(np.radians(galaxy.inclination)) / 81e6)) < 0.15
        row["r_mol"] = np.median(h2[near] / (1.36 * hi[near])) if near.sum() > 3 else np.nan
    row.update(
        early=galaxy.kind in EARLY,
        kind=galaxy.kind,
        inclination=galaxy.inclination,
        drawn=galaxy.log_mass,
    )
    return row


def columns(rows: list[dict]) -> dict[str, np.ndarray]:
    """The rows as arrays by name, with logarithms and colours."""
    table = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    table["logm"] = np.log10(table["star"])
    table["logsfr"] = np.log10(table["sfr"])
    for a, b in ("ug", "gr", "ri", "gi", "ur"):
        table[a + b] = table[f"SDSS_{a}"] - table[f"SDSS_{b}"]
    table["mli"] = table["logm"] + 0.4 * (table["SDSS_i"] - SUN_I)
    dust = table["diffuse"] + table["cloud"]
    table["sld"], table["smd"] = (
        np.log10(dust / table["lstar"]),
        np.log10(table["dust"] / table["star"]),
    )
    table["tdust"] = 18.3 * np.clip(table["diffuse"] / table["dust"] / 224, 0.1, 80) ** (1 / 5.79)
    return table


def say(values: np.ndarray, digits: int = 2) -> str:
    """Median and half the width between the 16th and 84th percentile."""
    values = values[np.isfinite(values)]
    low, middle, high = np.percentile(values, [16, 50, 84])
    return f"{middle:.{digits}f} ± {(high - low) / 2:.{digits}f}"


def lines(
    t: dict[str, np.ndarray], edge_on: float, face_on: float, real: dict | None
) -> list[tuple[str, str, str]]:
    """The table: what, the mocks, the publication."""
    early, late = t["early"], ~t["early"]
    forming = late & (t["logsfr"] - t["logm"] > -11)
    middling = (t["logm"] > 10.3) & (t["logm"] < 10.8)
    found = [
        (
            "SFR of star-forming galaxies, offset from the main sequence (dex)",
            say((t["logsfr"] - relations.main_sequence(t["logm"]))[forming]),
            "0 ± 0.3 (Renzini & Peng 2015)",
        ),
        (
            "share of quiescent galaxies (SFR/M < 1e-11 /yr) at 10^10.3 to 10^10.8 Msun",
            f"{(t['logsfr'] - t['logm'] < -11)[middling].mean():.2f}",
            "near 0.5 (Moustakas+ 2013)",
        ),
        (
            "half-light radius in z, late types, offset (dex)",
            say(np.log10(t["r50"] / relations.late_size(t["logm"]))[late]),
            "0 ± 0.20 below 10^10.5 Msun, 0.15 above (Shen+ 2003)",
        ),
        (
            "the same, early types above 10^10 Msun (dex)",
            say(np.log10(t["r50"] / relations.early_size(t["logm"]))[early & (t["logm"] > 10)]),
            "0 ± 0.15 (Shen+ 2003)",
        ),
        (
            "12 + log(O/H) inside the half-mass radius of star-forming galaxies, offset (dex)",
            say((t["oxygen"] - relations.gas_oxygen(t["logm"]))[forming]),
            "0 ± 0.07 (Curti+ 2020)",
        ),
        (
            "log Z of stars inside the half-mass radius, offset, above 10^10.5 Msun (dex)",
            say((t["metals"] - relations.stellar_metals(t["logm"])[0])[t["logm"] > 10.5]),
            "0 ± 0.24, errors included (Gallazzi+ 2005, by light)",
        ),
        (
            "the same below 10^10 Msun (dex)",
            say((t["metals"] - relations.stellar_metals(t["logm"])[0])[t["logm"] < 10]),
            "0 ± 0.51, errors included (Gallazzi+ 2005, by light)",
        ),
        (
            "slope of log M_HI with log M_star, star-forming",
            f"{np.polyfit(t['logm'][forming], np.log10(t['hi'])[forming], 1)[0]:.2f}",
            "0.35 (Parkash+ 2018, spirals)",
        ),
        (
            "log SFR / M_HI (1/yr), star-forming",
            say((t["logsfr"] - np.log10(t["hi"]))[forming]),
            "-9.57 ± 0.4 (Parkash+ 2018)",
        ),
        (
            "H2 / HI where the stars have 81 Msun/pc2, star-forming",
            say(t["r_mol"][forming]),
            "1 (Leroy+ 2008), scatter 0.2 dex and more",
        ),
        (
            "log M/L_i minus 0.70 (g-i) - 0.68 (dex)",
            say(t["mli"] - relations.taylor_mass_to_light(t["gi"])),
            "0 ± 0.1 (Taylor+ 2011)",
        ),
        (
            "slope of log M/L_i with g-i",
            f"{np.polyfit(t['gi'], t['mli'], 1)[0]:.2f}",
            "0.70 (Taylor+ 2011)",
        ),
        ("u-g of early types above 10^10.5 Msun", say(t["ug"][early & (t["logm"] > 10.5)]), "1.75"),
        ("g-r of the same", say(t["gr"][early & (t["logm"] > 10.5)]), "0.78"),
        ("r-i of the same", say(t["ri"][early & (t["logm"] > 10.5)]), "0.38"),
        (
            "early types redder than u-r = 2.22",
            f"{(t['ur'][early] > 2.22).mean():.0%}",
            "most (Strateva+ 2001)",
        ),
        (
            "star-forming galaxies bluer than u-r = 2.22",
            f"{(t['ur'][forming] < 2.22).mean():.0%}",
            "most (Strateva+ 2001)",
        ),
        (
            "log L_dust / L_star of late types",
            say(t["sld"][late]),
            real["sld"] if real else "(with --data)",
        ),
        (
            "log M_dust / M_star of late types",
            say(t["smd"][late]),
            real["smd"] if real else "(with --data)",
        ),
        (
            "T_dust of late types (K)",
            say(t["tdust"][late], 1),
            real["tdust"] if real else "(with --data)",
        ),
        (
            "edge-on minus face-on magnitude in g of spirals without bulge, 10^10 to 10^10.8 Msun",
            f"{edge_on:.2f}",
            "0.9 in B (Driver+ 2007)",
        ),
        (
            "face-on minus unattenuated magnitude in g of the same",
            f"{face_on:.2f}",
            "0.2 in B (Driver+ 2007)",
        ),
    ]
    return found


def inclined(number: int = 24) -> tuple[float, float]:
    """How much fainter discs are edge-on than face-on, and face-on than without dust, in g;
    medians.
    """
    differences, dimmed = [], []
    for seed in range(number):
        galaxy = replace(
            draw_galaxy(seed, "flocculent", 10 + 0.8 * seed / number), bulge=0.0, quench=0.0
        )
        reach = 5 * galaxy.r_e
        view = View(
            size=96,
            pixel_arcsec=2 * reach / 96 / 20 / PC_PER_MPC_ARCSEC * 1e3,
            bands=("SDSS_g",),
            distance_mpc=20.0,
        )
        light = [
            render(replace(galaxy, inclination=angle), view, 0.0)[0].sum() for angle in (0.0, 90.0)
        ]  # fmt: skip
        bare = render(
            replace(
                galaxy,
                inclination=0.0,
                oxygen=7.6,
                oxygen_gradient=0.0,
                log_hi=3.0,
                log_h2=3.0,
                cloud_tau=0.0,
            ),
            view,
            0.0,
        )[0].sum()
        differences.append(-2.5 * np.log10(light[1] / light[0]))
        dimmed.append(-2.5 * np.log10(light[0] / bare))
    return float(np.median(differences)), float(np.median(dimmed))


def dustpedia(folder: Path) -> dict:
    """The dust of DustPedia's late types with three detections or more in the far infrared
    (Nersesian+ 2019).
    """
    from napari_galaxy_maps.models.dust_forest.uncertainty import quantities_of
    from napari_galaxy_maps.training.datasets.dustpedia import read_galaxies

    galaxies = read_galaxies(folder)
    stage = galaxies.stage
    chosen = (stage > 0) & (galaxies.n_detected >= 3)
    sld, smd, tdust = quantities_of(galaxies.targets)[chosen, :3].T
    name = f"(DustPedia, {chosen.sum()} late types; Salpeter to Chabrier)"
    early = (stage <= -1) & np.isfinite(galaxies.values[INPUT_BANDS.index("WISE_12")])
    return {
        "late": _relative(galaxies.imputed[:, chosen]),
        "early": _relative(galaxies.imputed[:, early]),
        "sld": f"{say(sld)} {name}",
        "smd": f"{say(smd + 0.24)} {name}",
        "tdust": f"{say(tdust, 1)} {name}",
    }


def _relative(light: np.ndarray) -> np.ndarray:
    """log10 of light relative to WISE 3.4, bands first."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log10(light / light[INPUT_BANDS.index("WISE_3.4")])


def spectra(t: dict[str, np.ndarray], real: dict, path: Path) -> list[str]:
    """Spectra of whole galaxies relative to WISE 3.4 beside DustPedia's; a figure, and how far the
    late types' medians differ.
    """
    light = 10 ** (-0.4 * np.array([t[band] for band in INPUT_BANDS]))
    fig, axes = plt.subplots(1, 2, figsize=(13, 4.6), sharey=True)
    micron = np.array([get_band(band).pivot for band in INPUT_BANDS])
    order = np.argsort(micron)
    medians = {}
    for ax, kind, which in ((axes[0], "late", ~t["early"]), (axes[1], "early", t["early"])):
        for values, colour, label in (
            (_relative(light[:, which]), "tab:blue", "mocks"),
            (real[kind], "k", "DustPedia"),
        ):
            values = np.where(np.isfinite(values), values, np.nan)
            low, middle, high = np.nanpercentile(values, [16, 50, 84], axis=1)
            ax.fill_between(micron[order], low[order], high[order], color=colour, alpha=0.25)
            ax.plot(
                micron[order],
                middle[order],
                "o-",
                color=colour,
                ms=4,
                label=f"{label} ({values.shape[1]})",
            )
            medians[kind, label] = middle
        ax.set(xscale="log", xlabel="wavelength / micron", title=f"{kind} types", ylim=(-3.4, 1.3))
        ax.legend()
    axes[0].set_ylabel("log F / F(WISE 3.4)")
    fig.tight_layout()
    fig.savefig(path, dpi=70)
    away = medians["late", "mocks"] - medians["late", "DustPedia"]
    return [
        "| " + " | ".join(band.replace("_", " ") for band in INPUT_BANDS) + " |",
        "|---" * len(INPUT_BANDS) + "|",
        "| " + " | ".join(f"{x:+.2f}" for x in away) + " |",
    ]


def figure(t: dict[str, np.ndarray], path: Path) -> None:
    """The population beside the relations."""
    fig, axes = plt.subplots(2, 4, figsize=(17, 8.2))
    early, late = t["early"], ~t["early"]
    x = np.linspace(8.4, 11.6, 60)

    def panel(ax, a, b, xlabel, ylabel, curve=None, label="", ylim=None):
        for which, colour, name in ((late, "tab:blue", "late"), (early, "tab:red", "early")):
            ax.plot(a[which], b[which], ".", ms=4, alpha=0.5, color=colour, label=name)
        if curve is not None:
            ax.plot(*curve, "k-", lw=1.5, label=label)
        ax.set(xlabel=xlabel, ylabel=ylabel, ylim=ylim)
        ax.legend(fontsize=8)

    mass = "log M_star / Msun"
    panel(
        axes[0, 0],
        t["logm"],
        t["logsfr"],
        mass,
        "log SFR / (Msun/yr)",
        (x, relations.main_sequence(x)),
        "Renzini & Peng 2015",
    )
    panel(
        axes[0, 1],
        t["logm"],
        np.log10(t["r50"]),
        mass,
        "log r50(z) / kpc",
        (x, np.log10(relations.late_size(x))),
        "Shen+ 2003, late",
    )
    axes[0, 1].plot(
        x[x > 9.7], np.log10(relations.early_size(x[x > 9.7])), "k--", label="Shen+ 2003, early"
    )
    axes[0, 1].legend(fontsize=8)
    panel(
        axes[0, 2],
        t["logm"],
        t["oxygen"],
        mass,
        "12 + log(O/H)",
        (x, relations.gas_oxygen(x)),
        "Curti+ 2020",
    )
    panel(
        axes[0, 3],
        t["logm"],
        t["metals"],
        mass,
        "log Z_star / 0.02",
        (x, relations.stellar_metals(x)[0]),
        "Gallazzi+ 2005",
    )
    panel(
        axes[1, 0],
        t["logm"],
        np.log10(t["hi"] / t["star"]),
        mass,
        "log M_HI / M_star",
        (x, relations.main_sequence(x) + 9.57 - x),
        "Parkash+ 2018 on the main sequence",
        (-4, 1.2),
    )
    g_i = np.linspace(0.1, 1.5, 10)
    panel(
        axes[1, 1],
        t["gi"],
        t["mli"],
        "g - i",
        "log M/L_i",
        (g_i, relations.taylor_mass_to_light(g_i)),
        "Taylor+ 2011",
    )
    panel(axes[1, 2], t["gr"], t["ug"], "g - r", "u - g")
    axes[1, 2].plot(0.78, 1.75, "k*", ms=14, label="early types")
    axes[1, 2].legend(fontsize=8)
    panel(axes[1, 3], t["logm"], t["sld"], mass, "log L_dust / L_star", ylim=(-3, 0.1))
    fig.tight_layout()
    fig.savefig(path, dpi=60)


def gallery(path: Path) -> None:
    """Twenty mocks in g, r, i, each stretched to its own brightness, in better seeing than SDSS's
    and with less noise.
    """
    from astropy.visualization import make_lupton_rgb

    fig, axes = plt.subplots(4, 5, figsize=(13, 10.8))
    for seed, ax in enumerate(axes.ravel(), start=100):
        mock = make_mock(seed, View(size=220, seeing=0.7, noise=0.25, stars=0.8, neighbours=0.8))
        scale = np.percentile(mock.model[2], 99.5) / 6
        g, r, i = (
            mock.data[k] * (factor / scale) for k, factor in ((1, 1.7), (2, 1.05), (3, 0.85))
        )
        ax.imshow(make_lupton_rgb(i, r, g, minimum=0, stretch=0.6, Q=9), origin="lower")
        ax.set_title(
            f"{mock.galaxy.kind}, 10^{mock.galaxy.log_mass:.1f} Msun, "
            f"{mock.galaxy.inclination:.0f}°",
            fontsize=9,
        )
        ax.axis("off")
    fig.tight_layout()
    fig.savefig(path, dpi=70, pil_kwargs={"quality": 85})


FOREST_CASES = (
    ("spiral", 9.6, 35), ("spiral", 10.4, 55), ("barred", 10.7, 30), ("flocculent", 10.2, 75),
    ("irregular", 8.9, 50), ("interacting", 10.3, 45), ("lenticular", 10.5, 60),
    ("elliptical", 10.9, 40),
)  # fmt: skip


def forest() -> list[str]:
    """The dust model on mocks through the program's own chain, as a table: bias and rmse over
    pixels of 8 arcsec inside half of D25.
    """
    from napari_galaxy_maps.cli import main as cli
    from napari_galaxy_maps.fits_io.galaxies import d25_ellipse
    from napari_galaxy_maps.fits_io.map_files import read_maps
    from napari_galaxy_maps.fits_io.recipe_files import read_recipe
    from napari_galaxy_maps.measure.compare.comparison import compare

    names = ("LOG_SLD", "LOG_SMD", "T_DUST", "LOG_SIGMA_STAR", "LOG_SIGMA_LSTAR")
    rows = ["| mock | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    biases = []
    for seed, (kind, mass, inclination) in enumerate(FOREST_CASES, start=40):
        with TemporaryDirectory() as folder:
            mock = [
                *(
                    "mock",
                    "--seed",
                    str(seed),
                    "--size",
                    "130",
                    "--kind",
                    kind,
                    "--log-mass",
                    str(mass),
                    "--quiet",
                ),
                "--inclination",
                str(inclination),
                "--bands",
                "input",
                "--out",
                f"{folder}/mock",
            ]
            predict = [
                "predict",
                f"{folder}/mock",
                "--recipe",
                f"{folder}/mock/recipe.toml",
                "--pixel",
                "8",
                "--quiet",
                "--out",
                f"{folder}/maps.fits",
            ]
            if cli.main(mock) or cli.main(predict):
                raise SystemExit(2)
            maps, known = (
                read_maps(f"{folder}/maps.fits"),
                read_recipe(f"{folder}/mock/recipe.toml").galaxy,
            )
            ellipse = d25_ellipse(known.model_copy(update={"d25": known.d25 / 2}))
            outside = ellipse.radius(maps.wcs, maps.shape) > 1
            inside = {name: np.where(outside, np.nan, v) for name, v in maps.values.items()}
            compared = compare(replace(maps, values=inside), read_maps(f"{folder}/mock/truth.fits"))
            table = compared.scores()
            table = table[table["over"] == "pixels"]
        by_name = {row["property"]: row for row in table}
        cells = [
            f"{by_name[n]['bias']:+.2f} ({by_name[n]['rmse']:.2f})" if n in by_name else ""
            for n in names
        ]
        biases.append([by_name[n]["bias"] if n in by_name else np.nan for n in names])
        rows.append(f"| {kind}, 10^{mass} Msun, {inclination}° | " + " | ".join(cells) + " |")
    middle, spread = np.nanmedian(biases, axis=0), np.nanstd(biases, axis=0)
    rows.append(
        "| median bias ± scatter | "
        + " | ".join(f"{m:+.2f} ± {s:.2f}" for m, s in zip(middle, spread, strict=True))
        + " |"
    )
    return rows


def insert(text: str, mark: str, rows: list[str]) -> str:
    """The text with rows between the two marks of a name."""
    start, end = f"<!-- {mark}: made by docs/mock_figures.py -->", f"<!-- end of {mark} -->"
    before, _, rest = text.partition(start)
    return f"{before}{start}\n\n" + "\n".join(rows) + f"\n\n{end}{rest.partition(end)[2]}"


def main() -> None:
    """Make all of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, default=600)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--dry", action="store_true", help="print the table, write nothing")
    arguments = parser.parse_args()
    t = columns([measure(seed) for seed in range(arguments.number)])
    real = dustpedia(arguments.data) if arguments.data else None
    rows = [
        "| what | mocks | published |",
        "|---|---|---|",
        *(f"| {a} | {b} | {c} |" for a, b, c in lines(t, *inclined(), real)),
    ]
    if arguments.dry:
        print("\n".join(rows))
        return
    page = HERE / "mocks.md"
    text = insert(page.read_text(encoding="utf-8"), "population", rows)
    text = insert(text, "forest", forest())
    if real:
        text = insert(text, "spectra", spectra(t, real, HERE / "images" / "mocks-spectra.png"))
    page.write_text(text, encoding="utf-8")
    figure(t, HERE / "images" / "mocks-population.png")
    gallery(HERE / "images" / "mocks-gallery.jpg")


if __name__ == "__main__":
    main()
