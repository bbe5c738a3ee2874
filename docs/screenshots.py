"""Makes the pictures of docs/window.md, docs/stars.md, docs/measuring.md, docs/mocks.md and
docs/spectrum.md: `xvfb-run -a -s "-screen 0 1600x1000x24" python docs/screenshots.py [GALAXIES]`.

GALAXIES is a folder with the real galaxies `ngc309`, `ngc5584`, `ngc6976_group`, `m51`,
`three_surveys_ugc1411`; without it
only the sample galaxies are shown. `docs/screenshots.py panels [FOLDER]`, on a screen of 2000 x
1200, shows every panel in both themes at three sizes, to be looked at, in build/panels or FOLDER.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from napari.viewer import Viewer
from qtpy.QtCore import QEventLoop, Qt, QTimer
from qtpy.QtWidgets import QPushButton

from napari_galaxy_maps.plugin.canvas.map_views import key_of
from napari_galaxy_maps.plugin.ground.layer_specs import Key
from napari_galaxy_maps.plugin.ground.viewers import camera_and_scale_bar
from napari_galaxy_maps.plugin.manifest import docks as panels
from napari_galaxy_maps.plugin.manifest import samples as sample_data
from napari_galaxy_maps.plugin.widgets import file_table
from napari_galaxy_maps.plugin.workspace import Workspace, workspace_of

IMAGES = Path(__file__).parent / "images"
SIZE = (1480, 860)
SIZES = ((1100, 700), SIZE, (1920, 1080))
"""Of windows in which every panel has to be legible."""


def wait(condition: Callable[[], bool], seconds: float = 300) -> None:
    """Run the event loop until something is so."""
    loop, timer, end = QEventLoop(), QTimer(), monotonic() + seconds
    timer.timeout.connect(lambda: loop.quit() if condition() or monotonic() > end else None)
    timer.start(10)
    loop.exec()
    if not condition():
        raise TimeoutError("the window never got there")


def settle(workspace: Workspace) -> None:
    """Wait until nothing is under way and all is painted."""
    wait(lambda: not workspace.busy)
    end = monotonic() + 0.8
    wait(lambda: monotonic() > end)


@contextmanager
def window(*paths: Path | str) -> Iterator[tuple[Viewer, Workspace]]:
    """A window with all panels and some files."""
    viewer = Viewer(title="Galaxy Maps", show=True)
    viewer.window.resize(*SIZE)
    panels.open_all(viewer)
    workspace = workspace_of(viewer)
    settle(workspace)
    workspace.opener.add_paths(paths)
    settle(workspace)
    yield viewer, workspace
    viewer.close()


panel = panels.panel


@contextmanager
def sample_window() -> Iterator[tuple[Viewer, Workspace]]:
    """A window with the sample spiral and its truth opened."""
    with window() as (viewer, workspace):
        folder = sample_data.sample_folder()
        workspace.project.take_recipe_in(folder)
        workspace.opener.add_paths([folder])
        settle(workspace)
        yield viewer, workspace


def point(viewer: Viewer, workspace: Workspace, east: float = 0, north: float = 0) -> None:
    """Put the pointer on a place of the sky: offsets in arcsec from the first image's middle."""
    viewer.mouse_over_canvas = True
    viewer.cursor.position = (north, -east)
    viewer.update_status_from_cursor()


def look_at(workspace: Workspace, name: str) -> None:
    """Look at a map of the result that is looked at, as large as the canvas allows."""
    workspace.views.look(name)
    workspace.layers.fit(key_of(workspace.project.result, name))


def zoom(viewer: Viewer, factor: float) -> None:
    """Look closer."""
    camera, _ = camera_and_scale_bar(viewer)
    camera.zoom *= factor


def save(viewer: Viewer, workspace: Workspace, name: str) -> None:
    """Save the window, with as few colours as its pictures need."""
    settle(workspace)
    picture = viewer.screenshot(canvas_only=True, flash=False)
    if picture[..., :3].std() < 2:
        raise RuntimeError(f"{name}: the canvas is blank")
    path = IMAGES / f"{name}.png"
    viewer.screenshot(path=str(path), canvas_only=False, flash=False)
    from PIL import Image

    picture = Image.open(path).convert("RGB")
    picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        path, optimize=True
    )


def sample() -> None:
    """The sample spiral, predicted and compared with its truth."""
    with sample_window() as (viewer, workspace):
        panels.raise_panel(viewer, "Predict")
        workspace.predictor.predict()
        settle(workspace)
        workspace.layers.fit(key_of(workspace.project.result, "LOG_SIGMA_MD"))
        point(viewer, workspace, 40, 30)
        save(viewer, workspace, "sample_predicted")
        panel(viewer, "Predict").results.kinds["residual"].click()
        point(viewer, workspace, 40, 30)
        save(viewer, workspace, "sample_residual")


def mock() -> None:
    """A barred galaxy from the Mock panel."""
    with window() as (viewer, workspace):
        made = panel(viewer, "Mock")
        panels.raise_panel(viewer, "Mock")
        made.seed.setValue(8)
        made.kind.setCurrentText("barred")
        for field, text in (
            (made.mass, "10.6"),
            (made.inclination, "50"),
            (made.fields["stars"], "3"),
            (made.fields["neighbours"], "1"),
        ):
            field.setText(text)
        made.button.click()
        wait(lambda: workspace.project.truth is not None)
        settle(workspace)
        workspace.layers.focus(Key("image", "SDSS_g"))
        workspace.layers.fit(Key("image", "SDSS_g"))
        settle(workspace)
        save(viewer, workspace, "mock_panel")


def stellar() -> None:
    """Star formation of the sample spiral by stellar-unet, and the mocks that look most like it."""
    with sample_window() as (viewer, workspace):
        panels.raise_panel(viewer, "Predict")
        workspace.project.set_recipe("model", name="stellar-unet")
        workspace.predictor.predict()
        settle(workspace)
        look_at(workspace, "LOG_SIGMA_SFR")
        neighbours = panel(viewer, "Neighbours")
        panels.raise_panel(viewer, "Neighbours")
        wait(lambda: neighbours.found is not None)
        point(viewer, workspace, 10, 10)
        save(viewer, workspace, "neighbours")


def dust() -> None:
    """The sample spiral's maps sharpened by one of its images, and its images without dust."""
    with sample_window() as (viewer, workspace):
        project = workspace.project
        workspace.predictor.predict()
        settle(workspace)
        trusted = project.galaxy.images["SPIRE_250"]
        project.set_recipe("sharpen", coarse=str(trusted.path), image="SPIRE_250")
        panels.raise_panel(viewer, "Sharpen")
        workspace.sharpener.sharpen()
        settle(workspace)
        look_at(workspace, "LOG_SIGMA_MD")
        point(viewer, workspace, 40, 30)
        save(viewer, workspace, "sharpen_panel")
        panels.raise_panel(viewer, "Predict")
        workspace.dust_taker.take()
        settle(workspace)
        look_at(workspace, "A_FUV")
        point(viewer, workspace, 40, 30)
        save(viewer, workspace, "take_dust")


def every_panel(folder: Path) -> None:
    """Every panel in both themes at three sizes of the window, each in a file of its own."""
    with sample_window() as (viewer, workspace):
        workspace.predictor.predict()
        settle(workspace)
        look_at(workspace, "LOG_SIGMA_MD")
        for theme in ("dark", "light"):
            viewer.theme = theme
            for size in SIZES:
                viewer.window.resize(*size)
                for row in panels.ROWS:
                    panels.raise_panel(viewer, row.name)
                    settle(workspace)
                    name = f"{row.name.lower()}-{theme}-{size[0]}x{size[1]}.png"
                    viewer.screenshot(path=str(folder / name), canvas_only=False, flash=False)


def measuring() -> None:
    """Apertures on the sample spiral's maps, and pixels picked in a plot beside its truth."""
    import numpy as np

    from napari_galaxy_maps.data.galaxy import Ellipse
    from napari_galaxy_maps.measure.apertures.aperture import Aperture, circle

    with sample_window() as (viewer, workspace):
        workspace.predictor.predict()
        wait(lambda: workspace.project.maps is not None)
        settle(workspace)
        look_at(workspace, "LOG_SIGMA_MD")
        panels.raise_panel(viewer, "Measure")
        found, (ra, dec) = workspace.measurements, workspace.project.reference
        shapes = [
            circle(ra, dec, 18.0, "bulge"),
            Aperture(Ellipse(ra, dec, 100.0, 77.0, 105.0), "disc", 0.5),
            circle(ra + 0.012, dec - 0.014, 14.0, "arm"),
        ]
        found.add(shapes, "three")
        wait(lambda: len(found.rows) == 3)
        found.select([2])
        point(viewer, workspace)
        save(viewer, workspace, "measure")
        panel(viewer, "Measure").tabs.setCurrentIndex(1)
        view = panel(viewer, "Measure").profile
        wait(lambda: view.canvas is not None)
        for name in ("LOG_SIGMA_STAR", "T_DUST"):
            view.maps.list.itemClicked.emit(
                view.maps.list.findItems(name, Qt.MatchFlag.MatchExactly)[0]
            )
        view.radius.setCurrentIndex(view.radius.findData("r_kpc"))
        view.soon()
        wait(lambda: len(set(view.profiled.table["map"])) == 3)
        save(viewer, workspace, "profile")
        panels.raise_panel(viewer, "Inspect")
        inspect = panel(viewer, "Inspect")
        wait(lambda: inspect.canvas is not None)
        workspace.views.look("LOG_SIGMA_MD", "residual")
        for label in ("apertures", "rings"):
            workspace.layers.overlays()[label].visible = False
        residual = np.abs(workspace.project.residual.values["LOG_SIGMA_MD"])
        inspect.brush.pick(residual > np.nanpercentile(residual, 93))
        save(viewer, workspace, "inspect")


def galaxies() -> None:
    """Five mock galaxies, predicted by the model and scored together against their truths."""
    from napari_galaxy_maps.cli.main import main as command

    with TemporaryDirectory() as folder, window() as (viewer, workspace):
        files = []
        for seed in range(11, 16):
            mock, maps = Path(folder) / f"m{seed}", Path(folder) / f"mock{seed}.fits"
            kind = ("barred", "spiral", "flocculent")[seed % 3]
            command(
                [
                    "mock",
                    "--seed",
                    str(seed),
                    "--size",
                    "96",
                    "--bands",
                    "input",
                    "--kind",
                    kind,
                    "--out",
                    str(mock),
                    "--quiet",
                ]
            )
            truth = (mock / "truth.fits").rename(Path(folder) / f"truth{seed}.fits")
            command(["predict", str(mock), "--out", str(maps), "--quiet"])
            files += [str(maps), str(truth)]
        panels.raise_panel(viewer, "Inspect")
        inspect = panel(viewer, "Inspect")
        inspect.galaxies.open_files(files)
        wait(lambda: inspect.canvas is not None)
        inspect.plot.setCurrentIndex(inspect.plot.findData("sums"))
        inspect._draw()
        wait(lambda: inspect.canvas is not None)
        settle(workspace)
        inspect.grab().save(
            str(IMAGES / "galaxies.png")
        )  # the panel alone: nothing is open on the canvas


def spectra() -> None:
    """A mock galaxy with its far infrared: maps beside a truth that was fitted, and the spectrum of
    a held pixel.
    """
    from napari_galaxy_maps.fits_io.recipe_files import read_recipe
    from napari_galaxy_maps.mocks.writing import mock_steps, view_for
    from napari_galaxy_maps.plugin.state.pixel_spectra import FAR
    from napari_galaxy_maps.progress import run_to_end

    with TemporaryDirectory() as name:
        folder = Path(name)
        run_to_end(mock_steps(11, view_for("all", 160, 3.0), folder, "spiral", inclination=40.0))
        with window(*(path for path in folder.glob("*.fits") if path.name != "truth.fits")) as (
            viewer,
            workspace,
        ):
            known = read_recipe(folder / "recipe.toml")
            workspace.project.set_recipe("galaxy", **known.galaxy.model_dump(exclude_none=True))
            workspace.project.set_recipe("reddening", ebv=known.reddening.ebv)
            workspace.project.make_galaxy()
            workspace.predictor.predict()
            settle(workspace)
            panels.raise_panel(viewer, "Predict")
            workspace.truth_fitter.fit()
            settle(workspace)
            workspace.views.look("LOG_SMD", "residual")
            save(viewer, workspace, "truth")
            workspace.views.look("LOG_SIGMA_MD")
            panels.raise_panel(viewer, "Pixel")
            settle(workspace)
            wait(lambda: workspace.spectra.ready())
            widget = panel(viewer, "Pixel")
            for source, picture in ((None, "pixel"), (FAR, "pixel_far")):
                if source is not None:
                    widget.freeze(False)
                    workspace.spectra.choose(source)
                widget._position = (20.0, -30.0)
                widget._follow()
                widget.freeze(True)
                save(viewer, workspace, picture)


def ngc309(folder: Path) -> None:
    """NGC 309 from five real bands, all the way to maps."""
    with window(folder) as (viewer, workspace):
        galaxy = panel(viewer, "Galaxy")
        for field, text in ((galaxy.name, "NGC 309"), (galaxy.distance, "76.2")):
            field.setText(text)
            field.setModified(True)
            field.editingFinished.emit()
        panels.raise_panel(viewer, "Prepare")
        workspace.preparer.prepare()
        settle(workspace)
        panel(viewer, "Prepare").boxes["psf"].eye.click()
        settle(workspace)
        save(viewer, workspace, "ngc309_prepared")
        panel(viewer, "Prepare").boxes["psf"].eye.click()
        panels.raise_panel(viewer, "Predict")
        workspace.predictor.predict()
        settle(workspace)
        workspace.layers.fit(key_of(workspace.project.result, "LOG_SIGMA_MD"))
        camera, _ = camera_and_scale_bar(viewer)
        north, west = camera.center[-2:]
        point(viewer, workspace, -west + 20, north + 10)
        save(viewer, workspace, "ngc309_predicted")


def hatched(folder: Path) -> None:
    """UGC 1411, on whose disk stars lie that are not masked: doubtful pixels are hatched."""
    with window(*sorted(folder.glob("SDSS_*"))) as (viewer, workspace):
        workspace.project.set_recipe("galaxy", name="UGC 1411", redshift=0.0201)
        workspace.project.set_recipe("model", name="stellar-unet")
        workspace.predictor.predict()
        settle(workspace)
        panels.raise_panel(viewer, "Inspect")
        look_at(workspace, "LOG_SIGMA_STAR")
        zoom(viewer, 1.2)
        camera, _ = camera_and_scale_bar(viewer)
        north, west = camera.center[-2:]
        point(viewer, workspace, -west, north)
        save(viewer, workspace, "hatched")


def stars(folder: Path) -> None:
    """NGC 309's stars as found on its images: some accepted, a doubtful one on the galaxy selected,
    a painted mask.
    """
    with window(folder) as (viewer, workspace):
        workspace.project.set_recipe("galaxy", name="NGC 309", distance=76.2)
        panels.raise_panel(viewer, "Stars")
        panel(viewer, "Stars").fit.click()
        settle(workspace)
        workspace.predictor.predict()
        settle(workspace)
        masking, widget = workspace.masks, panel(viewer, "Stars")
        masking.accept([item for item in masking.items if item.enabled][::2])
        doubtful = next(item for item in masking.items if "knot" in item.flag)
        row = next(row for row, item in enumerate(widget.table.stars.rows) if item is doubtful)
        widget.table.clicked.emit(widget.table.stars.index(row, 0))
        workspace.layers.fit(key_of(workspace.project.result, "LOG_SIGMA_MD"))
        zoom(viewer, 0.62)
        widget.tools["paint"].click()
        painting = workspace.painted.layer(())
        rows, columns = zip(
            *(painting.world_to_data((110 - 4 * k, 30 + 9 * k)) for k in range(8)), strict=True
        )
        for place in zip(rows, columns, strict=True):
            painting.paint(place, 1)
        viewer.layers.selection.active = workspace.circles.layer
        wait(lambda: not workspace.refresher.behind)
        point(viewer, workspace, 40, 30)
        save(viewer, workspace, "stars")


def ngc5584(folder: Path) -> None:
    """NGC 5584: a unit that has to be asked for, before and after it is settled."""
    with window(folder) as (viewer, workspace):
        save(viewer, workspace, "ngc5584_unit")
        table = panel(viewer, "Galaxy").table
        row = table.row_of("NGC5584_WISE_12.fits.gz") + 1
        table.cellWidget(row, 0).findChild(QPushButton, "answer").click()
        settle(workspace)
        workspace.layers.focus(Key("image", "WISE_12"))
        workspace.layers.fit(Key("image", "WISE_12"))
        save(viewer, workspace, "ngc5584_settled")


def sdss_group(folder: Path) -> None:
    """Three images whose headers all say g: one band settled, the drop-down open for the other."""
    with window(folder) as (viewer, workspace):
        save(viewer, workspace, "sdss_bands")
        table = panel(viewer, "Galaxy").table
        for label, band in (
            ("reprojected_sdss_i.fits.bz2", "SDSS_i"),
            ("reprojected_sdss_r.fits.bz2", "SDSS_r"),
        ):
            box = table.cellWidget(table.row_of(label), file_table.BAND)
            box.activated.emit(box.findData(band))
            settle(workspace)
        panel(viewer, "Galaxy").shared.findChild(QPushButton, "answer").click()
        settle(workspace)
        save(viewer, workspace, "sdss_settled")


def m51(folder: Path) -> None:
    """M51 in the far infrared."""
    with window(folder) as (viewer, workspace):
        zoom(viewer, 2.2)
        point(viewer, workspace)
        save(viewer, workspace, "m51")


def main() -> None:
    """Make all pictures, or those named after the folder."""
    IMAGES.mkdir(exist_ok=True)
    real = Path(sys.argv[1]) if len(sys.argv) > 1 and Path(sys.argv[1]).is_dir() else None
    wanted = sys.argv[1 if real is None else 2 :]
    if wanted[:1] == ["panels"]:
        folder = Path(*(wanted[1:] or ("build", "panels")))
        folder.mkdir(parents=True, exist_ok=True)
        every_panel(folder)
        return
    makers = {
        "sample": sample,
        "dust": dust,
        "measuring": measuring,
        "galaxies": galaxies,
        "mock": mock,
        "stellar": stellar,
        "spectra": spectra,
    }
    if real is not None:
        makers |= {
            "ngc309": lambda: ngc309(real / "ngc309"),
            "stars": lambda: stars(real / "ngc309"),
            "hatched": lambda: hatched(real / "three_surveys_ugc1411"),
            "ngc5584": lambda: ngc5584(real / "ngc5584"),
            "sdss": lambda: sdss_group(real / "ngc6976_group"),
            "m51": lambda: m51(real / "m51"),
        }
    for name, make in makers.items():
        if not wanted or name in wanted:
            make()


if __name__ == "__main__":
    main()
