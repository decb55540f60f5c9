"""Greedy local classifiers. Nøkland & Eidnes, ICML 2019; Belilovsky, Eickenberg & Oyallon, 2019.

    loss_l = −log softmax(C_lᵀ z_l)_y          T_l = C_l (p_l − y),  p_l = softmax(C_lᵀ z_l)

Every layer has its own linear classifier, which gets the label. Layers send no error to each other.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.layers import Sharing, draw_layers
from synaptree.rules.shared.projection import project


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
        open_in_biology=(
            "What would bring the label to every area, and compare it there with a guess of "
            "that area. The local classifier is read in both directions, so its weights would "
            "have to be symmetric (Nøkland & Eidnes 2019, arXiv 1901.06656)."
        ),
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        H = net.width
        C = draw_layers(net, generators, H**-0.5, self.classifier, H, net.n)
        return State(learned={"C": C})

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        layers = [project(batch, l, C) for l, C in enumerate(state.layers("C"), start=1)]
        N = [logits.shape[1] for logits, _ in layers]
        log_p = torch.cat([logits for logits, _ in layers], 1).log_softmax(-1)
        B = log_p.shape[2]
        y = batch.labels[:, None, :, None].expand(*log_p.shape[:3], 1)
        loss = -log_p.gather(-1, y).mean((2, 3))
        e = log_p.exp_().scatter_add_(-1, y, log_p.new_full((1, 1, 1, 1), -1.0).expand(y.shape))
        # The loss is a mean over inputs and positions.
        e *= torch.cat([e.new_full((n, 1, 1), 1 / (B * n)) for n in N])
        taught = [back(e_l) for (_, back), e_l in zip(layers, e.split(N, 1), strict=True)]
        losses = torch.stack([each.mean(1) for each in loss.split(N, 1)], 1)
        return Teaching([T for T, _ in taught], {"C": [dC for _, dC in taught]}, losses)
