"""Packed trees give what scikit-learn and xgboost give, on the CPU and in torch.

Of `models.dust_forest.packed_forest` and `models.dust_forest.forest_kernel`.
"""

import numpy as np
import pytest

from napari_galaxy_maps.models.dust_forest.packed_forest import (
    PackedForest,
    combine,
    from_isolation_forest,
    from_sklearn,
    from_xgboost,
)


@pytest.fixture(scope="module")
def data():
    """Made-up rows, three targets that follow from them, and further rows."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 20)).astype("f4")
    y = np.column_stack([x[:, 0] * x[:, 1], np.sin(x[:, 2]), x[:, 3]])
    return x, y, rng.normal(size=(1003, 20)).astype("f4")


@pytest.fixture(scope="module")
def trees(data):
    """Trees of scikit-learn that were fitted to `data`."""
    from sklearn.tree import DecisionTreeRegressor

    x, y, _ = data
    return [
        DecisionTreeRegressor(max_features=0.5, min_samples_leaf=2, random_state=i).fit(x, y)
        for i in range(12)
    ]


def test_scikit_learn_trees_are_averaged_exactly(data, trees):
    new = data[2]
    expected = np.mean([tree.predict(new) for tree in trees], axis=0)
    np.testing.assert_allclose(from_sklearn(trees, np.eye(3)).predict(new), expected, atol=1e-6)


def test_thresholds_that_lie_on_data_send_them_the_same_way(data, trees):
    x = data[0]
    grid = np.round(x * 4) / 4  # many values equal to thresholds
    from sklearn.tree import DecisionTreeRegressor

    tree = DecisionTreeRegressor(random_state=0).fit(grid, data[1])
    np.testing.assert_allclose(
        from_sklearn([tree], np.eye(3)).predict(grid), tree.predict(grid), atol=1e-6
    )


def test_an_isolation_forest_scores_as_scikit_learns(data):
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(n_estimators=20, max_samples=200, random_state=0).fit(data[0])
    packed = from_isolation_forest(forest).predict(data[2])[:, 0]
    np.testing.assert_allclose(2**packed, -forest.score_samples(data[2]), atol=1e-6)


@pytest.mark.parametrize("targets", [1, 3])
def test_xgboost_trees_are_summed_exactly(data, targets):
    import xgboost

    x, y, new = data
    settings = {
        "nthread": 1,  # two threads wait for each other where the machine is busy
        "max_depth": 4,
        "eta": 0.2,
        "tree_method": "hist",
        "base_score": 0.3,
        "multi_strategy": "multi_output_tree",
    }
    if targets == 1:
        del settings["multi_strategy"]
    booster = xgboost.train(settings, xgboost.DMatrix(x, y[:, :targets]), 20)
    expected = booster.predict(xgboost.DMatrix(new)).reshape(len(new), -1)
    np.testing.assert_allclose(
        from_xgboost(booster, np.eye(targets)).predict(new), expected, atol=1e-5
    )


def test_torch_agrees_with_the_compiled_descent(data, trees):
    forest = from_sklearn(trees, np.eye(3))
    np.testing.assert_allclose(
        forest.predict_torch(data[2], "cpu"), forest.predict(data[2]), atol=1e-5
    )


def test_arrays_bring_the_forest_back(data, trees):
    forest = from_sklearn(trees, np.eye(3))
    again = PackedForest.from_arrays(forest.arrays("k."), "k.")
    np.testing.assert_array_equal(again.predict(data[2]), forest.predict(data[2]))


def test_combined_forests_add_up(data, trees):
    one, other = from_sklearn(trees[:5], np.eye(3)), from_sklearn(trees[5:], np.eye(3))
    total = combine([one, other]).predict(data[2])
    np.testing.assert_allclose(total, one.predict(data[2]) + other.predict(data[2]), atol=1e-5)


def test_a_tree_of_one_leaf_is_a_constant(data):
    from sklearn.tree import DecisionTreeRegressor

    stump = DecisionTreeRegressor(max_depth=1, min_samples_leaf=300).fit(data[0], data[1])
    np.testing.assert_allclose(
        from_sklearn([stump], np.eye(3)).predict(data[2]), stump.predict(data[2]), atol=1e-6
    )


def test_no_pixels_give_no_predictions(data, trees):
    assert from_sklearn(trees, np.eye(3)).predict(np.zeros((0, 20), "f4")).shape == (0, 3)
