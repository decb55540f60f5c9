"""Sign symmetry. Liao, Leibo & Poggio, AAAI 2016 (arXiv 1510.05067).

    T_L = B_o e          T_l = B_{l+1} (φ'(h_{l+1}) ⊙ T_{l+1})          B = M ⊙ sign(W)ᵀ

Backprop's chain with feedback that has the current sign of each weight, but not its magnitude.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.chain import chain, draw_chain, draw_path, path_down
from synaptree.rules.shared.options import Positive


class SignSymmetry(Rule):
    """Sign symmetry.

    magnitude: M is one number for each layer (the paper's uSF), or random, drawn once (``fixed``,
    frSF) or anew for each batch (``batchwise``, brSF).  scale: the root mean square of
    M, relative to that of the weights at the start.
    """

    name: Literal["sign_symmetry"] = "sign_symmetry"
    magnitude: Literal["constant", "fixed", "batchwise"] = "constant"
    scale: Positive = 1.0
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
        phases=2,
        passes=2,
        open_in_biology=(
            "What keeps the signs of two separate synapses equal while one of them learns. A "
            "cell that only excites or only inhibits fixes its signs, but the weights of this "
            "rule change theirs. The chain of errors and masks is as in backprop (Lillicrap "
            "et al. 2020, Nat. Rev. Neurosci. 21:335)."
        ),
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        if self.magnitude == "fixed":
            return State(fixed={"F": draw_chain(net, generators, self.scale)})
        return State()

    def teach(
        self, net: TreeNet, state: State, batch: Batch, generators: Sequence[torch.Generator]
    ) -> Teaching:
        path = path_down(net)
        if self.magnitude == "constant":
            F = [W.sign() * (self.scale * std) for W, std in path]
        else:
            fixed = self.magnitude == "fixed"
            M = state.layers("F") if fixed else draw_path(net, generators, self.scale)
            F = [W.sign() * M_l.abs() for (W, _), M_l in zip(path, M, strict=True)]
        return Teaching(chain(net, batch.error, batch.activity, [None, *F]))
