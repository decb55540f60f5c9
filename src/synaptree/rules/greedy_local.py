"""Greedy local classifiers. Nøkland & Eidnes, ICML 2019; Belilovsky, Eickenberg & Oyallon, 2019.

    loss_l = −log softmax(C_lᵀ z_l)_y          T_l = C_l (p_l − y),  p_l = softmax(C_lᵀ z_l)

Every layer has its own linear classifier, which gets the label. Layers send no error to each other.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.operations import apply, apply_transposed, correlate
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.layers import Sharing, draw_layers


class GreedyLocal(Rule):
    """Greedy local classifiers.

    classifier: one C for all positions of a layer, or one for each. Every position predicts the
    class of the whole input.
    """

    name: Literal["greedy_local"] = "greedy_local"
    classifier: Sharing = "position"
    facts: ClassVar[Facts] = Facts(
        title="Greedy local classifiers",
        family="reference",
        citation="Nøkland & Eidnes (2019), ICML; Belilovsky et al. (2019), ICML, arXiv 1812.11446",
        equation="T_l = C_l (softmax(C_lᵀ z_l) − onehot(y)),  C_l learned",
        differences=(
            "all layers at once; C is linear, without bias, and reads every position alone "
            "(papers: pooled or flattened maps, a similarity loss or an auxiliary network beside); "
            "C is used both ways, but belongs to the layer"
        ),
        labels=True,
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        H = net.width
        C = draw_layers(net, generators, H**-0.5, self.classifier, H, net.n)
        return State(learned={"C": C})

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        signals: list[Tensor] = []
        losses: list[Tensor] = []
        own: list[Tensor] = []
        for z, C in zip(batch.activity.z, state.layers("C"), strict=True):
            mean = 1 / (z.shape[1] * z.shape[2])  # the loss is a mean over inputs and positions
            y = batch.labels[:, :, None, None].expand(*z.shape[:3], 1)
            log_p = apply(z, C).log_softmax(-1)
            losses.append(-log_p.gather(-1, y).sum((1, 2, 3)) * mean)
            e = log_p.exp_().scatter_add_(-1, y, -torch.ones_like(y, dtype=z.dtype)).mul_(mean)
            signals.append(apply_transposed(e, C))
            own.append(correlate(z, e, 1.0, C))
        return Teaching(signals, {"C": own}, torch.stack(losses, 1))
