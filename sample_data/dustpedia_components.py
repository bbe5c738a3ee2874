"""The colours of the sample galaxy: median band ratios and dust properties of DustPedia's early and late types."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy import constants as const
from astropy import units as u
from astropy.table import QTable, Table

from napari_galaxy_maps.bands import BANDS, INPUT_BANDS


def components_from_tables(folder: Path) -> QTable:
    """Median band ratios and dust properties of DustPedia's early and late types, from the tables in `folder`.

    Taken are galaxies above 3 sigma in all 14 bands from GALEX to WISE and in one Herschel band or more, so that every
    median is over the same galaxies (IRAC: those of them that have it). Fluxes are Clark+ (2018)'s, corrected for the Milky
    Way's reddening; dust and stars are Nersesian+ (2019)'s, with HyperLEDA's types and DustPedia's best distances.
    """
    photometry = Table.read(folder / "DustPedia_Aperture_Photometry_2.2.csv", format="ascii.csv")
    general = Table.read(folder / "DustPedia_HyperLEDA_Herschel.csv", format="ascii.csv")
    fitted = Table.read(folder / "dustpedia_cigale_results_final_version.csv", format="ascii.csv")
    types = {row["objname"]: (float(row["t"]), float(row["dist_best"])) for row in general}
    physics = {row["id"]: row for row in fitted}
    seen = [name for name in INPUT_BANDS if not name.startswith("Spitzer")]
    herschel = [name for name in BANDS if name.startswith(("PACS", "SPIRE"))]

    def flux(row: Table.Row, band: str) -> float:
        value, error = row[band], row[f"{band}_err"]
        good = not (np.ma.is_masked(value) or np.ma.is_masked(error)) and value > 3 * error
        return float(value) if good else np.nan

    columns: dict[str, list[float]] = {}
    for kind, earliest, latest in (("early", -5.5, -0.5), ("late", 3.5, 7.5)):
        rows: dict[str, list[float]] = {}
        for row in photometry:
            name = row["name"]
            if name not in physics or name not in types or not earliest <= types[name][0] <= latest:
                continue
            if not all(np.isfinite(flux(row, band)) for band in seen):
                continue
            if not any(np.isfinite(flux(row, band)) for band in herschel):
                continue
            star, lstar, ld, md, temperature = (
                float(physics[name][key])
                for key in ("Mstar__Msol", "Lbolo__Lsol", "Ldust__Lsol", "Mdust__Msol", "Tdust__K")
            )
            if not np.isfinite(star):  # some galaxies have no fit
                continue
            w1 = flux(row, "WISE_3.4")
            for band in (*seen, "Spitzer_3.6"):
                if band != "WISE_3.4":
                    rows.setdefault(band, []).append(flux(row, band) / w1)
            area = 4 * np.pi * (types[name][1] * u.Mpc) ** 2
            frequency = const.c / (BANDS["WISE_3.4"].pivot * u.micron)
            l_w1 = (area * frequency * w1 * u.Jy).to_value(u.L_sun)
            for key, value in (
                ("LOG_SLD", np.log10(ld / lstar)),
                ("LOG_SMD", np.log10(md / star)),
                ("T_DUST", temperature),
                ("LOG_LSTAR_W1", np.log10(lstar / l_w1)),
                ("LOG_STAR_W1", np.log10(star / l_w1)),
            ):
                rows.setdefault(key, []).append(value)
        columns["quantity"] = list(rows)
        columns[kind] = [float(f"{np.nanmedian(values):.4g}") for values in rows.values()]
        columns[f"n_{kind}"] = [int(np.isfinite(values).sum()) for values in rows.values()]
    table = QTable(columns)
    table.meta["about"] = [
        "Medians over DustPedia galaxies above 3 sigma in all 14 bands from GALEX to WISE and in a Herschel band or more.",
        "early: types -5.5 to -0.5 (the bulge); late: 3.5 to 7.5 (the disc). Bands: flux over WISE 3.4 flux (Clark+ 2018).",
        "LOG_SLD = log10(Ldust/Lstar), LOG_SMD = log10(Mdust/Mstar), T_DUST in K, LOG_LSTAR_W1 = log10(Lstar / L_W1),",
        "LOG_STAR_W1 = log10(Mstar / L_W1) in Msun/Lsun, L_W1 = nu L_nu at 3.37 micron (Nersesian+ 2019, Salpeter IMF).",
    ]
    return table
