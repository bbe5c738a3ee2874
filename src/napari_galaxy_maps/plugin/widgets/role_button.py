"""What an image is for, as a small button in its row of the table of files; pressed, it offers the
other roles.
"""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QMenu, QToolButton

ROLES = {
    "image": ("img", "an image of the sky"),
    "uncertainty": ("err", "errors of 1 sigma of the image of its band"),
    "variance": ("var", "variances of the image of its band"),
    "weight": ("wht", "weights (inverse variances) of the image of its band"),
    "exposure": ("exp", "an exposure or coverage map: where it is 0, nothing was seen"),
    "mask": ("msk", "a mask: pixels that it flags are blank"),
    "psf": ("psf", "a picture of the PSF, which is not read with the images"),
    "ignore": ("off", "none of these: it is not used"),
}
"""The sign and the meaning of each role, in the order in which they are offered."""


class RoleButton(QToolButton):
    """The role of one image.

    Its menu is made when the button is pressed, so that a table of many files opens at once.
    """

    role_given = Signal(str)
    """Another role; empty to take back what was said of it."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("role")
        self.setAutoRaise(True)
        self.setStyleSheet("padding: 0px; margin: 0px;")
        self.role, self.told = "", False
        self.clicked.connect(self._offer)

    def show_role(self, role: str, told: bool) -> None:
        """Show a role, and whether a person has told it."""
        if (role, told) == (self.role, self.told):
            return
        self.role, self.told = role, told
        sign, meaning = ROLES[role]
        self.setText(f"{sign}*" if told else sign)
        said = ", as you said" if told else ""
        self.setToolTip(f"It is for: {role}, {meaning}{said}. Click to change it.")
        self.setAccessibleName(f"role: {role}")

    def menu_of_roles(self) -> QMenu:
        """The roles to choose from."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for role, (_, meaning) in ROLES.items():
            action = menu.addAction(role)
            assert action is not None
            action.setToolTip(meaning)
            action.setCheckable(True)
            action.setChecked(role == self.role)
            action.triggered.connect(partial(self._chosen, role))
        if self.told:
            menu.addSeparator()
            action = menu.addAction("as its name and header say")
            assert action is not None
            action.triggered.connect(partial(self._chosen, ""))
        return menu

    def _offer(self) -> None:
        menu = self.menu_of_roles()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _chosen(self, role: str, _checked: bool = False) -> None:
        if role != self.role:
            self.role_given.emit(role)
