"""Symmetric direct feedback: backprop without masks, under its former name.

`masking` is the same rule, bit for bit, with ``masks=none`` or ``masks=mean_jacobian``. Results of
earlier versions hold this name, and can be read and run again; new studies take `masking`.

    T_l = W_{l+1}ᵀ … W_Lᵀ W_oᵀ e          with the weights as they are now

DFA with the right matrix at every step: compared with backprop, only the masks φ'(h_{l+1}) …
φ'(h_L) of this input are missing. With ``feedback=mean_jacobian`` the matrix contains their mean,

    T_l = E_x[∂o/∂z_l]ᵀ e          the mean over the inputs of the batch

which forward_dfa learns. The matrix that best predicts backprop's signal is another one, see
least_squares_feedback.
"""

from dataclasses import replace
from typing import ClassVar, Literal

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.chain import chain, mean_jacobian, unmasked


class SymmetricDirect(Rule):
    """Symmetric direct feedback.  feedback: the product of the weights, or the mean Jacobian."""

    name: Literal["symmetric_direct"] = "symmetric_direct"
    feedback: Literal["weights", "mean_jacobian"] = "weights"
    facts: ClassVar[Facts] = Facts(
        title="Symmetric direct feedback",
        family="direct feedback",
        subfamily="control",
        citation="a control of this package (2026)",
        equation="T_l = W_{l+1}ᵀ … W_oᵀ e,  or  E_x[∂o/∂z_l]ᵀ e",
        differences=(
            "a control of this package; the facts are those of feedback=weights, while "
            "mean_jacobian also needs the masks above, averaged over the inputs of the batch"
        ),
        labels=True,
        weight_transport=True,
        passes=2,
    )

    @property
    def declared(self) -> Facts:
        mean = self.feedback == "mean_jacobian"
        return replace(self.facts, error_network=mean, downstream_masks=mean, other_samples=mean)

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        if self.feedback == "weights":
            return Teaching(chain(net, batch.error, batch.activity, mask=unmasked))
        return Teaching(mean_jacobian(net, batch.error, batch.activity))
