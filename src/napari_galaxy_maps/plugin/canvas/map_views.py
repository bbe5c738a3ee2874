"""The maps of the result that is looked at, a layer a property: each layer is switched between map,
uncertainty, residual and truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any
from weakref import ref

from psygnal import Signal

from ...data.maps import PropertyMaps
from ..ground.layer_specs import VIEWS, Key, LayerSpec, View, map_specs, shown_in
from ..state.project import Project
from ..state.results import Result
from .layer_register import LayerRegister

VIEW_KEYS: dict[View, str] = {
    "map": "Alt-1",
    "error": "Alt-2",
    "residual": "Alt-3",
    "truth": "Alt-4",
}
"""What switches the view of the map that is looked at."""
HATCH_KEY = "Alt-5"
"""What switches the hatching of doubtful pixels; Alt-H opens the Help menu."""


class MapViews:
    """Shows results in layers.

    Parameters
    ----------
    project : Project
        Whose results they are.
    layers : LayerRegister
        Where they show.
    """

    changed = Signal()
    """Which map is looked at, which of its views, or how it is coloured."""

    def __init__(self, project: Project, layers: LayerRegister):
        self.project, self.layers = project, layers
        self.usual = False
        """Whether colours span each property's usual range rather than the galaxy's."""

    def bind_keys(self) -> None:
        """Let keys on the canvas switch the view, and go from map to map."""
        viewer, views = self.layers.viewer, ref(self)

        def bind(key: str, act: Callable[[MapViews], None]) -> None:
            def pressed(_: Any) -> None:
                own = views()
                if own is not None:
                    act(own)

            viewer.bind_key(key, pressed, overwrite=True)

        def switch(view: View) -> Callable[[MapViews], None]:
            return lambda own: own.switch(view)

        for view, key in VIEW_KEYS.items():
            bind(key, switch(view))
        bind(HATCH_KEY, lambda own: own.layers.doubtful.switch(not own.layers.doubtful.on))
        bind("Alt-Left", lambda own: own.step(-1))
        bind("Alt-Right", lambda own: own.step(1))

    # What is there -------------------------------------------------------------------------------

    @property
    def looked_at(self) -> tuple[str, View] | None:
        """The property and the view of the result's map that is switched on."""
        result, key = self.project.result, self.layers.looked_at()
        if result is None or key is None or key.source != result.key:
            return None
        layer = self.layers.layer(key)
        shown = shown_in(layer) if layer is not None else None
        return (key.name, shown.view) if shown is not None else None

    def views(self, name: str) -> list[View]:
        """The views that a property's layer can be switched to."""
        result = self.project.result
        return [] if result is None else [v for v in VIEWS if name in self._values(result, v)]

    def _values(self, result: Result, view: View) -> Iterable[str]:
        """The properties that have a view."""
        content = self._content(result, view)
        if content is None:
            return ()
        return content.errors if view == "error" else content.values

    def _content(self, result: Result, view: View) -> PropertyMaps | None:
        if view == "residual":
            return result.residual
        return self.project.truth if view == "truth" else result.maps

    # Specs ---------------------------------------------------------------------------------------

    def specs(
        self,
        result: Result,
        view: View = "map",
        names: Sequence[str] | None = None,
        apart: bool = False,
    ) -> list[LayerSpec]:
        """The layers of one view of a result, switched off; empty where it has no such view."""
        content = self._content(result, view)
        if content is None:
            return []
        return map_specs(
            content,
            self.project.place(result.maps),
            self.project.name,
            view=view,
            source=result.key,
            made_by=result.label,
            apart=apart,
            usual=self.usual,
            beside=result.maps,
            names=names,
        )

    # Looking -------------------------------------------------------------------------------------

    def look(self, name: str, view: View = "map") -> None:
        """Look at a view of a property; a layer that was deleted comes back. Where there is no such
        view, the map is looked at.
        """
        result = self.project.result
        if result is None or name not in result.maps.values:
            return
        view = view if view in self.views(name) else "map"
        spec = next(iter(self.specs(result, view, [name])), None)
        if spec is None:
            return
        layer = self.layers.layer(spec.key)
        shown = shown_in(layer) if layer is not None else None
        if shown is None or shown.view != view or shown.content is not spec.shown.content:
            self.layers.show(spec.switched_off())
        self.layers.focus(spec.key)
        self.changed.emit()

    def step(self, by: int) -> None:
        """Look at the next property, or the one before."""
        result = self.project.result
        if result is None:
            return
        names, at = list(result.maps.values), self.looked_at
        number = names.index(at[0]) if at is not None and at[0] in names else -by
        self.look(names[(number + by) % len(names)], at[1] if at is not None else "map")

    def switch(self, view: View) -> None:
        """Switch the map that is looked at to another view."""
        result, at = self.project.result, self.looked_at
        if result is not None:
            self.look(at[0] if at is not None else next(iter(result.maps.values)), view)

    def show_result(self, before: tuple[str, View] | None = None) -> None:
        """Show the result that is looked at, the same property and view as before if it has them;
        the layers that it has not yet come one by one.
        """
        result = self.project.result
        if result is None or not result.maps.values:
            return
        name, view = before or ("", "map")
        if name not in result.maps.values:
            name = list(result.maps.values)[-1]
        missing = [
            other
            for other in result.maps.values
            if other != name and self.layers.layer(key_of(result, other)) is None
        ]
        self.look(name, view)
        if missing:
            specs = self.specs(result, names=missing)
            self.layers.show_later(spec.switched_off() for spec in specs)

    def show_fresh(self, result: Result, before: tuple[str, View] | None) -> None:
        """Show new maps of a result; layers of maps that were not made again go."""
        for key, layer in self.layers.shown().items():
            if key.source == result.key and key.name not in result.maps.values:
                self.layers.remove(layer)
        self.layers.show_later(spec.switched_off() for spec in self.specs(result, "map"))
        self.layers.show_later([], partial(self._look_again, result, before))

    def _look_again(self, result: Result, before: tuple[str, View] | None) -> None:
        self.renew(result, ("error", "residual", "truth"))
        if self.project.result is result:
            self.show_result(before)

    def show_all(self) -> None:
        """Every view of every property as a layer of its own, switched off."""
        result = self.project.result
        if result is None:
            return
        views: list[View] = [view for view in VIEWS if view != "map"]
        specs = [spec for view in views for spec in self.specs(result, view, apart=True)]
        self.layers.show_later(spec.switched_off() for spec in specs)

    def drop(self, result: Result) -> None:
        """Take a result's layers away."""
        for key, layer in self.layers.shown().items():
            if key.kind == "map" and key.source == result.key:
                self.layers.remove(layer)

    def shown_views(self, result: Result) -> dict[tuple[View, bool], list[str]]:
        """The properties whose layers show a view, by the view and whether they stay with it."""
        found: dict[tuple[View, bool], list[str]] = {}
        for key, layer in self.layers.shown().items():
            shown = shown_in(layer)
            if key.kind == "map" and key.source == result.key and shown is not None:
                found.setdefault((shown.view, bool(key.view)), []).append(key.name)
        return found

    def renew(self, result: Result, views: Sequence[View]) -> None:
        """The result has other residuals or another truth: layers that show them follow, or go back
        to the map where there are none any more.
        """
        for key, layer in self.layers.shown().items():
            shown = shown_in(layer)
            if key.source != result.key or shown is None or shown.view not in views:
                continue
            fresh = self.specs(result, shown.view, [key.name], apart=bool(key.view))
            if fresh:
                self.layers.show(fresh[0])
            elif key.view:
                self.layers.remove(layer)
            else:
                self.layers.show(self.specs(result, "map", [key.name])[0])

    def span_usual(self, on: bool) -> None:
        """Let colours span the usual range of each property, or the galaxy's own."""
        self.usual = on
        for result in self.project.results:
            for view in ("map", "truth"):
                for spec in self.specs(result, view):
                    self.layers.recolour(spec)
        self.changed.emit()


def key_of(result: Result, name: str) -> Key:
    """The key of a property's layer."""
    return Key("map", name, result.key)
