"""Training learns, resumes to the same weights, stops early, keeps frozen levels; the command does
all of it and tells mistakes.

Of `training.stellar_unet.fit_network` and what it draws on
(`training.stellar_unet.observing_conditions`, `training.stellar_unet.input_scale`), of
`training.stellar_unet.assemble_model`, `training.stellar_unet.fit_colour_cloud` and
`training.stellar_unet.neighbours`, and of `training.own.make_own_model`.
"""

import json
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_galaxy_maps.cli.main import main
from napari_galaxy_maps.exceptions import GalaxyMapsError, InputError, ModelError
from napari_galaxy_maps.fits_io.map_files import read_maps
from napari_galaxy_maps.models.registry import load_card, load_model
from napari_galaxy_maps.models.stellar_unet.inputs import encode
from napari_galaxy_maps.models.stellar_unet.model import StellarUNet
from napari_galaxy_maps.models.stellar_unet.network import fuse
from napari_galaxy_maps.models.stellar_unet.outputs import STELLAR_PROPERTIES
from napari_galaxy_maps.progress import run_to_end
from napari_galaxy_maps.training.datasets.image_truth_pairs import Pairs
from napari_galaxy_maps.training.datasets.mock_cubes import noisy_cube
from napari_galaxy_maps.training.datasets.mock_set import FIRST_SEED, make_set_steps
from napari_galaxy_maps.training.stellar_unet import fit_network as fitting
from napari_galaxy_maps.training.stellar_unet import training_sets
from napari_galaxy_maps.training.stellar_unet.fit_files import FitSettings
from napari_galaxy_maps.training.stellar_unet.fit_network import fit_steps
from tests.training.pairs_on_disk import write_images, write_recipe, write_truth

TINY = FitSettings(
    steps=12, check_every=4, batch_pixels=4 * 32 * 32, widths=(4, 4, 6, 6, 8), hidden=4, rate=5e-3
)
FAST = ["--steps", "8", "--check-every", "4", "--batch-pixels", "4096", "--widths", "4,4,6,6,8"]


@pytest.fixture(scope="module")
def mocks(tmp_path_factory):
    """Twelve mocks of 32 pixels to train on, four to validate with."""
    folder = tmp_path_factory.mktemp("sets")
    first = FIRST_SEED["train"]
    train = run_to_end(make_set_steps(folder / "train", range(first, first + 12), 32))
    return train, run_to_end(
        make_set_steps(folder / "validation", range(first + 900, first + 904), 32)
    )


@pytest.fixture
def mine(tmp_path):
    """Six pairs of a person's own, without u, with stars, star formation and ages."""
    for k in range(6):
        write_images(
            tmp_path / "mine" / f"g{k}",
            ("SDSS_g", "SDSS_r", "SDSS_i"),
            psf=3.0,
            pixel=1.0,
            side=48,
            peak=20.0,
            seed=k,
        )
        write_truth(tmp_path / "mine" / f"g{k}" / "truth.fits", side=48, log_peak=8 + 0.3 * k)
        write_recipe(
            tmp_path / "mine" / f"g{k}" / "recipe.toml", ra=150.0, dec=2.0, d25=0.5, distance=20
        )
    return tmp_path / "mine"


def fit(mocks, out, settings=TINY, **options):
    return run_to_end(fit_steps([mocks[0]], mocks[1], out, settings, **options))


def rows_of(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def same(a, b):
    return all(torch.equal(value, b.state_dict()[key]) for key, value in a.state_dict().items())


@pytest.mark.slow
def test_the_loss_falls(mocks, tmp_path):
    fit(mocks, tmp_path, replace(TINY, steps=60, check_every=20))
    rows = rows_of(tmp_path)
    assert [row["step"] for row in rows] == [20, 40, 60]
    assert rows[-1]["loss"] < rows[0]["loss"] - 0.1 and rows[-1]["score"] < rows[0]["score"]
    assert set(rows[-1]["rmse"]) == set(STELLAR_PROPERTIES)


@pytest.mark.slow
def test_a_share_of_the_pixels_teaches_a_quantised_regression(mocks, tmp_path):
    """A sixteenth of the pixels; the next fit draws the same, another seed others."""
    settings = replace(TINY, head="quantised", share=1 / 16, steps=40, check_every=20)
    first, again = (fit(mocks, tmp_path / name, settings) for name in ("first", "again"))
    rows = rows_of(tmp_path / "first")
    assert rows[-1]["loss"] < rows[0]["loss"] and rows[-1]["score"] < rows[0]["score"]
    assert same(first, again)


@pytest.mark.slow
def test_a_fit_that_was_interrupted_ends_with_the_same_weights(mocks, tmp_path):
    """Interrupted between two validations: network, mean weights, optimizer and count go on where
    they were.
    """
    settings = replace(TINY, steps=24, check_every=12)
    whole = fit(mocks, tmp_path / "whole", settings)
    steps = fit_steps([mocks[0]], mocks[1], tmp_path / "parts", settings)
    while next(steps).done < 20:
        pass
    steps.close()
    resumed = fit(mocks, tmp_path / "parts", settings, resume=True)
    assert same(whole, resumed)
    scores = [[row["score"] for row in rows_of(tmp_path / name)] for name in ("whole", "parts")]
    assert scores[0] == scores[1]


@pytest.mark.slow
def test_a_fit_stops_early_and_stays_stopped(mocks, tmp_path):
    settings = replace(TINY, steps=400, check_every=2, patience=2, rate=1e-9)
    settings = replace(
        settings, average=0.0
    )  # the mean never changes: no validation is better than the first
    fit(mocks, tmp_path, settings)
    before = rows_of(tmp_path)
    assert before[-1]["step"] < 400
    fit(mocks, tmp_path, settings, resume=True)
    assert rows_of(tmp_path) == before


@pytest.mark.slow
@pytest.mark.parametrize("normalised", [True, False])
def test_frozen_levels_stay_bit_for_bit(mocks, tmp_path, normalised):
    torch.manual_seed(5)
    start = replace(TINY, seed=7).make_network()
    start(
        encode(torch.rand(2, 5, 32, 32), torch.full((2, 5, 32, 32), 0.1), torch.zeros(2))
    )  # so that normalisations hold something
    start = start.eval() if normalised else fuse(start)
    settings = replace(TINY, frozen=3, normalised=normalised)
    tuned = fit(mocks, tmp_path, settings, start=start)
    assert all(same(a, b) for a, b in zip(start.down[:3], tuned.down[:3], strict=True))
    assert not same(start.down[3], tuned.down[3]) and not same(start.head, tuned.head)


@pytest.mark.slow
def test_a_truth_without_some_maps_teaches_the_others(mocks, tmp_path):
    truth = np.array(mocks[0].truth)
    truth[:, 3:] = np.nan
    few = Pairs(mocks[0].images, truth, mocks[0].table)
    run_to_end(fit_steps([few], few, tmp_path, TINY))
    assert tuple(rows_of(tmp_path)[-1]["rmse"]) == STELLAR_PROPERTIES[:3]
    nothing = Pairs(mocks[0].images, np.full_like(truth, np.nan), mocks[0].table)
    with pytest.raises(InputError, match="no pixel with a truth"):
        run_to_end(fit_steps([few], nothing, tmp_path / "none", TINY))


@pytest.mark.slow
def test_a_checkpoint_of_another_network_is_told(mocks, tmp_path):
    fit(mocks, tmp_path)
    with pytest.raises(InputError, match="no checkpoint of this network"):
        fit(mocks, tmp_path, replace(TINY, widths=(4, 4, 6, 6, 12)), resume=True)


@pytest.mark.filterwarnings("ignore:.*CUDA is not available:UserWarning")
def test_mixed_precision_suits_the_device(monkeypatch):
    for has, able in (({"amx_bf16": True}, True), ({"avx512_bf16": True}, True), ({}, False)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda has=has: has, raising=False)
        assert isinstance(fitting.mixed_precision("cpu"), torch.autocast) == able
    assert not isinstance(fitting.mixed_precision("mps"), torch.autocast)
    for able in (True, False):
        monkeypatch.setattr(
            torch.cuda, "is_bf16_supported", lambda including_emulation=True, able=able: able
        )
        assert isinstance(fitting.mixed_precision("cuda"), torch.autocast) == able


def test_images_with_their_own_noise_get_none(mocks):
    train = mocks[0]
    sigma = np.full(train.images.shape, 0.01, np.float32)
    cube = noisy_cube(Pairs(train.images, train.truth, train.table, sigma), 3)
    np.testing.assert_array_equal(cube.data, train.images[3])
    np.testing.assert_array_equal(cube.uncertainty, sigma[3])


def train(*arguments):
    return main(["train", "stellar-unet", "--processes", "1", *map(str, arguments)])


@pytest.mark.slow
def test_own_pairs_become_a_model_that_predicts(mine, tmp_path, capsys):
    out = tmp_path / "out"
    assert train("--out", out, "--data", mine, *FAST) == 0
    told = capsys.readouterr().out
    assert (
        "2 for train" not in told
        and "4 for train, 1 for validation, 1 for test" in told
        and "predict --model" in told
    )
    split = json.loads((out / "sets" / "split.json").read_text())
    assert sorted(split["train"] + split["validation"] + split["test"]) == [
        f"g{k}" for k in range(6)
    ]
    card = load_card(str(out))
    assert card.properties == ("LOG_SIGMA_STAR", "AGE_STAR", "LOG_SIGMA_SFR")
    assert (
        "4 galaxies of" in card.trained_on
        and "--data mine" in card.trained_on
        and "(1 galaxy)" in card.how_scored
    )
    model = load_model(str(out / "stellar-unet"))
    cloud = model.cloud
    assert (cloud.covariances[:, 0, 0] > 1e5).all() and (
        cloud.covariances[:, 2, 2] < 10
    ).all()  # no u, but r
    train_set = Pairs.open(out / "sets" / "train")
    flags = cloud.unlike(np.asarray(train_set.images[0]), np.asarray(train_set.sigma[0]))
    assert flags.mean() < 0.1
    assert cloud.unlike(np.full((5, 1, 1), 1e5), np.full((5, 1, 1), 1.0)).all()
    assert model.neighbours(noisy_cube(train_set, 0)) == []
    maps = tmp_path / "maps.fits"
    galaxy = ["--ra", "150", "--dec", "2", "--d25", "0.5", "--set", "sky.enabled=false", "--quiet"]
    assert (
        main(["predict", str(mine / "g0"), "--model", str(out), "--out", str(maps), *galaxy]) == 0
    )
    found = read_maps(maps)
    assert np.isfinite(found.values["LOG_SIGMA_STAR"]).any() and (
        found.provenance["model_hash"] == model.weights_hash
    )
    # Finished: nothing is made again, and a new training does not write over it.
    assert train("--out", out, "--resume") == 0 and "is finished" in capsys.readouterr().out
    assert (
        train("--out", out, "--data", mine) == 2
        and "holds a training already" in capsys.readouterr().err
    )
    # Fine-tuned: the finer levels are those of the model, without normalisations.
    tuned = tmp_path / "tuned"
    assert train("--out", tuned, "--data", mine, "--start", out, "--freeze", 3, *FAST[:6]) == 0
    after = load_model(str(tuned))
    assert all(
        same(a, b) for a, b in zip(model.network.down[:3], after.network.down[:3], strict=True)
    )
    assert not same(model.network.down[4], after.network.down[4])
    assert (
        "Fine-tuned from stellar-unet" in after.card.about and "--freeze 3" in after.card.trained_on
    )


@pytest.mark.slow
def test_mocks_become_a_model_and_ctrl_c_leaves_what_is_needed_to_go_on(
    tmp_path, capsys, monkeypatch
):
    """The whole command on few mocks, interrupted during the fit and resumed."""
    monkeypatch.setattr(training_sets, "SIZES", (32, 32))
    monkeypatch.setattr(training_sets, "SHAPES", 2)
    out = tmp_path / "out"
    fast = ["--steps", "30", "--check-every", "15", *FAST[4:]]
    original = fitting._step

    def step(*arguments):
        if step.count == 17:
            signal.raise_signal(signal.SIGINT)
        step.count += 1
        return original(*arguments)

    step.count = 0
    monkeypatch.setattr(fitting, "_step", step)
    before = signal.getsignal(signal.SIGINT)  # a shell's background job ignores it
    assert train("--out", out, "--mocks", 32, "--painted", 6, *fast) == 130
    said = capsys.readouterr().err
    assert (
        "interrupted (fit, 20 of 30)" in said
        and "--resume" in said
        and "nothing was written" not in said
    )
    assert signal.getsignal(signal.SIGINT) is before
    assert (out / "fit" / "checkpoint.safetensors").exists() and not (
        out / "registry.json"
    ).exists()
    with pytest.raises(ModelError, match="holds no model"):
        load_model(str(out))
    made = {path: path.stat().st_mtime_ns for path in (out / "sets").rglob("*.npy")}
    assert train("--out", out, "--resume", "--steps", 25) == 2  # fewer
    assert "began with --steps 30, not 25" in capsys.readouterr().err
    monkeypatch.setattr(fitting, "_step", original)
    assert train("--out", out, "--resume", "--mocks", 20) == 2  # fewer than can be
    assert "20 is outside 32 to 5e+06" in capsys.readouterr().err
    predict, once = StellarUNet.predict, iter([True])
    monkeypatch.setattr(
        StellarUNet,
        "predict",
        lambda *a: (next(once, False) and signal.raise_signal(signal.SIGINT), predict(*a))[1],
    )
    # Once the fit is done it is not done again.
    assert train("--out", out, "--resume", "--mocks", 40, "--painted", 12, "--steps", 45) == 130
    assert (
        "interrupted (calibrate, 1 of " in capsys.readouterr().err
        and not (out / "registry.json").exists()
    )
    monkeypatch.setattr(StellarUNet, "predict", predict)
    assert train("--out", out, "--resume") == 0
    assert (
        made.items()
        <= {path: path.stat().st_mtime_ns for path in (out / "sets").rglob("*.npy")}.items()
    )
    added = [Pairs.open(out / "sets" / f"train{size}-40").table["seed"] for size in (64, 128)]
    seeds = [Pairs.open(out / "sets" / f"train{size}").table["seed"] for size in (64, 128)]
    assert [len(a) for a in added] == [8, 4] and all(
        a[0] == s[-1] + 1 for a, s in zip(added, seeds, strict=True)
    )
    told = load_card(str(out)).trained_on
    assert (
        "resumed with --mocks 40, --painted 12, --steps 45" in told
        and "--mocks 32 " in told
        and "--steps 30 " in told
    )
    assert [row["step"] for row in rows_of(out / "fit")] == [15, 30, 45]
    model = load_model(str(out))
    assert (
        len(model.library.seeds) == 32
        and len(model.neighbours(noisy_cube(Pairs.open(out / "sets" / "train64"), 0))) == 6
    )
    assert "32 mock galaxies of 32 x 32" in model.card.trained_on and model.card.version == "own"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--resume"], "no training that could go on"),
        (["--truth-psf", "2.5"], "--truth-psf is for your own pairs"),
        (["--map", "LOG_SIGMA_STAR=MASS"], "--map is for your own pairs"),
        (["--freeze", "2"], "name the model with --start"),
        (["--start", "dust-forest"], "is no network"),
        (["--start", "nowhere"], "no model called 'nowhere'"),
        (["--start", "dust-forest", "--widths", "1,2,3,4,5"], "leave --widths and --head out"),
        (["--widths", "4,4"], "give five numbers"),
        (["--data", "nothing-here"], "is no folder"),
        (["--data", ".", "--map", "X=Y"], "no property 'X'"),
        (["--data", ".", "--size", "50"], "multiples of 16"),
        (["--data", ".", "--pixel-kpc", "1"], "two of --pixel-arcsec"),
        (["--data", ".", "--set", "sky.modle=plane"], "There is no setting 'sky.modle'"),
        (["--device", "cuda"], "no NVIDIA GPU"),
    ],
)
def test_what_is_wrong_with_the_options_is_told(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    if "cuda" in arguments and torch.cuda.is_available():
        pytest.skip("this machine has an NVIDIA GPU")
    assert train("--out", "out", *arguments) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").rglob("*.*"))


def test_options_of_one_model_are_not_those_of_the_other(tmp_path, capsys):
    assert (
        main(["train", "dust-forest", "--data", "d", "--hatlas", "h", "--out", "o", "--mocks", "9"])
        == 2
    )
    assert "--mocks" in capsys.readouterr().err


def test_a_folder_with_several_models_asks_which(mine, tmp_path):
    (tmp_path / "registry.json").write_text(json.dumps({"a": {}, "b": {}}))
    with pytest.raises(GalaxyMapsError, match="holds the models a, b; choose one"):
        load_model(str(tmp_path))
    with pytest.raises(GalaxyMapsError, match="no model called 'c'"):
        load_model(str(tmp_path / "c"))
