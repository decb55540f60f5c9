"""Node perturbation. Widrow & Lehr, Proc. IEEE 78 (1990); Werfel, Xie & Seung, NeurIPS 2003.

    T_l = (L(h + ξ) − L(h)) / σ² ξ_l          ξ_l ~ N(0, σ²) on every pre-activation h_l

One number is broadcast: how much did this noise raise the loss of this input? There are no feedback
weights. Every mask enters through the forward pass, so the mean over noise is the gradient of the
smoothed loss; but the noise of all units enters too, and its variance grows with their number.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet, draw_normal
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.options import Positive


class NodePerturbation(Rule):
    """Node perturbation.

    sigma: σ. At 1e-3, in float32, the difference of the losses has an error of 1e-4 by rounding and
    of 5% by curvature, that is by ReLUs that the noise opens or closes (15% at σ = 1e-2).
    """

    name: Literal["node_perturbation"] = "node_perturbation"
    sigma: Positive = 1e-3
    facts: ClassVar[Facts] = Facts(
        title="Node perturbation",
        family="direct feedback",
        subfamily="perturbation",
        citation="Werfel, Xie & Seung (2003), NeurIPS 16; Widrow & Lehr (1990), Proc. IEEE 78:1415",
        equation="T_l = (L(h + ξ) − L(h)) / σ² ξ_l,  ξ_l ~ N(0, σ²)",
        differences=(
            "noise on the hidden layers alone, the readout has its delta rule; every input and "
            "every position has noise of its own, and every input its own loss"
        ),
        labels=True,
        phases=2,
        passes=2,
        open_in_biology=(
            "How a unit would tell its own noise from its activity, and how the loss with "
            "noise would be compared with that without it. The one broadcast number is the "
            "third factor with the best support (Schultz 1998, J. Neurophysiol. 80:1); Fiete, "
            "Fee & Seung (2007), J. Neurophysiol. 98:2038, read birdsong this way."
        ),
    )

    @property
    def needs_digits(self) -> bool:
        """True: the losses of two passes differ by the noise alone."""
        return True

    def teach(
        self,
        net: TreeNet,
        state: State,
        batch: Batch,
        generators: Sequence[torch.Generator],
    ) -> Teaching:
        activity = batch.activity
        xi = [draw_normal(net, generators, self.sigma, *h.shape[1:]) for h in activity.h]
        noisy = net.forward(activity.x[0], xi)
        worse = losses(noisy.logits, batch.labels) - losses(activity.logits, batch.labels)
        reward = (worse / (self.sigma**2 * worse.shape[1])).to(net.dtype)  # mean over the batch
        terms = [[(reward[:, :, None, None].expand(*each.shape[:3], 1), each)] for each in xi]
        signals = [modulator * each for [(modulator, each)] in terms]
        return Teaching(signals, gated=False, terms=terms)


def losses(logits: Tensor, labels: Tensor) -> Tensor:
    """The cross-entropy of each input, (R, B); in float64, because small differences are taken."""
    log_p = logits.double().log_softmax(-1)
    return -log_p.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
