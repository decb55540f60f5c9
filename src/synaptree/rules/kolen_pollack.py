"""Kolen–Pollack. Akrout, Wilson, Humphreys, Lillicrap & Tweed, NeurIPS 2019 (arXiv 1904.05391).

    T_L = B_o e          T_l = B_{l+1} (φ'(h_{l+1}) ⊙ T_{l+1})
    ΔW = −η δ xᵀ − λ W          ΔB = −η x δᵀ − λ B

Feedback alignment whose B learns from the same two signals as W. Both get the same increments, so
that B − Wᵀ shrinks by the factor 1 − λ at each step. Without decay the difference would stay.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch

from synaptree.network.synapse import updates
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.chain import chain, draw_chain
from synaptree.rules.shared.options import Positive


class KolenPollack(Rule):
    """Kolen–Pollack.  scale: the size of B at the start, relative to the weights."""

    name: Literal["kolen_pollack"] = "kolen_pollack"
    scale: Positive = 1.0
    facts: ClassVar[Facts] = Facts(
        title="Kolen–Pollack",
        family="reference",
        citation="Akrout et al. (2019), NeurIPS; arXiv 1904.05391 (Kolen & Pollack 1994)",
        equation="T_l = B_{l+1} (φ'(h_{l+1}) ⊙ T_{l+1});  ΔB = −η x δᵀ − λ B beside ΔW",
        differences=(
            "λ is the run's weight decay, times the learning rate; the optimiser may be any that "
            "does the same to B as to W, such as Adam with decoupled decay (paper: SGD)"
        ),
        labels=True,
        error_network=True,
        downstream_masks=True,
        phases=2,
        passes=2,
        open_in_biology=(
            "How two synapses at different cells would see the same product of activity and "
            "error, and lose the same share of their weight (Akrout et al. 2019, arXiv "
            "1904.05391, propose circuits). What carries the errors down is open as in "
            "backprop."
        ),
    )

    @property
    def needs_decay(self) -> bool:
        return True

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        return State(feedback={"F": draw_chain(net, generators, self.scale)})

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        T = chain(net, batch.error, batch.activity, state.feedback["F"])
        # F_l learns as W_l does; nothing is sent down through W_1.
        dW = updates(net, batch.activity, [None, *T[1:]], batch.error)
        return Teaching(T, {"F": [*dW[: net.L], dW[net.L + len(net.b)]]})
