"""Makes docs/bands.md, the page of the bands: `python docs/bands_page.py`."""

from __future__ import annotations

from pathlib import Path

from napari_galaxy_maps.bands.registry import BANDS, Band, bands_by_survey
from napari_galaxy_maps.bands.stand_ins import STAND_INS

PAGE = Path(__file__).with_name("bands.md")
HEAD = """# Bands

Images in the bands below are read, prepared, measured and drawn. What else is done with them
depends on the band:

- From the 18 **input** bands, ultraviolet to 22 micron, the models predict maps, and model spectra
  are fitted to them.
- In the 8 **truth** bands, 24 to 500 micron, the dust itself is seen: they are what predictions are
  compared with.
- The **other** bands are in no table of model spectra, and a model takes them only where its card
  names them; none that ships does. They go through every step of the preparation beside the rest,
  into cubes and tables. Where maps are predicted they are left out before the preparation begins,
  so that the maps are the same, to the bit, as without these images; gaps are not filled in them
  and spectra are not fitted to them. A note says so each time. Nothing stands in for another band:
  the r of Pan-STARRS is not taken for that of SDSS.

A cube that was prepared with other bands has one mask and one set of flags for all its bands, so
that a star masked in one of them is masked in the maps as well.

This page is made from the program's table of bands (`python docs/bands_page.py`).
"""
TABLE = """
Wavelengths are pivots; A is A_band / E(B-V), E(B-V) as in Schlegel+ 1998; 0 mag is what magnitude 0
of the survey's own system (in brackets) is in Jy.
"""
TAIL = """
## Adding a band

A band is one row of `src/napari_galaxy_maps/bands/bands.ecsv`, at its place by wavelength. The
columns say what they hold; `use` is `other` for all bands but those of the models. The numbers that
follow from the filter curve (pivot, A / E(B-V), Vega's flux density) are printed by

    python -m napari_galaxy_maps.training.datasets.band_numbers sedpy:decam_g

for a curve of astro-sedpy or, written `speclite:Euclid-VIS`, of speclite, which only this command
needs (`pip install astro-sedpy speclite`). Without a curve it holds all rows against their curves.
Other spellings, with semicolons between them, must belong to no other band; case and punctuation do
not count, except in names of one letter, which stay those of SDSS and 2MASS. A name that several
cameras share (`F606W`, `F200W`) is nobody's: it needs the camera's beside it. Models keep the bands
of their cards, so that a row more changes no map; for model spectra in the band, see
`training/datasets/photometric_tables.py`.

## Adding a survey

A survey or camera is one row of `src/napari_galaxy_maps/bands/surveys.ecsv`: what headers call it
and its telescope (regular expressions), what file names call it, what headers call its filters
beyond the names of its bands, the pixels of its own images, the kinds of counts in them, and
whether its zero points are of a count in the image or per second. Lists have semicolons between
their parts. A row with a name alone is a camera whose bands are not known: its filters are never
taken for another's.

The other columns are for its customs, and empty for most:

- `custom_zero_points`, such as `MAGZERO+DES_EXT+DESFNAME=image`: what a zero point is for in files
  that have the other keywords, whatever its comment says.
- `pixels_at`, such as `22.5=2.75`: the side of the pixels of its images of a zero point.
- `roles`, such as `oow=weight;ood=mask`: what a word in the names of files and extensions is for
  that no other survey uses otherwise.
- `own_roles`, such as `wt=variance;n_m=exposure`: the same where header or name call the survey.
  Two parts of a name are joined by `_`.
- `bad_bits`, such as `*=0 3;msk@WISE_3.4=4`: which bits of its masks are faults, by a word in the
  mask's name, for all bands or for one. They are numbers, or names that the mask's header explains
  (`MP_SAT`). Without an entry any value but 0 is a fault.
- `exposures`, such as `int=rrhr exp`: what its exposure maps have in their names in place of a word
  of its images.
- `units`, such as `int=counts/s`: the unit to suggest where no header tells one.
- `wider_psf`, such as `COADDID=1.414`: by what the PSF is wider in files with a keyword.
- `plane_zero_points`, such as `JMAGZP=J;HMAGZP=H`: the filters of the planes of its cubes.
- `object_is_field`: `yes` where `OBJECT` names a field and not a galaxy.

Code names no survey (a test reads it for that), so that a row is all it takes.

## Where the numbers are from

**Pivot wavelengths**: of the 26 bands of the models, Dobbels & Baes (2021, Table 1); of the others,
their filter curves. (SDSS's g, r, i and z lie 1 to 2 % redder there than their curves say.)

**Filter curves**: astro-sedpy 0.4.1; of Euclid, speclite 1.0.0. Those of ground-based surveys
include the atmosphere. MegaCam's are of its first filters (2003 to 2015: CFHTLS, NGVS), to which
the names `u.MP9301` to `z.MP9801` belong; images in the later ones (u.MP9302, g.MP9402, r.MP9602
and so on), which differ by some hundredths of a magnitude, are read as the same bands. MIRI's
curves were measured before the launch. UVOT's W2 and W1 leak red light: through them red galaxies
look brighter, and the coefficient holds for young stars.

**Reddening**: SDSS and 2MASS from Schlafly & Finkbeiner (2011, Table 6, R_V = 3.1). The others by
their recipe: the curve of Fitzpatrick (1999) for R_V = 3.1 with A(1 µm) = 0.78 × 1.32 E(B-V),
through the filter, for a spectrum that is flat in F_ν in the ultraviolet (pivots below 0.3 µm) and
that of a star of 7000 K beyond, at E(B-V) = 0.1. Beyond 3.3 µm, where the curve ends, it goes on as
λ^-1.84 (Martin & Whittet 1990); silicate features are not in it. This gives their own u to Ks to
0.6 %, and their Pan-STARRS, DES, LSST, UKIDSS, ACS and WFC3 to 1.2 %, but y of Pan-STARRS (1.7 %),
F275W (1.7 %), F110W (1.9 %) and H of UKIDSS (3 %); Johnson's and Cousins's, for which they took
Landolt's filters, to 2.7 %.

**Magnitude 0**: 2MASS from Cohen+ (2003, Table 2), WISE from Jarrett+ (2011, Table 1), Johnson and
Cousins from Bessell+ (1998, Table A2), UKIRT from Hewett+ (2006, Table 7). VISTA: Vega (CALSPEC
alpha_lyr_stis_005) through its filters, where it has magnitude 0. In the same way Vega gives
2MASS's to 0.5, 0.9 and 0.5 %, WISE's to 0.7, 0.7, 0.8 and -1.9 %, UKIRT's to 2.2, 2.5 and 2.7 %,
Bessell's to -4.1 % in U, -1.6 % in B and 0.6 % in V, R and I. Magnitudes are Vega's in 2MASS,
WISE, UKIRT, VISTA, Johnson and Cousins, AB in all others: UVOT, Hubble and JWST have zero points
in both, and a header that gives Vega's must be changed (UVOT: AB is Vega + 1.73, 1.69 and 1.51 in
W2, M2 and W1; Breeveld+ 2011).

**Widths of PSFs** are those of a typical image. A ground-based one has the seeing of its night, and
drizzled images of Hubble and JWST have their pixels' width in them, which the instruments' tables
leave out: give the PSF (`--psf BAND=ARCSEC`, or a picture of it) where that matters.

**Calibration errors** are those of the survey's zero points, of all pixels together.

| survey | PSF | calibration |
|---|---|---|
| the 26 of the models | Clark+ 2018, Table 1; Aniano+ 2011 | Clark+ 2018, Table 1 |
| UVOT | Breeveld+ 2010 | Breeveld+ 2011 |
| Johnson, Cousins | assumed: 1.5″ of seeing | assumed: 3 %, of a night tied to Landolt's stars |
| Pan-STARRS | Chambers+ 2016, medians | Tonry+ 2012, 0.02 mag |
| DECam | Abbott+ 2021 (DES DR2), medians; u assumed | Abbott+ 2021, 1 %; u assumed |
| BASS, MzLS | Dey+ 2019, medians | Dey+ 2019, tied to Pan-STARRS to 1 % |
| MegaCam | Hudelot+ 2012 (CFHTLS Wide), medians | Regnault+ 2009, 1 %, 2 % in z, 3 % in u |
| HSC | Aihara+ 2022 (PDR3), medians | Aihara+ 2022, 1 % |
| Rubin | Ivezić+ 2019, Table 2 | Ivezić+ 2019, required: 1 %, 2 % in u |
| Euclid | Cuillandre+ 2025 | McCracken+ 2025, Polenta+ 2025, with CALSPEC's 1 % |
| WFC3 | Instrument Handbook, Tables 6.7 and 7.5, before pixels | Data Handbook, 2 % |
| ACS | Instrument Handbook, Sect. 5.6 (0.10 to 0.13″ over the field) | Bohlin 2016, 1 % |
| UKIRT | Warren+ 2007 (UKIDSS) | Hodgkin+ 2009, 2 % |
| VISTA | Edge+ 2013 (VIKING) | González-Fernández+ 2018, 2 % |
| Roman | technical information of June 2024, computed | assumed: 2 %, until it flies |
| NIRCam | JWST documentation, NIRCam point spread functions | JWST documentation, required: 5 % |
| MIRI | JWST documentation, MIRI point spread functions | Gordon+ 2025 (1 to 4 % a star), 3 % |

**Bits of masks that are faults**: Pan-STARRS, the archive's page on pixel flags (0x0001 to 0x0040,
0x0100 and 0x2000, not suspect pixels, spikes, ghosts and star cores); unWISE, the bits of
saturation (Meisner+ 2019 and the Legacy Surveys' reduction of them); Legacy Surveys, DR9, SATUR and
ALLMASK of the band, not BRIGHT or GALAXY; DES, its data management's flags but INTERP, STAR,
SSXTALK, SUSPECT, FIXED and TAPEBUMP; HSC and Rubin, BAD, SAT, NO_DATA and UNMASKEDNAN by the names
in the mask's header; Euclid, INVALID, and NO_DATA in VIS; JWST, DO_NOT_USE; Hubble, the flags
that its Data Handbooks do not let pass when images are drizzled.

GALEX's counts per second: AB 18.82 and 20.08 (Morrissey+ 2007, eq. 1-2). SPIRE's beams: 469.35,
831.27 and 1804.31 arcsec² (SPIRE Handbook v3.2, Table 5.8, pipeline values). The year of an image
whose header tells no date is the middle of its survey.

## What is left out

F438W, F625W, F775W and F850LP of WFC3 (UVIS), and Z and Y of UKIRT, for want of a filter curve;
narrow bands; cameras that share names with those above (NIRISS, NICMOS, WFPC2, XMM's OM).
"""


STAND_IN_HEAD = """
## Stand-ins

Bands of other cameras that may stand in for one of the models'
([how](reading.md#another-camera-in-the-place-of-a-missing-band)): the factor by which their flux is
multiplied, and its error: the scatter between 4,096 model galaxies of the broad prior at that of
six redshifts from 0 to 0.1 where it is largest. Computed by
`python -m napari_galaxy_maps.training.datasets.stand_in_colours`.

Less what Tonry+ 2012 (Table 6, quadratic in g - r) publish for Pan-STARRS, its terms at g - r of
0.3, 0.5 and 0.8 are, in mag: g -0.005, -0.007, -0.013; r 0.013, 0.008, 0.001; i 0.000, 0.002,
0.002; z -0.029, -0.033, -0.037. That of z is more than its error here, and not explained.

| band | stands in for | flux times | error |
|---|---|---|---|
"""


def page() -> str:
    """The text of the page."""
    parts = [HEAD]
    for survey, names in bands_by_survey().items():
        parts.append(f"\n## {survey or 'The bands of the models'}\n")
        parts.append("" if survey else TABLE)
        parts.append("\n| band | µm | PSF ″ | calibration | A | 0 mag | use | also called |\n")
        parts.append("|---|---|---|---|---|---|---|---|\n")
        parts.extend(_row(BANDS[name]) for name in names)
    parts.append(STAND_IN_HEAD)
    parts.extend(
        f"| `{s.name}` | `{s.stands_for}` | {s.factor:.3f} | {s.error:.1%} |\n"
        for s in STAND_INS.values()
    )
    return "".join((*parts, TAIL))


def _row(band: Band) -> str:
    aliases = ", ".join(f"`{alias}`" for alias in band.aliases)
    zero = f"{band.zero_point_jy:.4g} ({band.system})"
    return (
        f"| `{band.name}` | {band.pivot:g} | {band.fwhm:g} | {band.calibration:.1%} | "
        f"{band.reddening:.3f} | {zero} | {band.use} | {aliases} |\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
