"""Every panel's ? opens its page of the documentation, whose pictures show and whose links lead on,
without a network.
"""

import re

import pytest
from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QColor, QTextCursor, QTextDocument
from qtpy.QtTest import QTest

from napari_galaxy_maps.plugin.manifest import docks
from napari_galaxy_maps.plugin.widgets import help_window, theme_colours
from napari_galaxy_maps.plugin.widgets.help_window import HelpWindow, docs_folder, slug

CLASSES = {row.place.partition(":")[2]: row.name for row in docks.ROWS}


def headings(page):
    """The slugs of a page's headings."""
    text = (docs_folder() / page).read_text(encoding="utf-8")
    return {slug(re.sub(r"`", "", words)) for words in re.findall(r"^#+ (.*)$", text, re.M)}


def top_of(pages, heading):
    """Where on the page that is seen a heading stands, in pixels; below where it is at the end."""
    block = pages.document().begin()
    while block.isValid():
        if block.blockFormat().headingLevel() and slug(block.text()) == heading:
            at_end = pages.verticalScrollBar().value() == pages.verticalScrollBar().maximum()
            top = pages.cursorRect(QTextCursor(block)).top()
            return 0 if at_end and 0 <= top < pages.viewport().height() else top
        block = block.next()
    return -1


def test_every_panel_has_a_page_that_is_there():
    assert set(help_window.PAGES) == set(CLASSES)
    for page in help_window.PAGES.values():
        name, _, heading = page.partition("#")
        assert (docs_folder() / name).is_file()
        assert not heading or heading in headings(name), page


def test_headings_are_called_as_on_the_web_pages():
    assert slug("Galaxy: the files, and what is known of them") == (
        "galaxy-the-files-and-what-is-known-of-them"
    )
    assert slug("The ×2 élan") == "the-2-elan"


@pytest.mark.window
@pytest.mark.parametrize("name", CLASSES.values())
def test_a_click_on_the_question_mark_opens_the_page(empty_window, qtbot, name):
    panel = docks.panel(empty_window, name)
    docks.raise_panel(empty_window, name)
    qtbot.waitUntil(panel.help_button.isVisible)
    assert panel.help_button.visibleRegion().boundingRect().size() == panel.help_button.size()
    QTest.mouseClick(panel.help_button, Qt.MouseButton.LeftButton)
    shown = panel.window().findChild(HelpWindow)
    qtbot.waitUntil(shown.isVisible)
    pages = shown.pages
    page, _, heading = help_window.PAGES[type(panel).__name__].partition("#")
    assert pages.source().fileName() == page
    if heading:
        qtbot.waitUntil(lambda: 0 <= top_of(pages, heading) < 80)
    shown.close()


@pytest.mark.window
def test_links_pictures_and_the_way_back(empty_window, qtbot, monkeypatch):
    panel = docks.panel(empty_window, "Galaxy")
    docks.raise_panel(empty_window, "Galaxy")
    panel.window().activateWindow()
    panel.name.setFocus()
    qtbot.waitUntil(panel.name.hasFocus)
    QTest.keyClick(panel.name, Qt.Key.Key_F1)
    shown = panel.window().findChild(HelpWindow)
    qtbot.waitUntil(shown.isVisible)
    pages = shown.pages
    assert pages.toPlainText().startswith("The window")
    kind = QTextDocument.ResourceType.ImageResource.value
    wide = pages.loadResource(kind, QUrl("images/sample_predicted.png"))
    assert 200 < wide.width() <= pages.width()
    pages.anchorClicked.emit(QUrl("stars.md#in-the-window"))
    assert pages.source().fileName() == "stars.md" and "In the window" in pages.toPlainText()
    back = next(
        b
        for b in shown.findChildren(type(shown.findChild(object, "back")))
        if b.objectName() == "back"
    )
    assert back.isEnabled()
    QTest.mouseClick(back, Qt.MouseButton.LeftButton)
    assert pages.source().fileName() == "window.md"
    opened = []
    monkeypatch.setattr(help_window.webbrowser, "open", opened.append)
    pages.anchorClicked.emit(QUrl("https://semver.org"))
    assert opened == ["https://semver.org"] and pages.source().fileName() == "window.md"
    shown.close()


@pytest.mark.window
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_links_can_be_read_in_every_theme(empty_window, qtbot, theme):
    empty_window.theme = theme
    panel = docks.panel(empty_window, "Sharpen")
    qtbot.waitUntil(lambda: panel.inks == theme_colours.inks_for(theme))
    panel.show_help()
    shown = panel.window().findChild(HelpWindow)
    document, colours = shown.pages.document(), set()
    block = document.begin()
    while block.isValid():
        pieces = block.begin()
        while not pieces.atEnd():
            form = pieces.fragment().charFormat()
            if form.isAnchor():
                colours.add(form.foreground().color().name())
            pieces += 1
        block = block.next()
    assert colours == {QColor(panel.inks[theme_colours.LINK]).name()}
    from napari.utils.theme import get_theme

    ground = QColor(*get_theme(theme).console.as_rgb_tuple(alpha=False)).name()
    assert theme_colours.contrast(colours.pop(), ground) >= 4.5
    shown.close()
