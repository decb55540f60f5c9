"""What a grammar's strings say about each other and about the class, exactly, without sampling.

Every distribution is a product of the child-given-parent matrices of arXiv 2307.02129 (appendix on
tuple-class correlations), in float64. Two inputs are drawn independently *with* replacement.

`of` selects what is described at a node of level l >= 1: its `feature` (v values; n at the top), or
its `patch`, the s-tuple of level-(l-1) features below it, numbered base v with the first slot most
significant (`integers.tuple_codes`). As no two features share a tuple, a patch determines its
feature, and it tells nothing more about what lies outside it: both carry the same information.
"""

from dataclasses import dataclass
from math import inf, isinf, log, log10
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from synaptree.errors import SynaptreeError, checked_integer, shown
from synaptree.grammar.integers import tuple_codes
from synaptree.grammar.rhm import RandomHierarchyModel

Matrix = NDArray[np.float64]
Of = Literal["patch", "feature"]

_CELLS = 2**24  # entries of the largest array to be made, 128 MiB


@dataclass(frozen=True)
class PredictedSampleComplexity:
    """Orders of magnitude, in strings; prefactors are the learner's.

    `supervised`: n·m**L, deep networks from labels (arXiv 2307.02129).
    `latent_from_siblings`: v·m**3 / (1 - m/v**(s-1)), one level of latents from their neighbours,
    whatever L (arXiv 2605.27734; for tokens arXiv 2406.00048); inf where siblings are independent.
    """

    supervised: int
    latent_from_siblings: float


def predicted_sample_complexity(
    v: int, n: int, m: int, s: int, L: int
) -> PredictedSampleComplexity:
    """The known laws for a grammar of these sizes; sources at the result's class."""
    unused = 1 - m / v ** (s - 1)
    return PredictedSampleComplexity(n * m**L, v * m**3 / unused if unused > 0 else inf)


def inputs_uniform(model: RandomHierarchyModel) -> bool:
    """Whether all `v**d` strings occur, and so occur equally often.

    True exactly if all tuples are used: m = v**(s-1) and n = v (for L = 1: n·m = v**s). Siblings
    are then independent, and single inputs hold nothing to learn from.
    """
    return model.n * model.m == model.v**model.s and (
        model.L == 1 or model.m == model.v ** (model.s - 1)
    )


def transition(model: RandomHierarchyModel, level: int, slot: int) -> Matrix:
    """p(child at `slot` | parent at `level`), (v, v); (n, v) for level = L. Level 1..L."""
    level = checked_integer("transition level", level, 1, model.L)
    slot = checked_integer("transition slot", slot, 0, model.s - 1)
    rules = model.rules[level - 1]
    _fits("transition", len(rules) * model.v)
    joint = np.zeros((len(rules), model.v))
    np.add.at(joint, (np.arange(len(rules))[:, None], rules[:, :, slot]), 1 / model.m)
    return joint


def feature_given_class(model: RandomHierarchyModel, level: int, node: int) -> Matrix:
    """p(feature at a node | class), (n, v), level 0..L; for level = L the identity (n, n).

    It is the product of the transitions on the path from the root to node 0..s**(L-level)-1.
    """
    level = checked_integer("feature_given_class level", level, 0, model.L)
    last = model.s ** (model.L - level) - 1
    node = checked_integer(f"feature_given_class node at level {level}", node, 0, last)
    _fits("feature_given_class", model.n * max(model.n, model.v))
    product = np.eye(model.n)
    for above in range(model.L, level, -1):
        slot = node // model.s ** (above - 1 - level) % model.s
        product = product @ transition(model, above, slot)
    return product


def class_patch(model: RandomHierarchyModel, level: int, node: int, of: Of = "patch") -> Matrix:
    """Joint p(class, patch at a node of level 1..L), (n, v**s); for `of="feature"` (n, v).

    Level 1 is the input patch. Raises SynaptreeError if the array is too large to hold.
    """
    level = checked_integer("class_patch level", level, 1, model.L)
    return feature_given_class(model, level, node) @ _emission(model, level, of) / model.n


def same_class(model: RandomHierarchyModel, level: int, node: int, of: Of = "patch") -> Matrix:
    """Joint of what stands at one node in two inputs of one class, (v**s, v**s) or (v, v).

    Level 1..L. Raises SynaptreeError if the array is too large to hold.
    """
    _fits("same_class", (model.v**model.s if of == "patch" else model.v) ** 2)
    joint = class_patch(model, level, node, of)
    return joint.T @ joint * model.n


def siblings(
    model: RandomHierarchyModel,
    level: int,
    parent: int | None = None,
    slots: tuple[int, int] = (0, 1),
    of: Of = "patch",
) -> Matrix:
    """Joint of what stands at two nodes of one parent, (v**s, v**s) or (v, v); level 1..L-1.

    `parent`: index of the parent at level+1; None: the mean over all parents, which is what a
    learner sees that shares its weights over positions. `slots`: two different children.
    Raises SynaptreeError at level L (no siblings there) or if the array is too large to hold.
    """
    if level == model.L:
        raise SynaptreeError(
            f"siblings level: {level} is the class, which has no siblings;"
            f" expected an integer from 1 to {model.L - 1}"
        )
    level = checked_integer("siblings level", level, 1, model.L - 1)
    first, second = (checked_integer("siblings slots", slot, 0, model.s - 1) for slot in slots)
    if first == second:
        raise SynaptreeError(f"siblings slots: {slots}; expected two different slots")
    _fits("siblings", (model.v**model.s if of == "patch" else model.v) ** 2)
    if parent is None:
        above = np.full(model.n, 1 / model.n)
        for upper in range(model.L, level + 1, -1):
            below = [above @ transition(model, upper, slot) for slot in range(model.s)]
            above: Matrix = np.mean(below, axis=0)
    else:
        above = feature_given_class(model, level + 1, parent).mean(axis=0)
    rules = model.rules[level]
    pair = np.zeros((model.v, model.v))
    np.add.at(pair, (rules[:, :, first], rules[:, :, second]), above[:, None] / model.m)
    emission = _emission(model, level, of)
    return emission.T @ pair @ emission


def mutual_information(joint: Matrix, unit: Literal["bits", "nats"] = "bits") -> float:
    """I(row; column) of a joint distribution, >= 0; SynaptreeError if it does not sum to 1."""
    joint = np.asarray(joint, float)
    if joint.ndim != 2 or (joint < 0).any() or abs(joint.sum() - 1) > 1e-9:
        raise SynaptreeError(
            f"mutual_information: shape {joint.shape}, sum {joint.sum():.6g};"
            " expected a matrix of probabilities that sum to 1"
        )
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    possible = joint > 0
    nats = float(np.sum(joint[possible] * np.log(joint[possible] / independent[possible])))
    return max(nats, 0.0) / (log(2) if unit == "bits" else 1)


def describe(model: RandomHierarchyModel) -> dict[str, Any]:
    """The facts of a grammar, in plain types, for `synaptree grammar info`.

    `bits`: for each level 1..L the mutual information in bits of class and patch, of one node in
    two inputs of one class (both averaged over nodes), and of the siblings at slots 0 and 1
    (parents pooled). None: not defined, too large to compute or to write, or (a predicted size)
    infinite.
    """
    v, n, m, s, L = model.v, model.n, model.m, model.s, model.L
    predicted = predicted_sample_complexity(v, n, m, s, L)
    latent = predicted.latent_from_siblings
    levels: list[dict[str, Any]] = []
    # All nodes of a level at once, (nodes, n, features), from the class downwards.
    by_class: Matrix | None = np.eye(n)[None] if n * max(n, v) <= _CELLS // 16 else None
    for level in range(L, 0, -1):
        joints = [] if by_class is None else list(by_class / n)
        pairs = level < L and v * v <= _CELLS // 16
        levels.append(
            {
                "level": level,
                "nodes": s ** (L - level),
                "class_patch": _mean([mutual_information(joint) for joint in joints]),
                "same_class": _mean([mutual_information(joint.T @ joint * n) for joint in joints]),
                "siblings": mutual_information(siblings(model, level, of="feature"))
                if pairs
                else None,
            }
        )
        # So many nodes, and matrices of these sizes, take a fraction of a second.
        nodes = 0 if by_class is None else len(by_class) * s
        small = nodes <= 1024 and nodes * n * v <= 2**20
        small = small and len(model.rules[level - 1]) * v <= _CELLS
        if level > 1 and by_class is not None and small:
            steps = [by_class @ transition(model, level, slot) for slot in range(s)]
            by_class = np.stack(steps, axis=1).reshape(-1, n, v)
        else:
            by_class = None
    return {
        **dict(zip("vnmsL", (v, n, m, s, L), strict=True)),
        "seed": model.seed,
        "d": model.d,
        "P_max": _writable(model.size),
        "log10_P_max": log10(n) + (model.d - 1) // (s - 1) * log10(m),
        "input_strings": _writable(v**model.d),
        "uniform_inputs": inputs_uniform(model),
        "predicted_supervised": predicted.supervised,
        "predicted_latent_from_siblings": None if isinf(latent) else latent,
        "bits": levels[::-1],
    }


def fact_text(value: Any) -> str:
    """A fact of `describe` as text: – for None, 4 digits of a float, the size of a long integer."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    text = str(value)
    return f"about 10^{len(text) - 1}" if isinstance(value, int) and len(text) > 40 else text


def _writable(count: int) -> int | None:
    """The number; None where it has more digits (4300) than Python turns into text."""
    return count if count.bit_length() < 14_000 else None


def _emission(model: RandomHierarchyModel, level: int, of: Of) -> Matrix:
    """p(patch at a node | its feature), (features, v**s); the identity for features."""
    if of not in ("patch", "feature"):
        raise SynaptreeError(f"of: {shown(of)}; expected 'patch' or 'feature'")
    rules = model.rules[level - 1]
    if of == "feature":
        return np.eye(len(rules))
    _fits(f"patches of level {level}", len(rules) * model.v**model.s)
    emission = np.zeros((len(rules), model.v**model.s))
    emission[np.arange(len(rules))[:, None], tuple_codes(rules, model.v)] = 1 / model.m
    return emission


def _fits(where: str, cells: int) -> None:
    if cells > _CELLS:
        raise SynaptreeError(
            f"{where}: {cells} entries are too many to hold; expected at most {_CELLS};"
            " of='feature' carries the same information"
        )


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
