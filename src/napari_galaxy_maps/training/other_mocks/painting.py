"""Light and truth of a galaxy on a grid: its stars through its dust, and what the dust emits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...constants import LSUN_ERG_S, MJY_SR_PER_LSUN_HZ_KPC2
from . import attenuation, dust_emission, histories, relations, themis_fit
from .layout import FORMED, Layout
from .populations import (
    EDGES_UM,
    N_BINS,
    Populations,
    band_response,
    read_populations,
)
from .traits import Traits

BANDS = (
    "GALEX_FUV", "GALEX_NUV", "SDSS_u", "SDSS_g", "SDSS_r", "SDSS_i", "SDSS_z", "2MASS_J",
    "2MASS_H", "2MASS_Ks", "WISE_3.4", "WISE_4.6", "WISE_12", "WISE_22",
)  # fmt: skip
SHOWN_BY = "SPIRE_250"
"""The band that shows where there is dust."""
ADDED = ("L_STAR", "M_STAR", "L_DUST", "M_DUST", "M_DUST_T")
"""Truth that adds up: Lsun, Msun (Chabrier's stars, THEMIS's dust) and Msun K, per kpc2."""
PLANES = (*BANDS, SHOWN_BY, *ADDED)
LEAK_KPC = 0.6
"""Standard deviation of how far light goes before diffuse dust takes it."""
_CLOUD_CLUMPS = 3.0
_IONISING_GAS = 0.6
"""Share of ionising photons that ionise gas; dust takes the others."""
_BALMER_ERG = 1.37e-12
"""H alpha per ionising photon, case B at 10^4 K (Osterbrock & Ferland 2006)."""


@dataclass(frozen=True, eq=False)
class Templates:
    """What light is made of.

    Attributes
    ----------
    populations : Populations
    response : ndarray, shape (N_BINS, n_bands)
        Of `BANDS`, by bin.
    dust : dust_emission.DustSpectra
        In `BANDS` and `SHOWN_BY`.
    themis : themis_fit.ThemisFit
    """

    populations: Populations
    response: np.ndarray
    dust: dust_emission.DustSpectra
    themis: themis_fit.ThemisFit


def read_templates(data: Path) -> Templates:
    """Read populations, filter curves and dust.

    Raises
    ------
    InputError
        When a table, or the package of filter curves, is missing.
    """
    folder = data / "templates"
    return Templates(
        read_populations(folder),
        band_response(BANDS),
        dust_emission.read_dust(folder, (*BANDS, SHOWN_BY)),
        themis_fit.fit_themis(folder),
    )


class StarPainter:
    """Paints the stars of one galaxy and what its dust leaves of their light.

    Parameters
    ----------
    traits : Traits
    found : histories.Histories
        Of these traits' exponents.
    populations : Populations
    response : ndarray, shape (N_BINS, n_bands)
    """

    def __init__(
        self,
        traits: Traits,
        found: histories.Histories,
        populations: Populations,
        response: np.ndarray,
    ) -> None:
        self.traits = traits
        self._found, self._populations, self._response = found, populations, response
        self._tables = self.tables(populations.stacked())
        self._tables[0][..., N_BINS + 1] = 0

    def tables(self, columns: np.ndarray) -> tuple[np.ndarray, ...]:
        """What the galaxy's old stars along their histories, young, recent and burst stars have of
        anything that adds up, per Msun formed, for `composed`.

        Parameters
        ----------
        columns : ndarray, shape (n_metals, n_ages, k)
            By population.
        """
        age, end = self._populations.age_yr, histories.RECENT_GYR
        young, burst = histories.YOUNG_GYR, self.traits.burst_gyr
        made = histories.mixed(columns, np.concatenate([self._found.weights, [
            histories.constant(age, 0.0, young),
            histories.constant(age, young, end),
            histories.constant(age, burst, burst + 0.2),
        ]]))  # fmt: skip
        with np.errstate(over="ignore"):  # photons per second, which count for young stars alone
            return made[:-3].astype(np.float32), *made[-3:]

    def composed(
        self, tables: tuple[np.ndarray, ...], layout: Layout
    ) -> tuple[np.ndarray, np.ndarray]:
        """Sums over the stars of each place, per kpc2, but for those of `histories.YOUNG_GYR`, and
        over these.

        Parameters
        ----------
        tables : tuple of ndarray
            Of `tables`; their last column is the surviving mass.
        layout : Layout
            Of flat arrays (n,).

        Returns
        -------
        field, young : ndarray, shape (n, k)
        """
        of_old, of_young, of_recent, of_burst = tables
        metals = self._populations.metallicity
        gas_z = np.log10(relations.SOLAR_METALS) + layout.oxygen - relations.SOLAR_OXYGEN
        formed = (layout.old / FORMED)[:, None]
        field = formed * histories.at_history(of_old, metals, layout.place, layout.log_z)
        # the old stars' mass is the layout's, whatever their history leaves of it
        field *= (layout.old / np.maximum(field[:, -1], 1e-20))[:, None]
        span = (histories.RECENT_GYR - histories.YOUNG_GYR) * 1e9
        field += (layout.recent * span)[:, None] * histories.at_metals(of_recent, metals, gas_z)
        if self.traits.burst > 0:
            field += layout.burst[:, None] * histories.at_metals(of_burst, metals, gas_z)
        mass_young = layout.young * histories.YOUNG_GYR * 1e9
        return field, mass_young[:, None] * histories.at_metals(of_young, metals, gas_z)

    def stars(self, layout: Layout) -> tuple[np.ndarray, ...]:
        """Light in the bands (MJy/sr), bolometric luminosity (Lsun), mass, and what diffuse dust
        and clouds take (Lsun), all per kpc2; `layout` of flat arrays.
        """
        field, young = self.composed(self._tables, layout)
        lines, ionising = nebular(young[:, N_BINS], young[:, N_BINS + 1], layout.oxygen)
        young[:, :N_BINS] += lines
        total = field + young
        light, taken, clouds = self._through_dust(field[:, :N_BINS], young[:, :N_BINS], layout.dust)
        light = light @ self._response
        return (
            light * MJY_SR_PER_LSUN_HZ_KPC2, total[:, -2], total[:, -1], taken, clouds + ionising
        )  # fmt: skip

    def _through_dust(
        self, field: np.ndarray, young: np.ndarray, dust: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Spectra (n, N_BINS) that are seen, and what diffuse dust and clouds take (n,)."""
        traits = self.traits
        tau = (traits.opacity * dust)[:, None] * traits.curve
        cloud = attenuation.clumpy_screen(traits.cloud_tau * traits.curve, _CLOUD_CLUMPS)
        outside = field + young * cloud
        taken = (outside * (1 - traits.geometry.leaving(tau, traits.face_on))).sum(axis=1)
        return outside * traits.geometry.seen(tau), taken, (young * (1 - cloud)).sum(axis=1)


class Painter(StarPainter):
    """Paints grids of one galaxy.

    Parameters
    ----------
    traits : Traits
    found : histories.Histories
        Of these traits' exponents.
    templates : Templates
    """

    def __init__(self, traits: Traits, found: histories.Histories, templates: Templates) -> None:
        super().__init__(traits, found, templates.populations, templates.response)
        self._templates = templates

    def paint(self, layout: Layout, pixel_kpc: float) -> np.ndarray:
        """`PLANES` on a grid.

        Parameters
        ----------
        layout : Layout
            Of arrays (ny, nx).
        pixel_kpc : float

        Returns
        -------
        ndarray of float32, shape (n_planes, ny, nx)
            MJy/sr, and `ADDED` per kpc2.
        """
        ny, nx = layout.old.shape
        planes = np.zeros((len(PLANES), ny, nx), np.float32)
        n = len(BANDS)
        diffuse, cloud = np.zeros((ny, nx)), np.zeros((ny, nx))
        rows = max(1, 8192 // nx)
        for start in range(0, ny, rows):
            part = slice(start, start + rows)
            flat = Layout(**{k: v[part].ravel() for k, v in vars(layout).items()})
            light, star, mass, taken, taken_by_clouds = self.stars(flat)
            shape = layout.old[part].shape
            planes[:n, part] = light.T.reshape(n, *shape)
            planes[n + 1, part], planes[n + 2, part] = star.reshape(shape), mass.reshape(shape)
            diffuse[part] = taken.reshape(shape)
            cloud[part] = taken_by_clouds.reshape(shape)
        share = self.traits.leak
        takes = -np.expm1(-self.traits.opacity * layout.dust)
        diffuse = (1 - share) * diffuse + spread(share * diffuse, takes, LEAK_KPC / pixel_kpc)
        self._add_dust(planes, layout, diffuse, cloud)
        return planes

    def _add_dust(
        self, planes: np.ndarray, layout: Layout, diffuse: np.ndarray, cloud: np.ndarray
    ) -> None:
        """Adds dust's light to the bands, and its truth."""
        traits, dust, n = self.traits, self._templates.dust, len(BANDS)
        hot = (traits.hot * cloud).ravel()
        cold = diffuse.ravel() + cloud.ravel() - hot
        umin = dust_emission.field_of(cold, hot, layout.dust.ravel(), dust.fields)
        rate = np.maximum((layout.young + layout.recent) / 2, 1e-20)
        specific = np.log10(rate / np.maximum(layout.old, 1e-12))
        # fewer where young stars prevail (Remy-Ruyer+ 2015, Sect. 5)
        fewer = 10 ** (-0.3 * np.maximum(specific + 9.8, 0))
        pah = np.clip(traits.pah * relations.pah_percent(layout.oxygen) * fewer, 0.47, 4.58)
        light = dust_emission.emission(dust, umin, pah.ravel(), cold, hot)
        total = cold + hot
        share = hot / np.maximum(total, 1e-30)
        per_lsun, kelvin = self._templates.themis.at(umin, pah.ravel(), share)
        mass = per_lsun * total
        shape = layout.old.shape
        old_light = planes[BANDS.index("WISE_3.4")].copy()
        planes[: n + 1] += MJY_SR_PER_LSUN_HZ_KPC2 * light.T.reshape(n + 1, *shape)
        for band, ratio in zip(("WISE_12", "WISE_22"), traits.shells, strict=True):
            planes[BANDS.index(band)] += ratio * old_light
        for k, value in enumerate((total, mass, mass * kelvin)):
            planes[n + 3 + k] = value.reshape(shape)


def spread(light: np.ndarray, takes: np.ndarray, sigma: float) -> np.ndarray:
    """Light that dust takes some way off from where it was let go, the more where there is more
    dust; none is lost.

    Parameters
    ----------
    light : ndarray, shape (ny, nx)
    takes : ndarray, shape (ny, nx)
        Share that each place would take.
    sigma : float
        How far it goes, pixels.
    """
    from scipy.ndimage import gaussian_filter

    takes = np.maximum(takes, 1e-12)

    def near(plane: np.ndarray) -> np.ndarray:
        return np.asarray(gaussian_filter(plane, sigma, mode="reflect", truncate=3))

    return takes * near(light / near(takes))


def nebular(
    ionising: np.ndarray, photons: np.ndarray, oxygen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The strongest lines, crudely, and what dust takes of ionising light.

    H alpha and H beta of case B; [N II], [O III] and [O II] by ratios to H alpha that change with
    12 + log(O/H) as they do along the sequence of H II regions. There is no continuum of the gas.
    Of what is neither in these lines nor leaves in others dust takes the rest.

    Parameters
    ----------
    ionising, photons, oxygen : ndarray, shape (n,)
        Lsun, photons per second, 12 + log(O/H).

    Returns
    -------
    lines : ndarray, shape (n, N_BINS)
        Lsun.
    taken : ndarray, shape (n,)
        Lsun.
    """
    alpha = _IONISING_GAS * photons * _BALMER_ERG / LSUN_ERG_S
    poor = np.clip(8.8 - oxygen, 0, 0.8)
    ratios = (
        (0.6563, 1.0 + 0.0 * poor), (0.4861, 0.35 + 0.0 * poor),
        (0.6584, 0.45 * 10 ** (-1.2 * poor)), (0.5007, 0.1 + 2.0 * poor),
        (0.3727, 0.5 + 0.6 * poor),
    )  # fmt: skip
    lines = np.zeros((len(alpha), N_BINS))
    for micron, ratio in ratios:
        lines[:, np.searchsorted(EDGES_UM, micron) - 1] += alpha * ratio
    return lines, np.maximum(0.7 * ionising - lines.sum(axis=1), 0)
