"""Whether the bytes of a booster can be handed to XGBoost, which believes what it is given.

A tree that points outside itself makes it read memory that is not its own; one that points back never ends.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from defimon.models._ubjson import read_ubjson

NODE_ARRAYS = (
    "base_weights", "default_left", "left_children", "loss_changes", "parents", "right_children",
    "split_conditions", "split_indices", "split_type", "sum_hessian",
)  # fmt: skip
"""One value a node each."""

NO_PARENT = 2**31 - 1
"""Parent of the root, as XGBoost writes it."""


def refuse_unsafe_booster(body: bytes) -> None:
    """Raises ValueError unless `body` is a gbtree booster of numeric splits in UBJSON that is whole and whose
    trees stay within themselves and their features.
    """
    try:
        learner = _part(read_ubjson(body), "learner")
        booster = _part(learner, "gradient_booster")
        model = _part(booster, "model")
        features = int(_part(learner, "learner_model_param")["num_feature"])
        outputs = _outputs(_part(learner, "learner_model_param"))
        if booster["name"] != "gbtree" or _part(model, "cats")["enc"]:
            _refuse("it is no booster of numeric trees")
        trees = model["trees"]
        _refuse_ensemble(model, len(trees), outputs)
        for tree in trees:
            _refuse_tree(tree, features)
    except (KeyError, TypeError, IndexError, OverflowError) as error:
        _refuse(f"a part of a booster is missing or of another kind: {error!r}")


def _refuse(why: str) -> None:
    message = f"these trees are not safe to load: {why}"
    raise ValueError(message)


def _part(value: Any, name: str) -> dict[str, Any]:
    found = value[name]
    if not isinstance(found, dict):
        _refuse(f"{name} is no object")
    return dict(found)


def _outputs(told: dict[str, Any]) -> int:
    return max(int(told["num_class"]), int(told["num_target"]), 1)


def _refuse_ensemble(model: dict[str, Any], count: int, outputs: int) -> None:
    told = _part(model, "gbtree_model_param")
    edges = np.asarray(model["iteration_indptr"], np.int64)
    groups = np.asarray(model["tree_info"], np.int64)
    fits = (
        int(told["num_trees"]) == count == len(groups)
        and int(told["num_parallel_tree"]) >= 1
        and edges.ndim == 1
        and len(edges) >= 1
        and edges[0] == 0
        and edges[-1] == count
        and bool((np.diff(edges) >= 0).all())
        and bool(((groups >= 0) & (groups < outputs)).all())
    )
    if not fits:
        _refuse("its trees are counted otherwise than they are")


def _refuse_tree(tree: dict[str, Any], features: int) -> None:
    told = _part(tree, "tree_param")
    count = int(told["num_nodes"])
    parts = {name: np.asarray(tree[name]) for name in NODE_ARRAYS}
    if count < 1 or any(part.shape != (count,) for part in parts.values()):
        _refuse("a tree has fewer or more nodes than it says")
    if int(told["num_feature"]) != features or int(told["size_leaf_vector"]) > 1:
        _refuse("a tree is of other features or outputs")
    left, right = (parts[name].astype(np.int64) for name in ("left_children", "right_children"))
    leaf = left == -1
    inside = _children_inside(left, leaf, count) and _children_inside(right, leaf, count)
    if not inside or bool(((right == -1) != leaf).any()):
        _refuse("a node points outside its tree, or back")
    used = parts["split_indices"].astype(np.int64)[~leaf]
    if bool(((used < 0) | (used >= features)).any()) or bool(parts["split_type"].any()):
        _refuse("a node splits on a feature that there is not")
    parents = parts["parents"].astype(np.int64)
    if bool((((parents < -1) | (parents >= count)) & (parents != NO_PARENT)).any()):
        _refuse("a node has a parent outside its tree")
    if any(len(tree[name]) for name in ("categories", "categories_nodes", "categories_segments")):
        _refuse("it splits on categories")


def _children_inside(child: NDArray[np.int64], leaf: NDArray[np.bool_], count: int) -> bool:
    """Children come after their parent, so that every way ends."""
    after = (child > np.arange(count)) & (child < count)
    return bool((leaf | after).all())
