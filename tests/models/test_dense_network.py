"""A dense network does what its definition says, and survives being written."""

import numpy as np
import pytest

from napari_galaxy_maps.models.dust_forest.dense_network import WIDEST, DenseNetwork


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    sizes = [(3, 8), (8, 8), (8, 2)]
    return DenseNetwork(
        rng.normal(size=3).astype("f4"),
        rng.uniform(1, 2, 3).astype("f4"),
        tuple(rng.normal(size=s).astype("f4") for s in sizes),
        tuple(rng.normal(size=s[1]).astype("f4") for s in sizes),
    )


def test_layers_are_rectified_and_the_second_is_added_to_the_first(network):
    x = np.random.default_rng(1).normal(size=(20, 3)).astype("f4")
    w, b = network.weights, network.biases
    first = np.maximum((x - network.middle) / network.scale @ w[0] + b[0], 0)
    second = first + np.maximum(first @ w[1] + b[1], 0)
    np.testing.assert_allclose(network.predict(x), second @ w[2] + b[2], rtol=1e-4, atol=1e-4)


def test_inputs_far_from_the_training_set_count_as_its_edge(network):
    edge, far = (network.middle + k * network.scale for k in (WIDEST, 1e6))
    np.testing.assert_allclose(network.predict(edge[None]), network.predict(far[None]), rtol=1e-4)


def test_its_arrays_are_all_of_it(network):
    again = DenseNetwork.from_arrays(network.arrays("a."), "a.")
    x = np.ones((4, 3), np.float32)
    np.testing.assert_array_equal(again.predict(x), network.predict(x))
