"""The table of stand-ins is what its script makes of the model galaxies."""

import numpy as np
import pytest

from napari_galaxy_maps.bands.stand_ins import STAND_INS, read_stand_ins
from napari_galaxy_maps.training.datasets import stand_in_colours
from napari_galaxy_maps.training.datasets.band_numbers import Curve


@pytest.fixture
def boxes(monkeypatch):
    """Filters that are boxes about the pivot wavelength, in place of the curves."""

    def box(name):
        band = next(band for band in stand_in_colours.BANDS.values() if band.curve == name)
        micron = band.pivot * np.linspace(0.85, 1.15, 400)
        return Curve(micron, (abs(micron / band.pivot - 1) < 0.1).astype(float))

    monkeypatch.setattr(stand_in_colours, "filter_curve", box)
    monkeypatch.setattr(stand_in_colours, "MODELS", 128)


def test_a_table_is_written_and_read_again(boxes, tmp_path):
    out = tmp_path / "stand_ins.ecsv"
    stand_in_colours.main(["--out", str(out)])
    found = read_stand_ins(out)
    assert found.keys() == STAND_INS.keys()
    # With boxes, too, the farther apart the pivots, the more galaxies differ.
    assert found["MegaCam_g"].offset > found["BASS_g"].offset
    assert found["MegaCam_g"].scatter > found["BASS_g"].scatter
    from astropy.table import Table

    assert Table.read(out)["offset"].unit == "mag"


def test_the_shipped_table_is_what_the_script_makes():
    pytest.importorskip("sedpy")
    for name, target, offset, scatter, _ in stand_in_colours.rows():
        found = STAND_INS[name]
        assert (found.stands_for, found.offset) == (target, pytest.approx(offset, abs=1e-3))
        assert found.scatter == pytest.approx(scatter, abs=1e-3)
