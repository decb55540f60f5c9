"""The map of error over unlabelled strings and labels, of networks that a study has saved.

A layerwise rule may see no label at all; its network is then read with few. The readout of the run
itself plays no part: new ones are fitted to the top layer, each to k labels of training strings.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from synaptree.errors import SynaptreeError, shown
from synaptree.measures.few_labels import DRAWS, doubling, few_labels
from synaptree.network.saved import ENDING, load_network, read_file
from synaptree.network.tree import TreeNet
from synaptree.rules.facts import label_tier
from synaptree.sources.base import Array
from synaptree.training.data import training_strings
from synaptree.training.memory import CHUNK
from synaptree.training.saving import NETWORKS
from synaptree.training.spec import RunSpec


@dataclass(frozen=True)
class LabelRow:
    """The test error of one readout of one trained network.

    label, views, tier: of the rule.  P: how many strings the network was trained on.  seed: of the
    grammar.  labels: how many of these strings the readout knew the class of.  draw: which choice
    of them.  shuffled: whether the labels were given to them in another order, as a control.
    """

    run_id: str
    label: str
    views: str
    tier: str | None
    v: int
    n: int
    m: int
    s: int
    L: int
    P: int
    seed: int
    labels: int
    draw: int
    shuffled: bool
    test_error: float


def label_map(
    folder: str | Path, counts: Sequence[int] | None = None, draws: int = DRAWS
) -> Iterator[LabelRow]:
    """The rows of every network in a folder of results that ``study run --save`` has written.

    counts: how many labels; by default n, 2n, 4n … P.  draws: choices of the labelled strings.
    Raises SynaptreeError where the folder has no networks.
    """
    paths = sorted((Path(folder) / NETWORKS).glob(f"*{ENDING}"))
    if not paths:
        raise SynaptreeError(
            f"label map: {shown(str(folder))} has no trained networks; expected a folder of "
            "`synaptree study run --save`"
        )
    for path in paths:
        card, _ = read_file(path)
        if "spec" in card:  # else a network that no run has trained
            yield from labels_of(load_network(path), RunSpec(**card["spec"]), counts, draws)


def labels_of(
    net: TreeNet, spec: RunSpec, counts: Sequence[int] | None = None, draws: int = DRAWS
) -> list[LabelRow]:
    """The rows of one trained network of one replica."""
    training = training_strings(spec)
    test = spec.source.test(spec.tests, spec.data_seed, training)
    wanted = doubling(spec.n, spec.trained) if counts is None else counts
    x, y = training.x[: spec.trained], training.y[: spec.trained]
    found = few_labels(
        *(_top(net, x), _classes(y), _top(net, test.x), _classes(test.y)),
        *(spec.n, [k for k in wanted if k <= spec.trained], draws, spec.data_seed),
    )
    facts = spec.rule.declared
    same: dict[str, Any] = {
        "run_id": spec.run_id,
        "label": spec.rule.label,
        "views": ",".join(spec.views),
        "tier": label_tier(spec.views, facts.labels, facts.top_context),
        **{name: getattr(spec, name) for name in "vnmsLP"},
        "seed": spec.grammar_seed,
    }
    return [
        LabelRow(**same, labels=k, draw=draw, shuffled=shuffled, test_error=float(error))
        for shuffled, errors in ((False, found.error), (True, found.shuffled))
        for k, of_count in zip(found.counts, errors, strict=True)
        for draw, error in enumerate(of_count)
    ]


def _top(net: TreeNet, x: Array) -> Tensor:
    """The activity of the top layer, (P, H)."""
    tokens = torch.from_numpy(x if x.dtype.kind == "f" else x.astype("int32"))
    parts = tokens[None].split(CHUNK, dim=1)
    return torch.cat([net.read(part).z[-1][0, :, 0] for part in parts])


def _classes(y: Array) -> Tensor:
    return torch.from_numpy(y.astype("int64"))
