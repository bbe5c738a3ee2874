"""Prepares the galaxy's images, or only fits its stars, and shows what a step made of them."""

from __future__ import annotations

from dataclasses import replace

from ...data.cube import BandCube
from ...data.galaxy import Galaxy
from ...data.recipe import Recipe
from ...prepare.masks.mask_set import Masks
from ...prepare.steps import STEPS, step_named
from ...progress import Progress, Steps
from ..canvas.layer_register import LayerRegister
from ..eventloop.job_stages import Stage
from ..eventloop.worker import Job, JobRunner
from ..ground.layer_specs import Key, LayerSpec, image_spec
from ..state.mask_history import MaskHistory
from ..state.project import Project


def galaxy_to_prepare(project: Project) -> Galaxy | None:
    """The galaxy; None after a message about what is missing."""
    project.make_galaxy()
    if project.galaxy is not None:
        return project.galaxy
    sentence = (
        project.galaxy_problem
        or " ".join(project.file_problems()[:1])
        or "Add the galaxy's images first (Galaxy panel)."
    )
    project.show_problem(sentence)
    return None


def stages_of(recipe: Recipe, *more: Stage) -> list[Stage]:
    """The steps of the preparation that a recipe has switched on, and what follows them."""
    return [*(Stage(step.name, step.doing) for step in STEPS if step.is_on(recipe)), *more]


def fit_stages_of(recipe: Recipe) -> list[Stage]:
    """The same of a job that fills no gaps, and then makes and fits model spectra: for as long as
    all of the preparation takes, or longer.
    """
    stages = stages_of(recipe, Stage("sed", "fit", share=len(STEPS)))
    return [stage for stage in stages if stage.step != "impute"]


def keep_step(project: Project, masks: MaskHistory, sign: Progress) -> None:
    """Remember what a preparing step did, and take the circles of the stars' step; show what is
    odd about the images or the maps.
    """
    if sign.step == "predict" and sign.lasting and sign.done:
        project.keep_step(sign.step, sign.detail, None)
        project.show_message(" ".join(project.step_notes[sign.step]))
    if step_named(sign.step) is None:
        return
    memory = project.memory
    if sign.step == "stars" and memory is not None and isinstance(sign.result, Masks):
        assert memory.stars is not None
        masks.take_fit(memory.stars[1], project.recipe.stars, project.bands)
    if sign.is_note or sign.result is not None:
        project.keep_step(sign.step, sign.detail, sign.result)


class ImagePreparer:
    """The jobs that prepare images.

    Parameters
    ----------
    project : Project
        Whose images they are.
    masks : MaskHistory
        What is masked in them.
    layers : LayerRegister
        Where the results of steps show.
    runner : JobRunner
        Runs the jobs.
    """

    def __init__(
        self, project: Project, masks: MaskHistory, layers: LayerRegister, runner: JobRunner
    ):
        self.project, self.masks, self.layers, self.runner = project, masks, layers, runner

    def prepare(self) -> Job | None:
        """Do all the steps in a thread."""
        project, galaxy = self.project, galaxy_to_prepare(self.project)
        if self.runner.busy() or galaxy is None:
            return None
        recipe = project.recipe.model_copy(deep=True)
        masks = self.masks.for_job(recipe, galaxy.images)

        def steps() -> Steps[BandCube]:
            from ...pipeline import prepare_galaxy_steps

            return (yield from prepare_galaxy_steps(galaxy, recipe, project.kept_memory(), masks))

        def prepared(cube: BandCube) -> None:
            project.set_cube(cube)
            for step in sorted(project.shown_steps):
                self.show_step(step)

        project.clear_steps()
        return self.runner.start(
            "Preparing",
            steps,
            on_progress=self._keep,
            on_result=prepared,
            stages=stages_of(recipe),
        )

    def _keep(self, sign: Progress) -> None:
        keep_step(self.project, self.masks, sign)

    def find_stars(self) -> Job | None:
        """`fit_stars`, with the step switched on: those of the catalogue, or else those that are
        found on the images.
        """
        stars = self.project.recipe.stars
        self.project.set_recipe(
            "stars", enabled=True, **({} if stars.catalogue else {"find": True})
        )
        return self.fit_stars()

    def fit_stars(self) -> Job | None:
        """Do the steps up to the stars' in a thread: the circles of the recipe's catalogue, or of
        stars found on the images.
        """
        project, galaxy = self.project, galaxy_to_prepare(self.project)
        if self.runner.busy() or galaxy is None:
            return None
        recipe = project.recipe.model_copy(deep=True)
        masks = self.masks.for_job(recipe, galaxy.images)
        if masks is not None:  # asked for by name: fitted even where those that are there would do
            masks = replace(masks.by_hand(), complete=False)

        def steps() -> Steps[None]:
            from ...prepare.steps import prepare_steps

            for sign in prepare_steps(galaxy, recipe, project.kept_memory(), masks):
                yield sign
                if isinstance(sign.result, Masks):
                    return

        def fitted(_: None) -> None:
            memory = project.memory
            if memory is not None and memory.stars is not None:
                self.masks.take_fit(memory.stars[1], recipe.stars, galaxy.images, asked=True)
            project.steps_changed.emit()

        project.clear_steps()
        return self.runner.start(
            "Fitting stars",
            steps,
            on_progress=self._keep,
            on_result=fitted,
        )

    def show_step(self, step: str, on: bool = True) -> None:
        """Show what a step made of the images as layers, or take these layers away; beside the
        sky's, what it subtracted.
        """
        project, layers = self.project, self.layers
        (project.shown_steps.add if on else project.shown_steps.discard)(step)
        if not on:
            for key, layer in layers.shown().items():
                if key.kind == "step" and key.source in (step, f"subtracted {step}"):
                    layers.remove(layer)
            return
        images = [image for (done, _), image in project.step_images.items() if done == step]
        if not images or self.runner.job is not None:
            return
        best = layers.best_image([Key("step", image.band.name, step) for image in images])
        name, reference = project.name, project.place(images[0])

        def make() -> Steps[list[LayerSpec]]:
            from ...prepare.sky import subtracted_sky

            specs = []
            for done, image in enumerate(images):
                yield Progress("layers", done, len(images), image.band.name)
                if step == "sky":
                    sky = subtracted_sky(image)
                    specs.append(image_spec(sky, reference, name, step=f"subtracted {step}"))
                specs.append(image_spec(image, reference, name, step=step))
            return [spec.switched_off() for spec in specs]

        def shown() -> None:
            if best is not None and step in project.shown_steps:
                layers.focus(best)

        self.runner.start(
            "Showing", make, on_result=lambda specs: layers.show_later(specs, shown), quiet=True
        )
