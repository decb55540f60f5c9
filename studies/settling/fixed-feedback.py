"""Why equilibrium propagation holds its feedback below a limit as weights grow.

python studies/settling/fixed-feedback.py

A small network learns twice: γ_l = γ / ‖W_l‖² follows the weights, or stays as it is at the first
step. Beside the loss: the largest γ_l ‖W_l‖² of any layer; the spectral radius of one step of the
free settling, z ← φ'(h) ⊙ (W z below + γ Wᵀ z above), the largest over inputs; and the largest
residual. Beyond a radius of 1 there is no state of rest.
"""

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules.equilibrium_propagation import EquilibriumPropagation
from synaptree.training.replicas import Replicas
from synaptree.training.spec import make_spec

KIND = {"v": 4, "n": 4, "m": 2, "L": 3, "P": 128, "width": 16, "batch": 16, "lr": 0.01}
SHOWN = (0, 40, 80, 160, 320)
INPUTS = 4


class Fixed(EquilibriumPropagation):
    """Equilibrium propagation whose γ is that of the first weights."""

    def strengths(self, net: TreeNet) -> tuple[list[Tensor], list[Tensor]]:
        """γ and κ of the weights that were there when this was first asked."""
        first = vars(self).setdefault("_first", None) or super().strengths(net)
        vars(self)["_first"] = first
        return first


def iteration(net: TreeNet, gamma: list[Tensor], z: list[Tensor], b: int) -> Tensor:
    """The Jacobian of a step at input b of the first replica; units of all layers in one vector."""
    sizes = [each[0, b].numel() for each in z]
    starts = [sum(sizes[:l]) for l in range(len(sizes))]
    J = torch.zeros(sum(sizes), sum(sizes), dtype=net.dtype)
    for l in range(2, net.L + 1):
        W = net.gains[l - 1] * net.W[l - 1][0]
        for place in range(net.positions(l)):
            above = slice(
                starts[l - 1] + place * net.width, starts[l - 1] + (place + 1) * net.width
            )
            below = slice(starts[l - 2] + place * len(W), starts[l - 2] + (place + 1) * len(W))
            J[above, below] = W.T
            J[below, above] = float(gamma[l - 2][0]) * W
    opened = torch.cat([each[0, b].flatten() > 0 for each in z])
    return J * opened.unsqueeze(1)


def rows(rule: EquilibriumPropagation) -> list[str]:
    """A line for each step that is shown."""
    spec = make_spec(rule="equilibrium_propagation", **KIND, precision="float64")
    replicas = Replicas([spec.model_copy(update={"rule": rule})])
    found: list[str] = []
    for step in range(SHOWN[-1] + 1):
        if step in SHOWN:
            seen = replicas.observe()
            net, (gamma, _) = replicas.net, rule.strengths(replicas.net)
            free = rule.resting(net, seen.batch.plain())
            norms = [g * torch.linalg.matrix_norm(W, 2) ** 2 for g, W in zip(net.gains, net.W)]  # noqa: B905
            strongest = max(float(g) * float(n) for g, n in zip(gamma, norms[1:], strict=True))
            radius = max(
                float(torch.linalg.eigvals(iteration(net, gamma, free.state, b)).abs().max())
                for b in range(INPUTS)
            )
            loss, residual = float(seen.loss), float(free.residual.max())
            found.append(
                f"| {step} | {strongest:.2f} | {radius:.2f} | {residual:.1e} | {loss:.3g} |"
            )
        replicas.step()
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name, rule in (("follows", EquilibriumPropagation()), ("stays", Fixed())):
        print(f"γ {name} the weights" if name == "follows" else "γ stays as it is", end="\n\n")
        print("| step | γ‖W‖² | spectral radius | residual | loss |\n|---|---|---|---|---|")
        print("\n".join(rows(rule)), end="\n\n", flush=True)
