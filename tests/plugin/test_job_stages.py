"""How far a job is, by its last sign of life."""

import pytest

from napari_galaxy_maps.data.recipe import Recipe
from napari_galaxy_maps.plugin.eventloop.job_stages import Stage, Standing, standing_of
from napari_galaxy_maps.plugin.jobs.prepare_images import fit_stages_of, stages_of
from napari_galaxy_maps.prepare.steps import STEPS
from napari_galaxy_maps.progress import Progress

STAGES = (Stage("sky", "sky"), Stage("stars", "stars"), Stage("sed", "model spectra", share=2))


@pytest.mark.parametrize(
    ("sign", "standing"),
    [
        (None, Standing("Predicting …")),
        (
            Progress("sky", 3, 6, "SDSS_g: 0.1 MJy/sr"),
            Standing("Predicting, step 1 of 3, sky: SDSS_g: 0.1 MJy/sr", 50, 400),
        ),
        (Progress("stars", 0, 4), Standing("Predicting, step 2 of 3, stars: 0 of 4", 100, 400)),
        (Progress("stars", 0, 0), Standing("Predicting, step 2 of 3, stars …", 100, 400)),
        (
            Progress("sed", 50, 100, "50 of 100 pixels"),
            Standing("Predicting, step 3 of 3, model spectra: 50 of 100 pixels", 300, 400),
        ),
        (
            Progress("sed", 100, 100),
            Standing("Predicting, step 3 of 3, model spectra: 100 of 100", 400, 400),
        ),
        (Progress("layers", 0, 1, "making layers"), Standing("Predicting: making layers")),
    ],
)
def test_stages_share_one_scale_and_are_counted(sign, standing):
    assert standing_of("Predicting", sign, STAGES) == standing


@pytest.mark.parametrize(
    ("sign", "standing"),
    [
        (Progress("open", 2, 9, "a.fits"), Standing("Opening files: a.fits", 2, 9)),
        (Progress("open", 2, 9), Standing("Opening files: 2 of 9", 2, 9)),
        (Progress("open", 0, 1, "a.fits"), Standing("Opening files: a.fits")),
        (Progress("open", 0, 1), Standing("Opening files …")),
    ],
)
def test_a_job_without_stages_has_the_scale_of_its_sign(sign, standing):
    assert standing_of("Opening files", sign) == standing


def test_cancelling_is_said_until_it_has_stopped():
    sign = Progress("sky", 3, 6, "SDSS_g")
    assert standing_of("Preparing", sign, STAGES, True) == Standing("Cancelling: Preparing …")


def test_the_stages_of_a_preparation_are_the_steps_that_are_on():
    recipe = Recipe()
    on = [step.name for step in STEPS if step.is_on(recipe)]
    assert [stage.step for stage in stages_of(recipe)] == on
    recipe.sky.enabled = not recipe.sky.enabled
    assert ("sky" in [stage.step for stage in stages_of(recipe)]) == recipe.sky.enabled
    recipe.impute.enabled = True
    names = [stage.step for stage in fit_stages_of(recipe)]
    assert "impute" not in names and names[-1] == "sed"
