"""Regression trees of any make as plain arrays, and their fast evaluation on CPU (numba) or GPU
(torch).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .colour_model import ONE_AT_A_TIME


@dataclass(frozen=True)
class PackedForest:
    """Trees whose leaves add up, stored breadth first.

    A node sends x left where ``x[feature] <= threshold``. Children are adjacent, and in
    breadth-first order the children of a tree's k-th inner node are its nodes 2k + 1 and 2k + 2, so
    that they need not be stored.

    Attributes
    ----------
    feature : ndarray of int8, shape (n_nodes,)
        Column that the node looks at, -1 for a leaf.
    threshold : ndarray of float32, shape (n_inner,)
        Of the inner nodes, in order.
    leaf : ndarray of float32, shape (n_leaves, n_outputs)
        Values of the leaves, in order.
    size : ndarray of int32, shape (n_trees,)
        Nodes of each tree.
    offset : ndarray of float64, shape (n_outputs,)
        Added to the sum over trees.
    """

    feature: np.ndarray
    threshold: np.ndarray
    leaf: np.ndarray
    size: np.ndarray
    offset: np.ndarray

    def arrays(self, prefix: str = "") -> dict[str, np.ndarray]:
        """The arrays by name, to be written to a file."""
        return {
            prefix + k: getattr(self, k) for k in ("feature", "threshold", "leaf", "size", "offset")
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str = "") -> PackedForest:
        """The reverse of `arrays`."""
        return cls(
            **{k: arrays[prefix + k] for k in ("feature", "threshold", "leaf", "size", "offset")}
        )

    @cached_property
    def unpacked(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Code, threshold and leaf of every node, root and depth of every tree.

        A node's code holds its left child above the lowest seven bits and its feature in them.
        Leaves are their own left child behind an infinite threshold, so that a descent of fixed
        depth needs no test.
        """
        inner = self.feature >= 0
        n = len(self.feature)
        root = np.concatenate([[0], np.cumsum(self.size)[:-1]]).astype(np.int64)
        tree = np.repeat(np.arange(len(self.size)), self.size)
        inner_before: np.ndarray = np.cumsum(inner) - inner
        local: np.ndarray = inner_before - inner_before[root][tree]
        left = np.where(inner, root[tree] + 2 * local + 1, np.arange(n))
        threshold = np.full(n, np.inf, np.float32)
        threshold[inner] = self.threshold
        leaf = np.where(inner, 0, np.cumsum(~inner) - 1).astype(np.uint32)
        frontier, depth = root[inner[root]], np.zeros(len(self.size), np.int32)
        step = 0
        while len(frontier):
            step += 1
            children = np.concatenate([left[frontier], left[frontier] + 1])
            depth[tree[children]] = step
            frontier = children[inner[children]]
        code = left.astype(np.uint32) << 7 | np.maximum(self.feature, 0).astype(np.uint32)
        return code, threshold, leaf, root.astype(np.uint32), depth

    @cached_property
    def _padded(self) -> np.ndarray:
        """The leaves with zeros up to a multiple of eight outputs, which are added in one
        instruction.
        """
        n_out = self.leaf.shape[1]
        padded = np.zeros((len(self.leaf), -(-n_out // 8) * 8), np.float32)
        padded[:, :n_out] = self.leaf
        return padded

    def predict(self, x: np.ndarray, device: str = "cpu") -> np.ndarray:
        """Sum of the trees' leaves.

        Parameters
        ----------
        x : ndarray of float32, shape (n, n_features)
            No NaN; at most 128 features.
        device : str
            ``"cpu"`` runs the compiled descent, any other name the same descent in torch on that
            device.

        Returns
        -------
        ndarray of float32, shape (n, n_outputs)
        """
        x = np.ascontiguousarray(x, dtype=np.float32)
        if device != "cpu":
            return self.predict_torch(x, device)
        from .forest_kernel import descend

        out = np.empty((len(x), self.leaf.shape[1]), np.float32)
        with ONE_AT_A_TIME:
            descend(x, *self.unpacked, self._padded, self.offset, out)
        return out

    def predict_torch(self, x: np.ndarray, device: str) -> np.ndarray:
        """The same sum by gathers, all trees of a group at once: for GPUs, and on ``"cpu"`` for
        comparison.
        """
        import torch

        code_, threshold_, leaf_, root_, depth = self.unpacked
        feature, left = (
            torch.as_tensor(a.astype(np.int64)).to(device) for a in (code_ & 127, code_ >> 7)
        )
        threshold = torch.as_tensor(threshold_).to(device)
        leaf, root = (torch.as_tensor(a.astype(np.int64)).to(device) for a in (leaf_, root_))
        values, flux = torch.as_tensor(self.leaf).to(device), torch.as_tensor(x).to(device)
        total = torch.zeros((len(x), self.leaf.shape[1]), dtype=torch.float32, device=device)
        group = max(1, 4_000_000 // max(len(x), 1))
        for start in range(0, len(self.size), group):
            node = root[start : start + group].expand(len(x), -1)
            for _ in range(int(depth[start : start + group].max())):
                node = left[node] + (torch.gather(flux, 1, feature[node]) > threshold[node])
            total += values[leaf[node]].sum(1)
        out: np.ndarray = (total.cpu().numpy() + self.offset).astype(np.float32)
        return out


def _breadth_first(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Nodes of a tree in breadth-first order; a child of -1 marks a leaf."""
    order = [0]
    for node in order:
        if left[node] >= 0:
            order += [int(left[node]), int(right[node])]
    return np.array(order)


def _pack_tree(
    left: np.ndarray,
    right: np.ndarray,
    feature: np.ndarray,
    threshold: np.ndarray,
    value: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    order = _breadth_first(left, right)
    inner = left[order] >= 0
    columns = np.where(inner, feature[order], -1).astype(np.int8)
    return (
        columns,
        threshold[order][inner].astype(np.float32),
        value[order][~inner].astype(np.float32),
    )


def _join(
    trees: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], offset: np.ndarray
) -> PackedForest:
    feature, threshold, leaf = (np.concatenate(arrays) for arrays in zip(*trees, strict=True))
    size = np.array([len(columns) for columns, _, _ in trees], np.int32)
    return PackedForest(feature, threshold, leaf, size, np.asarray(offset, np.float64))


def from_sklearn(trees: Sequence[Any], to_output: np.ndarray) -> PackedForest:
    """Trees of scikit-learn, averaged.

    Parameters
    ----------
    trees : sequence of sklearn.tree.DecisionTreeRegressor
        Fitted without missing values.
    to_output : ndarray, shape (n_targets, n_outputs)
        Matrix that turns a tree's targets into the outputs of the packed forest.
    """
    packed = []
    for estimator in trees:
        tree = estimator.tree_
        value = tree.value[:, :, 0] @ to_output / len(trees)
        packed.append(
            _pack_tree(
                tree.children_left,
                tree.children_right,
                tree.feature,
                _round_down(tree.threshold),
                value,
            )
        )
    return _join(packed, np.zeros(to_output.shape[1]))


def from_isolation_forest(forest: Any) -> PackedForest:
    """Trees of an isolation forest: minus the mean path length over that of a random tree, so that
    2 to its power is minus scikit-learn's ``score_samples``.

    Parameters
    ----------
    forest : sklearn.ensemble.IsolationForest
        Fitted with ``max_features=1.0``.
    """
    packed, whole = [], float(_random_path(np.array([forest.max_samples_]))[0])
    for estimator in forest.estimators_:
        tree = estimator.tree_
        depth = np.zeros(tree.node_count)
        for node in _breadth_first(tree.children_left, tree.children_right):
            for child in (tree.children_left[node], tree.children_right[node]):
                if child >= 0:
                    depth[child] = depth[node] + 1
        path = depth + _random_path(tree.n_node_samples)
        value = -path[:, None] / (whole * len(forest.estimators_))
        threshold = _round_down(tree.threshold)
        packed.append(
            _pack_tree(tree.children_left, tree.children_right, tree.feature, threshold, value)
        )
    return _join(packed, np.zeros(1))


def _random_path(n: np.ndarray) -> np.ndarray:
    """Mean path length of n samples in a random tree (Liu+ 2008, Eq. 1)."""
    many = np.maximum(n, 3).astype(float)
    path = 2 * (np.log(many - 1) + np.euler_gamma) - 2 * (many - 1) / many
    return np.where(n > 2, path, np.where(n == 2, 1.0, 0.0))


def from_xgboost(booster: Any, to_output: np.ndarray) -> PackedForest:
    """Trees of an XGBoost model of vector leaves (``multi_output_tree``) or of one target, its base
    score in the offset.
    """
    model = json.loads(bytes(booster.save_raw("json")))["learner"]
    n_targets = to_output.shape[0]
    base = np.array(
        json.loads(str(model["learner_model_param"]["base_score"])), dtype=float
    ).reshape(-1)
    packed = []
    for tree in model["gradient_booster"]["model"]["trees"]:
        left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
        condition = np.array(tree["split_conditions"], np.float32)
        if n_targets == 1:
            value = condition[:, None].astype(float)
        else:
            key = "base_weights"
            value = np.array(tree[key], float).reshape(len(left), n_targets)
        # XGBoost sends x left where x < t; packed trees where x <= t.
        threshold = np.nextafter(condition, np.float32(-np.inf))
        packed.append(
            _pack_tree(left, right, np.array(tree["split_indices"]), threshold, value @ to_output)
        )
    return _join(packed, np.broadcast_to(base, (n_targets,)) @ to_output)


def _round_down(threshold: np.ndarray) -> np.ndarray:
    """The largest float32 that is not above each threshold, so that float32 features compare as
    before.
    """
    single = threshold.astype(np.float32)
    above = single.astype(np.float64) > threshold
    single[above] = np.nextafter(single[above], np.float32(-np.inf))
    return single


def combine(forests: Sequence[PackedForest]) -> PackedForest:
    """One forest whose prediction is the sum of the forests' predictions."""
    feature, threshold, leaf, size = (
        np.concatenate([getattr(f, name) for f in forests])
        for name in ("feature", "threshold", "leaf", "size")
    )
    return PackedForest(feature, threshold, leaf, size, np.sum([f.offset for f in forests], axis=0))
