"""Sign symmetry. Liao, Leibo & Poggio, AAAI 2016 (arXiv 1510.05067).

    T_L = B_o e          T_l = B_{l+1} (φ'(h_{l+1}) ⊙ T_{l+1})          B = M ⊙ sign(W)ᵀ

Backprop's chain, in which feedback knows the sign of each weight, now, but not its magnitude.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.chain import chain, draw_chain, forward_weights, start_sizes


class SignSymmetry(Rule):
    """Sign symmetry.

    magnitude: M is one number for each layer (the paper's uSF), or random, drawn once (``fixed``,
    frSF) or anew for each batch (``batchwise``, brSF).  scale: of M, whose root mean square is
    otherwise that of the weights at the start.
    """

    name: Literal["sign_symmetry"] = "sign_symmetry"
    magnitude: Literal["constant", "fixed", "batchwise"] = "constant"
    scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    facts: ClassVar[Facts] = Facts(
        title="Sign symmetry",
        family="reference",
        citation="Liao, Leibo & Poggio (2016), AAAI; arXiv 1510.05067",
        equation="T_l = B_{l+1} (φ'(h_{l+1}) ⊙ T_{l+1}),  B = M ⊙ sign(W)ᵀ",
        differences=(
            "M is scaled to the weights at the start, random M are half-normal; no batch "
            "normalisation and no batch Manhattan, without which the paper found it to fail in "
            "deep networks; only the signs of W are transported"
        ),
        labels=True,
        weight_transport=True,
        error_network=True,
        downstream_masks=True,
        other_samples=False,
        phases=2,
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        if self.magnitude == "fixed":
            return State(fixed=draw_chain(net, generators, self.scale))
        return State()

    def teach(
        self, net: TreeNet, state: State, batch: Batch, generators: Sequence[torch.Generator]
    ) -> Teaching:
        W = forward_weights(net)
        M: Mapping[str, Tensor | float] = state.fixed
        if self.magnitude == "constant":
            sizes = [self.scale * size for size in start_sizes(net)]
            M = dict(zip(W, sizes, strict=True))
        elif self.magnitude == "batchwise":
            M = draw_chain(net, generators, self.scale)
        B = {name: w.sign() * abs(M[name]) for name, w in W.items()}
        return Teaching(chain(net, batch.error, batch.activity.z, B, tables=batch.activity.tables))
