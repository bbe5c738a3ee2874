"""What is masked in one galaxy: the circles, polygons and painted masks as they are now, their
history, and what is selected.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psygnal import Signal

from ...prepare.masks import mask_edits
from ...prepare.masks.mask_edits import Item
from ...prepare.masks.mask_set import Masks, Patch
from ...prepare.stars.star_list import Star
from ..ground.edit_history import History
from ..ground.put_aside import state_of, take_state

if TYPE_CHECKING:
    from ...data.recipe import Recipe
    from ...data.star_settings import StarSettings


Basis = tuple["StarSettings", frozenset[str]]
"""What circles were made for: the settings of the stars, and the bands."""


@dataclass(eq=False)
class MaskWork:
    """What is masked in one galaxy.

    Attributes
    ----------
    history : History
        The masks as they are and were; None while nobody knows.
    fitted : Masks or None
        What the stars' step has made last, as it made it.
    basis : tuple, optional
        What circles were made for.
    band : str
        The one band that is looked at and edited; "" for all.
    selected : tuple of Item
        What is selected.
    note : str
        Where the masks are from, or what became of them, in a sentence.
    """

    history: History[Masks | None] = field(default_factory=lambda: History(None))
    fitted: Masks | None = None
    basis: Basis | None = None
    band: str = ""
    selected: tuple[Item, ...] = ()
    note: str = ""


class MaskHistory(MaskWork):
    """The masks of a galaxy and every way to change them; nothing that was made by hand is ever
    lost without Undo.
    """

    changed = Signal()
    """What is masked."""
    note_changed = Signal()
    selection_changed = Signal()
    band_changed = Signal()

    def put_aside(self) -> MaskWork:
        """The masks of this galaxy, on their own."""
        return state_of(self, MaskWork)

    def take_up(self, state: MaskWork | None) -> None:
        """Go on with another galaxy; see `announce`."""
        take_state(self, state or MaskWork())

    def announce(self) -> None:
        """Let everybody look at everything anew."""
        for signal in (self.changed, self.band_changed, self.selection_changed):
            signal.emit()

    @property
    def now(self) -> Masks | None:
        """What is masked, or None while nobody knows: then the recipe's stars are."""
        return self.history.now

    @property
    def items(self) -> tuple[Item, ...]:
        """The circles and polygons."""
        return mask_edits.items_of(self.now)

    # Jobs ----------------------------------------------------------------------------------------

    def for_job(self, recipe: Recipe, bands: Iterable[str]) -> Masks | None:
        """What a preparation is to be given: None where the recipe alone says what is masked.

        Parameters
        ----------
        recipe : Recipe
            Its settings of the stars may have changed since the circles were made; then they are
            made anew, and only what was drawn by hand is kept (`take_fit` leaves a note).
        bands : iterable of str
            The images' bands.
        """
        now, stars = self.now, recipe.stars
        if now is None or not (stars.catalogue or stars.find):
            return now
        if now is self.fitted:
            return None
        if now.complete and self.basis is not None and self._outdated((stars, frozenset(bands))):
            from dataclasses import replace

            return replace(now.by_hand(), complete=False)
        return now

    def _outdated(self, basis: Basis) -> bool:
        assert self.basis is not None
        settings, bands = self.basis
        # Whether the stars are switched off says nothing of where their circles are.
        same = settings.model_copy(update={"enabled": basis[0].enabled}) == basis[0]
        return not (same and basis[1] <= bands)

    def take_fit(
        self, fitted: Masks, settings: StarSettings, bands: Iterable[str], asked: bool = False
    ) -> None:
        """Take the circles that the stars' step has made, and keep what was drawn by hand.

        Parameters
        ----------
        fitted : Masks
            Those of the step; taken once.
        settings, bands
            What they were made for.
        asked : bool
            Take them even if they were taken before and edited since: somebody wants them back.
        """
        if fitted is self.fitted and not asked:
            return
        before, hand = self.now, (self.now.by_hand() if self.now is not None else Masks())
        self.fitted, self.basis = fitted, (settings.model_copy(), frozenset(bands))
        drawn = bool(hand.stars or hand.patches or hand.polygons)
        if before is not None and before.stars == (fitted + hand).stars:
            return
        self.note = ""
        if before is None:
            self.history.now = fitted
            self._emit_changed(())
            return
        if before.stars != hand.stars:
            self.note = "The stars were fitted again" + (
                "" if asked else ", for their settings or the images changed"
            )
            self.note += (
                f"; what was drawn by hand is kept ({mask_edits.summary(hand)})." if drawn else "."
            )
            self.note += " Undo brings the circles back as they were."
        self.change(fitted + hand if drawn else fitted, "the new fit of the stars")

    def take_saved(
        self, masks: Masks, description: str, note: str, recipe: Recipe, bands: Iterable[str]
    ) -> None:
        """Take the masks that a result keeps, as they were left; nothing is fitted again.

        Parameters
        ----------
        masks : Masks
            The result's.
        description, note : str
            What Undo would take back, and the sentence that says where they are from.
        recipe, bands
            What holds now: only when that changes are the stars fitted anew.
        """
        self.note, self.basis = note, (recipe.stars.model_copy(), frozenset(bands))
        if self.now is None:
            self.history.now = masks
            self._emit_changed(())
        else:
            self.change(masks, description)

    # Changes -------------------------------------------------------------------------------------

    def change(self, masks: Masks, description: str, select: Sequence[Item] = ()) -> None:
        """Other masks, which Undo takes back.

        Parameters
        ----------
        masks : Masks
            The new ones.
        description : str
            What was done, to be read after "Undo".
        select : sequence of Item
            What is selected then.
        """
        self.history.push(masks, description)
        self._emit_changed(select)

    def edit(
        self,
        description: str,
        changes: Iterable[tuple[Item, Item | None]] = (),
        added: Iterable[Item] = (),
        select: Sequence[Item] | None = None,
    ) -> None:
        """Exchange, take away (None) and add items; what is selected stays selected in its new
        form.
        """
        changes, added = list(changes), list(added)
        if not changes and not added:
            return
        if select is None:
            table = {id(old): new for old, new in changes}
            after = [table.get(id(item), item) for item in self.selected]
            select = added or [item for item in after if item is not None]
        self.note = ""
        self.change(mask_edits.exchanged(self.now, changes, added), description, select)

    def paint(self, patch: Patch, description: str = "the stroke") -> None:
        """A painted mask in the place of the one of its bands."""
        self.note = ""
        self.change(mask_edits.painted(self.now, patch), description, self.selected)

    def undo(self) -> None:
        """Take the last change back."""
        self._step(self.history.undo())

    def redo(self) -> None:
        """Do again what was undone."""
        self._step(self.history.redo())

    def _step(self, done: bool) -> None:
        if done:
            self.note = ""
            before = {item.id for item in self.selected}
            self._emit_changed([item for item in self.items if item.id and item.id in before])

    def _emit_changed(self, select: Sequence[Item]) -> None:
        self.selected = tuple(select)
        self.changed.emit()
        self.selection_changed.emit()

    def set_note(self, text: str) -> None:
        """Show a sentence about the masks."""
        self.note = text
        self.note_changed.emit()

    # What is looked at ---------------------------------------------------------------------------

    def select(self, items: Sequence[Item]) -> None:
        """Select some items."""
        if [id(item) for item in items] != [id(item) for item in self.selected]:
            self.selected = tuple(items)
            self.selection_changed.emit()

    def look_at(self, band: str) -> None:
        """Look at and edit one band; all of them when it is empty."""
        if band != self.band:
            self.band = band
            self.band_changed.emit()

    # Edits of what is selected -------------------------------------------------------------------

    def delete(self, items: Sequence[Item]) -> None:
        """Take items away, in the band that is looked at."""
        description = "the deletion" if len(items) != 1 else f"the deletion of {name_of(items[0])}"
        self.edit(
            description, [(item, mask_edits.unmasked(item, self.band)) for item in items], select=()
        )

    def accept(self, items: Sequence[Item]) -> None:
        """Doubtful ones are fine as they are."""
        changes = [(item, mask_edits.accepted(item)) for item in items if item.flag]
        self.edit("accepting" + (f" {name_of(items[0])}" if len(items) == 1 else ""), changes)

    def mask_whole(self, items: Sequence[Item]) -> None:
        """Mask stars in place of subtracting them, in the band that is looked at."""
        changes = [
            (item, mask_edits.masked_whole(item, self.band))
            for item in items
            if mask_edits.is_subtracted(item, self.band)
        ]
        name = name_of(changes[0][0]) if len(changes) == 1 else "stars"
        self.edit(f"masking {name} in place of subtracting", changes)

    def switch(self, items: Sequence[Item], on: bool) -> None:
        """Let items mask, or not."""
        changes = [(item, mask_edits.switched(item, on)) for item in items if item.enabled != on]
        self.edit(
            f"switching {name_of(items[0])} {'on' if on else 'off'}" if items else "", changes
        )


def name_of(item: Item) -> str:
    """What a person calls an item."""
    return item.id or ("a circle" if isinstance(item, Star) else "a polygon")
