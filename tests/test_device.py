"""What the machine has: memory that is checked before it is taken."""

from __future__ import annotations

import pytest

from napari_galaxy_maps import device
from napari_galaxy_maps.exceptions import InputError


def test_what_does_not_fit_into_memory_is_refused_with_its_size(monkeypatch):
    assert device.free_memory() > 0
    monkeypatch.setattr(device, "free_memory", lambda: 2 * 10**9)
    device.check_memory(1.9e9, "A thing", "take less")
    with pytest.raises(InputError, match=r"A thing takes 3 GB .* 2 GB are free; take less\."):
        device.check_memory(3e9, "A thing", "take less")
