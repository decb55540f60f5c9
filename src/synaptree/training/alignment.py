"""How far a rule's update points along backprop's, and what that means."""

from collections.abc import Sequence

import torch
from torch import Tensor

from synaptree import rules
from synaptree.measures.alignment import cosines
from synaptree.network.tree import TreeNet
from synaptree.rules import Batch, State
from synaptree.training.streams import generator


def alignment(
    net: TreeNet,
    batch: Batch,
    updates: Sequence[Tensor | None],
    streams: Sequence[torch.Generator],
    step: int,
) -> tuple[Tensor, Tensor]:
    """The cosines with backprop's update of each layer, (R, L): of a rule's update, and of a null.

    The null is direct feedback with fresh random weights: a cosine as large as that means nothing.
    updates: of the network's parameters.  streams, step: the null is drawn for this step.
    """
    L = net.L
    seeds = [step * 2**32 + stream.initial_seed() % 2**32 for stream in streams]
    fresh = [generator("alignment", seed) for seed in seeds]

    def update(rule: rules.Rule, state: State) -> list[Tensor | None]:
        taught = rule.teach(net, state, batch, fresh)
        return taught.updates(net, batch.activity, batch.error)[:L]

    random_feedback = rules.get("dfa")
    backprop = update(rules.get("backprop"), State())
    null = update(random_feedback, random_feedback.init(net, fresh))
    return cosines(updates[:L], backprop), cosines(null, backprop)
