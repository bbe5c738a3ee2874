"""What is read: an image in one band, its PSF, and a galaxy of such images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bands.registry import Band
from .methods import call

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.io.fits import Header
    from astropy.wcs import WCS
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .recipe import Recipe


def pixel_frame(wcs: WCS, shape: tuple[int, int]) -> np.ndarray:
    """How pixels lie on the sky in the middle of an image.

    Returns
    -------
    ndarray, shape (2, 2)
        Takes a step of pixels (x, y) to arcsec (west, north): their side times a rotation, and a
        mirror image where x grows eastwards.
    """
    x, y = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    here, right, up = (
        wcs.pixel_to_world(x + dx, y + dy).icrs for dx, dy in ((0, 0), (1, 0), (0, 1))
    )
    steps = [here.spherical_offsets_to(there) for there in (right, up)]
    return np.array([[-step[0].arcsec for step in steps], [step[1].arcsec for step in steps]])


@dataclass(frozen=True, eq=False)
class Stamp:
    """A picture of a PSF or kernel.

    Attributes
    ----------
    data : ndarray of float64, square and odd-sized
        Its peak is its middle pixel.
    frame : ndarray, shape (2, 2)
        How its pixels lie on the sky, as `pixel_frame`.
    name : str
        Of the file, or words for what it was made from.
    mended : tuple of str
        What was put right when it was read, in words.
    checksum : str
        SHA-256 of the file.
    """

    data: np.ndarray
    frame: np.ndarray
    name: str = ""
    mended: tuple[str, ...] = ()
    checksum: str = ""

    @property
    def pixel_arcsec(self) -> float:
        """Side of a square pixel of the same area, in arcsec."""
        return float(np.sqrt(abs(np.linalg.det(self.frame))))

    @cached_property
    def fwhm(self) -> float:
        """Diameter in arcsec of the circle that has the area above half of the maximum."""
        from scipy.ndimage import zoom

        finer = 8
        middle, above = self.data.shape[0] // 2, self.data > self.data.max() / 2
        reach = min(middle, int(np.abs(np.argwhere(above) - middle).max()) + 3)
        core = zoom(
            self.data[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1],
            finer,
            order=3,
            grid_mode=True,
            mode="nearest",
        )
        area = float((core > core.max() / 2).sum()) / finer**2
        return 2 * float(np.sqrt(area / np.pi)) * self.pixel_arcsec

    def __str__(self) -> str:
        remarks = [f"sha256 {self.checksum[:8]}"] if self.checksum else []
        remarks += self.mended
        return self.name + (f" ({'; '.join(remarks)})" if remarks else "")


@dataclass(frozen=True, repr=False)
class BandImage:
    """An image of the sky in one band.

    Attributes
    ----------
    data : ndarray of float32, shape (ny, nx)
        Surface brightness in MJy/sr, NaN where nothing was measured.
    band : Band
        The band.
    wcs : astropy.wcs.WCS
        Two-dimensional celestial coordinates.
    uncertainty : ndarray of float32, shape (ny, nx), or None
        1-sigma error in MJy/sr.
    mask : ndarray of bool, shape (ny, nx), or None
        True where the pixel is not to be used.
    fwhm : float
        Full width at half maximum of the PSF in arcsec.
    psf : Stamp or None
        The PSF, where it was measured; else it is taken as a Gaussian.
    header : astropy.io.fits.Header or None
        The header it came with.
    path : Path or None
        The file it came from.
    unit : str
        The unit that the file had, before conversion.
    notes : tuple of str
        What each step did to it, in words.
    meta : mapping
        Figures that steps leave for later ones: ``"sky_rms"`` in MJy/sr, ``"checksum"`` of the
        file.
    doubt : ndarray of float32, shape (ny, nx), or None
        By how much the light of the stars that were subtracted may be wrong (1 sigma, neighbouring
        pixels alike), MJy/sr.
    """

    data: np.ndarray
    band: Band
    wcs: WCS
    uncertainty: np.ndarray | None = None
    mask: np.ndarray | None = None
    fwhm: float = 0.0
    psf: Stamp | None = None
    header: Header | None = None
    path: Path | None = None
    unit: str = "MJy/sr"
    notes: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    doubt: np.ndarray | None = None

    def __repr__(self) -> str:
        ny, nx = self.data.shape
        parts = [f"{nx} x {ny} pixels of {self.pixel_arcsec:.3g} arcsec", "MJy/sr"]
        parts += [f"PSF {self.fwhm:.3g} arcsec"] if self.fwhm else []
        parts += [] if self.uncertainty is None else ["with errors"]
        parts += [self.path.name] if self.path else []
        return f"BandImage {self.band}: {', '.join(parts)}"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the image on the sky, faint light stretched and bright light pressed together."""
        axes: Axes = call("BandImage.plot", self, ax)
        return axes

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx)."""
        ny, nx = self.data.shape
        return ny, nx

    @property
    def pixel_arcsec(self) -> float:
        """Side of a square pixel of the same area, in arcsec."""
        # astropy's proj_plane_pixel_area copies the WCS first, to be rid of axes that this one has
        # not.
        return float(np.sqrt(np.abs(np.linalg.det(self.wcs.pixel_scale_matrix))) * 3600)

    @property
    def frame(self) -> np.ndarray:
        """How its pixels lie on the sky, as `pixel_frame`, shape (2, 2)."""
        return pixel_frame(self.wcs, self.shape)

    def evolve(self, note: str = "", **changes: Any) -> BandImage:
        """A copy with some attributes changed and a note added; `meta` entries are merged."""
        if "meta" in changes:
            changes["meta"] = {**self.meta, **changes["meta"]}
        notes = (*self.notes, note) if note else self.notes
        return replace(self, notes=notes, **changes)


@dataclass(frozen=True)
class Ellipse:
    """An ellipse on the sky.

    Attributes
    ----------
    ra, dec : float
        Centre, ICRS, degrees.
    a, b : float
        Semi-axes in arcsec.
    pa : float
        Position angle of the major axis in degrees, east of north.
    """

    ra: float
    dec: float
    a: float
    b: float
    pa: float = 0.0

    def radius(self, wcs: WCS, shape: tuple[int, int]) -> np.ndarray:
        """Elliptical radius of every pixel in units of the ellipse (1 on it), shape (ny, nx).

        Computed at nodes a few pixels apart and interpolated: to better than a hundredth of a
        pixel.
        """
        from scipy.interpolate import RectBivariateSpline

        axes = [np.linspace(0, n - 1, min(n, max(8, n // 16 + 2))) for n in shape]
        east, north = self._offsets(wcs, *np.meshgrid(*axes[::-1]))
        if not (np.isfinite(east).all() and np.isfinite(north).all()) or min(shape) < 8:
            rows, columns = np.mgrid[: shape[0], : shape[1]]
            east, north = self._offsets(wcs, columns, rows)
        else:
            whole = [np.arange(n) for n in shape]
            east, north = (RectBivariateSpline(*axes, plane)(*whole) for plane in (east, north))
        sin, cos = np.sin(np.radians(self.pa)), np.cos(np.radians(self.pa))
        major, minor = east * sin + north * cos, east * cos - north * sin
        radius: np.ndarray = np.hypot(major / self.a, minor / self.b)
        return radius

    def _offsets(self, wcs: WCS, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far pixels lie to the east and to the north of the centre, arcsec."""
        sky = wcs.pixel_to_world(x, y).icrs
        # Orthographic offsets: within 1e-4 of the angles up to a degree from the centre, and sound
        # at the poles.
        ra, dec, ra0, dec0 = sky.ra.rad, sky.dec.rad, np.radians(self.ra), np.radians(self.dec)
        east = np.degrees(np.cos(dec) * np.sin(ra - ra0)) * 3600
        north = (
            np.degrees(np.sin(dec) * np.cos(dec0) - np.cos(dec) * np.sin(dec0) * np.cos(ra - ra0))
            * 3600
        )
        return east, north


@dataclass(frozen=True, repr=False)
class Galaxy:
    """A galaxy: what is known of it, and its images by band.

    Attributes
    ----------
    name : str
        The object's name.
    images : mapping of str to BandImage
        By band name.
    ra, dec : float or None
        Position, ICRS, degrees.
    distance_mpc : float or None
        Distance in Mpc.
    ellipse : Ellipse or None
        The D25 ellipse.
    hubble_stage : float or None
        De Vaucouleurs' numerical type T, from -5 (elliptical) to 10 (irregular), as in RC3 and
        HyperLEDA; None where it is not known.
    redshift : float or None
        As it was told; None where it is not known, which is not 0.
    notes : tuple of str
        Where what is known of it is from, where that has to be said.
    recipe : Recipe or None
        Settings with which it was read, for the steps that follow; None for the usual ones.
    masks : prepare.masks.Masks or None
        What is to be masked as a person drew it, or left it in an earlier result.
    paths : tuple of Path
        Files and folders that it was read from, where it was.
    """

    name: str
    images: Mapping[str, BandImage]
    ra: float | None = None
    dec: float | None = None
    distance_mpc: float | None = None
    ellipse: Ellipse | None = None
    notes: tuple[str, ...] = ()
    recipe: Recipe | None = None
    masks: Any = None
    paths: tuple[Path, ...] = ()
    hubble_stage: float | None = None
    redshift: float | None = None

    def __repr__(self) -> str:
        known = []
        if self.ra is not None and self.dec is not None:
            known.append(f"RA {self.ra:.4f}, Dec {self.dec:.4f}")
        if self.distance_mpc is not None:
            known.append(f"{self.distance_mpc:.4g} Mpc")
        if self.redshift is not None:
            known.append(f"redshift {self.redshift:g}")
        if self.hubble_stage is not None:
            known.append(f"Hubble stage {self.hubble_stage:g}")
        if self.ellipse is not None:
            d25, ratio = self.ellipse.a / 30, self.ellipse.b / self.ellipse.a
            known.append(f"D25 {d25:.3g} arcmin, b/a {ratio:.3g}, PA {self.ellipse.pa:g}")
        lines = [f"Galaxy {self.name}: {'; '.join(known) or 'nothing known of it'}"]
        lines.append(f"  {len(self.images)} bands: {', '.join(self.images)}")
        return "\n".join(lines)

    def plot(self, bands: Sequence[str] | None = None) -> Figure:
        """Draw its images side by side, each on its own pixels.

        Parameters
        ----------
        bands : sequence of str, optional
            The bands wanted; all by default.
        """
        figure: Figure = call("Galaxy.plot", self, bands)
        return figure

    @property
    def position(self) -> SkyCoord | None:
        """ICRS position, if known."""
        from astropy.coordinates import SkyCoord

        if self.ra is None or self.dec is None:
            return None
        return SkyCoord(self.ra, self.dec, unit="deg")
