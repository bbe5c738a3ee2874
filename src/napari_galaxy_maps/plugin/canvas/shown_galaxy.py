"""The layers of one galaxy, and how a person has left them: what is kept of them while another
galaxy is looked at, and in a session.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..ground.layer_specs import Key, View, shown_in

if TYPE_CHECKING:
    from napari.layers import Layer


@dataclass(eq=False)
class ShownGalaxy:
    """The layers of one galaxy.

    Attributes
    ----------
    layers : dict of Key to weak reference to a layer
        The layers.
    given_names : dict of Key to str
        What they were called by us, to tell a person's own names from.
    own_names : dict of Key to str
        What a person called layers that are not there just now.
    colours : dict of (Key, str) to (limits, colour map)
        How each view was coloured that a layer showed before.
    visible : dict of Key to View
        Which layers were switched on when the galaxy was put aside, and their view; of those that
        have to be made again, until they are.
    camera : tuple, optional
        Where the camera pointed then (two numbers), and its zoom.
    """

    layers: dict[Key, weakref.ref[Layer]] = field(default_factory=dict)
    given_names: dict[Key, str] = field(default_factory=dict)
    own_names: dict[Key, str] = field(default_factory=dict)
    colours: dict[tuple[Key, str], tuple[Any, Any]] = field(default_factory=dict)
    visible: dict[Key, View] = field(default_factory=dict)
    camera: tuple[tuple[float, ...], float] | None = None

    def remember(self, key: Key, layer: Layer) -> None:
        """Keep how a person has left a layer, which may go."""
        shown = shown_in(layer)
        if shown is not None:
            self.colours[key, shown.view] = (tuple(layer.contrast_limits), layer.colormap)
        if layer.name != self.given_names.get(key):
            self.own_names[key] = layer.name
