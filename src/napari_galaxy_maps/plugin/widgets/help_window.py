"""The pages of the documentation in a window of their own, without a network; which page belongs to
which panel.
"""

from __future__ import annotations

import re
import unicodedata
import webbrowser
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QSize, Qt, QTimer, QUrl
from qtpy.QtGui import (
    QBrush,
    QColor,
    QImage,
    QKeySequence,
    QShortcut,
    QTextCursor,
    QTextDocument,
)
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from ..ground.package_files import folder_with
from . import theme_colours
from .qt_parts import present

PAGES = {
    "GalaxyPanel": "window.md#galaxy-the-files-and-what-is-known-of-them",
    "PreparePanel": "window.md#prepare-from-images-to-one-grid",
    "StarsPanel": "stars.md#in-the-window",
    "PredictPanel": "window.md#predict-from-images-to-maps",
    "InspectPanel": "measuring.md#in-the-window",
    "MeasurePanel": "measuring.md#in-the-window",
    "PixelPanel": "spectrum.md#the-spectrum-under-the-pointer",
    "SharpenPanel": "sharpening.md",
    "NeighboursPanel": "stellar-maps.md#how-far-it-can-be-trusted",
    "MockPanel": "mocks.md",
}
"""The page of each panel, and where on it, by the panel's class: napari opens a panel by its class,
too."""
CONTENTS = "index.md"

_SIZE = QSize(860, 760)
_TRIES, _WAIT_MS = 20, 30
_MARGIN = 40
"""Pixels that a picture leaves free beside it."""


def docs_folder() -> Path:
    """Where the pages are; an `InputError` where they are not there."""
    return folder_with("docs", CONTENTS, "The documentation is")


def slug(heading: str) -> str:
    """What links call a heading, as on the web pages: ``"gaps-filled"`` of "Gaps filled"."""
    plain = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


class HelpPages(QTextBrowser):
    """A page of the documentation, with its pictures and its links."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("help_pages")
        self.inks = theme_colours.inks_of(None)
        self.setOpenLinks(False)  # those to the web go to the person's own browser
        self.anchorClicked.connect(self._follow)
        self.sourceChanged.connect(lambda _: self._shown())

    def open(self, page: str) -> None:
        """Show a page by its name, with ``#`` and a heading's slug where it is to begin."""
        name, _, heading = page.partition("#")
        url = QUrl.fromLocalFile(str(docs_folder() / name))
        if heading:
            url.setFragment(heading)
        self.setSource(url)
        self._shown()

    def _follow(self, link: QUrl) -> None:
        if link.scheme() in ("http", "https", "mailto"):
            webbrowser.open(link.toString())
        else:
            self.setSource(self.source().resolved(link))

    def loadResource(self, kind: int, url: QUrl) -> Any:
        """Pages without comments, and pictures no wider than the window."""
        path = Path(self.source().resolved(url).toLocalFile())
        if kind == QTextDocument.ResourceType.MarkdownResource.value and path.is_file():
            text = path.read_text(encoding="utf-8")
            return re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
        if kind == QTextDocument.ResourceType.ImageResource.value and path.is_file():
            picture = QImage(str(path))
            width = max(200, self.width() - _MARGIN)
            if picture.width() > width:
                how = Qt.TransformationMode.SmoothTransformation
                picture = picture.scaledToWidth(width, how)
            return picture
        return super().loadResource(kind, url)

    def _shown(self) -> None:
        """Colour the links of the page that came, and go to the heading that was asked for."""
        self.colour_links()
        if self.source().hasFragment():
            QTimer.singleShot(0, self._to_heading)

    def colour_links(self) -> None:
        """Links in the theme's colour: Qt's own blue cannot be read on a dark ground."""
        colour = QColor(self.inks[theme_colours.LINK])
        document = present(self.document())
        block = document.begin()
        while block.isValid():
            pieces = block.begin()
            while not pieces.atEnd():
                piece = pieces.fragment()
                form = piece.charFormat()
                if form.isAnchor() and form.foreground().color() != colour:
                    cursor = QTextCursor(document)
                    cursor.setPosition(piece.position())
                    cursor.setPosition(
                        piece.position() + piece.length(), QTextCursor.MoveMode.KeepAnchor
                    )
                    form.setForeground(QBrush(colour))
                    cursor.setCharFormat(form)
                    pieces = block.begin()
                else:
                    pieces += 1
            block = block.next()

    def _to_heading(self, tries: int = _TRIES) -> None:
        document, wanted = present(self.document()), self.source().fragment()
        layout, bar = present(document.documentLayout()), present(self.verticalScrollBar())
        block = document.begin()
        while block.isValid():
            if block.blockFormat().headingLevel() and slug(block.text()) == wanted:
                top = int(layout.blockBoundingRect(block).top())
                bar.setValue(top)
                if bar.value() < top and tries:  # Qt lays long pages out bit by bit
                    QTimer.singleShot(_WAIT_MS, partial(self._to_heading, tries - 1))
                return
            block = block.next()


class HelpWindow(QWidget):
    """The documentation in a window, with the way back.

    Parameters
    ----------
    parent : QWidget
        The window that it belongs to, and is closed with.
    """

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent, Qt.WindowType.Window)
        self.setObjectName("galaxy_maps_help")
        self.setWindowTitle("Galaxy Maps: help")
        self.pages = HelpPages()
        row = QHBoxLayout()
        for text, tip, slot in (
            ("Back", "The page before (Alt+Left)", self.pages.backward),
            ("Forward", "The page after (Alt+Right)", self.pages.forward),
            ("Contents", "All pages of the documentation", lambda: self.pages.open(CONTENTS)),
        ):
            button = QPushButton(text)
            button.setObjectName(text.lower())
            button.setToolTip(tip)
            button.clicked.connect(lambda _, slot=slot: slot())
            row.addWidget(button)
            if text == "Back":
                self.pages.backwardAvailable.connect(button.setEnabled)
            if text == "Forward":
                self.pages.forwardAvailable.connect(button.setEnabled)
            button.setEnabled(text == "Contents")
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self.pages, 1)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self).activated.connect(self.close)
        self.resize(_SIZE)

    def dye(self, inks: theme_colours.Inks) -> None:
        """Take the colours of a theme."""
        self.pages.inks = inks
        self.pages.colour_links()


def show_help(widget: QWidget, page: str) -> HelpWindow:
    """Show a page in the help of the window that a widget is in; each window has one.

    Parameters
    ----------
    widget : QWidget
        Or anything in it.
    page : str
        One of the pages' names, with ``#`` and a heading's slug.
    """
    window = widget.window()
    found = window.findChild(HelpWindow) if window is not None else None
    shown = found if isinstance(found, HelpWindow) else HelpWindow(window)
    shown.dye(theme_colours.inks_of(widget))
    shown.show()
    shown.raise_()
    shown.activateWindow()
    shown.pages.open(page)
    return shown
