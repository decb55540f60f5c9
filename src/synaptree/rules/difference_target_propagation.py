"""Difference target propagation. Lee, Zhang, Fischer & Bengio, ECML 2015 (arXiv 1412.7525). The
difference reconstruction: Meulemans et al., NeurIPS 2020 (arXiv 2006.14331).

    t_o = o − η e          t_{l−1} = z_{l−1} + g_l(t_l) − g_l(z_l)          g_l(z) = φ(F_lᵀ z + c_l)
    T_l = (z_l − t_l) / η
    minimise ½ ‖g_l(f_l(z_{l−1} + ξ)) − (z_{l−1} + ξ)‖²  over F_l, c_l,  ξ ~ N(0, σ²)

Targets take the place of errors: what should the layer below have said, for the layer above to say
t? Decoders g_l answer, which learn to invert each layer f_l from its own noisy activity. The
difference takes away what a decoder gets wrong. Nothing settles; the way down is another network.

With ``reconstruction="difference"`` g_l learns to invert changes, ‖g_l(f_l(z + ξ)) − g_l(f_l(z)) −
ξ‖². Then g_l tends to the pseudo-inverse of f_l's Jacobian, with which targets are Gauss–Newton's
where f_l can be inverted.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet, draw_normal
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.chain import draw_chain
from synaptree.rules.shared.options import Positive


class DifferenceTargetPropagation(Rule):
    """Difference target propagation.

    eta: η, how far the output's target is along its error.  sigma: σ, the noise that decoders learn
    from.  reconstruction: what they learn to invert, see above.  decoder: with φ, or linear.
    scale: the size of F at the start, relative to the weights.
    """

    name: Literal["difference_target_propagation"] = "difference_target_propagation"
    eta: Positive = 0.1
    sigma: Positive = 0.1
    reconstruction: Literal["activity", "difference"] = "activity"
    decoder: Literal["relu", "linear"] = "relu"
    scale: Positive = 1.0
    facts: ClassVar[Facts] = Facts(
        title="Difference target propagation",
        family="reference",
        citation="Lee, Zhang, Fischer & Bengio (2015), ECML; arXiv 1412.7525; difference "
        "reconstruction: Meulemans et al. (2020), NeurIPS; arXiv 2006.14331",
        equation="T_l = (z_l − t_l) / η;  t_{l−1} = z_{l−1} + g_l(t_l) − g_l(z_l);  g_l learned",
        differences=(
            "the top layer's target is decoded too (Lee: a step down the gradient, through W_oᵀ); "
            "decoders learn at every step beside the network, at the run's learning rate (papers: "
            "a rate and steps of their own); the difference reconstruction is of one layer at a "
            "time (Meulemans: of all layers above together)"
        ),
        labels=True,
        error_network=True,
        phases=2,
        passes=5,  # the forward pass, t and z down, and noise up and down
        open_in_biology=(
            "Where a layer would hold its activity and its target at once, and what would "
            "train the decoders, which need noise or a reconstruction of each layer "
            "(Lillicrap et al. 2020, Nat. Rev. Neurosci. 21:335). The targets come down layer "
            "by layer."
        ),
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        c = [net.W_out.new_zeros(len(generators), 1, net.width) for _ in range(net.L)]
        return State(learned={"F": draw_chain(net, generators, self.scale), "c": c})

    def teach(
        self, net: TreeNet, state: State, batch: Batch, generators: Sequence[torch.Generator]
    ) -> Teaching:
        a, F, c = batch.activity, state.learned["F"], state.layers("c")
        B, L = batch.labels.shape[1], net.L
        out = a.logits.unsqueeze(2)
        said = [*a.z, out]  # of layers 1..L, and the output
        weights = [(F[l], c[l - 1]) for l in range(1, L + 1)]  # that decode to layer l
        decoded = [self.decode(net, l, said[l], *weights[l - 1]) for l in range(1, L + 1)]
        t, T = out - self.eta * B * batch.error.unsqueeze(2), list[Tensor]()
        for l in range(L, 0, -1):
            t = said[l - 1] + self.decode(net, l, t, *weights[l - 1]) - decoded[l - 1]
            T.append((said[l - 1] - t).div_(self.eta * B))
        own: list[tuple[Tensor, Tensor]] = []
        for l in range(1, L + 1):
            noise = draw_normal(net, generators, self.sigma, *said[l - 1].shape[1:])
            own.append(self.learn(net, l, said, weights[l - 1], decoded[l - 1], noise))
        dF, dc = zip(*own, strict=True)
        return Teaching(T[::-1], {"F": [None, *dF], "c": dc})

    def decode(self, net: TreeNet, layer: int, z: Tensor, F: Tensor | None, c: Tensor) -> Tensor:
        """g of what reads a layer, of the layer above it or of the output: (R, B, N_l, H)."""
        top = layer == net.L
        down = net.down_from_output(z.squeeze(2), F) if top else net.down(layer + 1, z, F)
        down = down + c.unsqueeze(2)
        return torch.relu(down) if self.decoder == "relu" else down

    def learn(
        self,
        net: TreeNet,
        layer: int,
        said: Sequence[Tensor],
        weights: tuple[Tensor | None, Tensor],
        decoded: Tensor,
        noise: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """The gradients of F and c, by which a layer is decoded: means over inputs and places.

        decoded: g without noise.
        """
        z, top = said[layer - 1], layer == net.L
        noisy = z + noise
        above = net.readout(noisy).unsqueeze(2) if top else torch.relu(net.up(layer + 1, noisy))
        g = self.decode(net, layer, above, *weights)
        mean = 1 / (z.shape[1] * z.shape[2])

        def gradients(wrong: Tensor, g: Tensor, above: Tensor) -> tuple[Tensor, Tensor]:
            delta = net.gate(wrong, g) if self.decoder == "relu" else wrong
            dc = delta.sum((1, 2)).unsqueeze(1)
            if top:
                return net.correlated_out(delta, above.squeeze(2)), dc
            return net.correlated(layer + 1, net.patches(layer + 1, delta), above), dc

        if self.reconstruction == "activity":
            return gradients((g - noisy).mul_(mean), g, above)
        wrong = (g - decoded - noise).mul_(mean / self.sigma**2)
        (dF, dc), (less, dc_less) = (
            gradients(wrong, g, above),
            gradients(wrong, decoded, said[layer]),
        )
        return dF - less, dc - dc_less
