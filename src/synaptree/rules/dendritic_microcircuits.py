"""Dendritic error microcircuits. Sacramento, Ponte Costa, Bengio & Senn, NeurIPS 2018 (arXiv
1810.11393), in the steady state.

    h_l = W_l z_{l−1} + b_l          u_l = h_l + α a_l          z_l = φ(u_l)
    v_l = Q_l z_l + c_l              i_l = φ((1 − μ) v_l + μ u_{l+1})
    a_l = B_{l+1} z_{l+1} − P_l i_l                             (output: u = h − β e, without φ)
    ΔW_l ∝ φ'(h_l) ⊙ (u_l − h_l) ⊗ z_{l−1}
    ΔQ_l ∝ (u_{l+1} − v_l) ⊗ z_l          ΔP_l ∝ a_l ⊗ i_l          both before the label comes

A pyramidal cell has basal dendrites, h, which read the layer below, and apical ones, a, to which
the layer above sends its activity back through B. Interneurons, as many as cells above, learn by Q
to predict these cells, and by P to cancel what they send. In this *self-predicting* state a = 0. A
label makes the output differ from its prediction, and a is what the interneurons did not expect:

    a_l = (1 − μ) B_{l+1} (φ'(h_{l+1}) ⊙ α a_{l+1}),   at the top −(1 − μ) β B e

up to gates that a label opens or closes, which are fewer as β → 0. So W learns as in feedback
alignment with B, or as in backprop if B is Wᵀ. No cell stands for errors alone.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from synaptree.network.operations import apart, apply, together, whole
from synaptree.network.settling import Settled
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.chain import draw_chain
from synaptree.rules.shared.nudge import read, strength, wrong
from synaptree.rules.shared.options import Count, NotNegative, Positive

RIDGE = 1e-6  # times the mean square of a presynaptic cell, since some are silent
Potentials = tuple[list[Tensor], list[Tensor]]  # h_l and u_l of layers 1..L and of the output


class DendriticMicrocircuits(Rule):
    """Dendritic error microcircuits.

    beta: β, how strongly the label pulls at the output; in the mean-field parametrisation times the
    width.  apical: α.  teaching: μ, how strongly the cells above teach interneurons.  start: of the
    lateral weights Q and P, in the self-predicting state or random.  scale: the size of B, relative
    to the weights at their start.  steps: toward the steady state, with whole sweeps up and down; L
    reach it but for gates that move on.  tolerance: an input stops earlier where its residual is
    below it.
    """

    name: Literal["dendritic_microcircuits"] = "dendritic_microcircuits"
    beta: Positive = 0.5
    apical: Positive = 0.5
    teaching: Annotated[float, Field(gt=0, lt=1)] = 0.2
    start: Literal["self_predicting", "random"] = "self_predicting"
    scale: Positive = 1.0
    steps: Count = 6
    tolerance: NotNegative = 0.0
    facts: ClassVar[Facts] = Facts(
        title="Dendritic error microcircuits",
        family="reference",
        citation="Sacramento, Ponte Costa, Bengio & Senn (2018), NeurIPS; arXiv 1810.11393",
        equation="ΔW_l ∝ (φ(h_l + α a_l) − φ(h_l)) ⊗ z_{l−1};  a_l = B_{l+1} z_{l+1} − P_l i_l,  "
        "settled",
        differences=(
            "the steady state, found by sweeps (paper: currents that are integrated in time), and "
            "so for lateral weights: they go where their delta rules would leave them after many "
            "steps on a minibatch (paper: slow changes, label or not); ReLU (paper: soft); "
            "leak conductances are in the weights; softmax and cross-entropy at the output (paper: "
            "a target potential); the readout learns by its delta rule from the forward pass; "
            "φ'(h) (u − h) for φ(u) − φ(h) in plasticity; a layer's update is divided by how far "
            "its errors have shrunk"
        ),
        labels=True,
        error_network=True,
        downstream_masks=True,
        other_samples=True,
        phases=2,
        open_in_biology=(
            "How interneurons would come to match the cells of the layer above one to one, "
            "and how B would come to fit W. Sacramento et al. (2018) propose interneurons "
            "that express somatostatin and inhibit apical dendrites. The lateral weights must "
            "have settled before the label comes."
        ),
    )

    @property
    def passes(self) -> float:
        """The forward pass; for lateral weights twice up by Q, and down by B and P; up by W and Q
        and down by B and P for each step and for the state that it starts in; up by W to learn."""
        return 1 + 4 + 4 * (self.steps + 1) + 1

    @property
    def needs_digits(self) -> bool:
        """True: a is a small difference."""
        return True

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        F = draw_chain(net, generators, self.scale)
        weights = {"W": [*net.W[1:], net.W_out], "F": F[1:]}
        if self.start == "random":
            weights = {name: draw_chain(net, generators)[1:] for name in weights}
        Q, P = ([each.clone() for each in weights[name] if each is not None] for name in "WF")
        biases = [*net.b[1:], *([] if net.b_out is None else [net.b_out])]
        lateral = {"Q": Q, "P": P} | ({"q": [b.clone() for b in biases]} if biases else {})
        return State(fixed={"F": F}, running=lateral)

    def potentials(self, net: TreeNet, batch: Batch, a: Sequence[Tensor]) -> Potentials:
        """h and u of cells whose apical potentials are a, from the input up."""
        h, u = [batch.activity.h[0]], list[Tensor]()
        for l, a_l in enumerate(a, start=1):
            u.append(h[-1] + self.apical * a_l)
            z = torch.relu(u[-1])
            h.append(net.up(l + 1, z) if l < net.L else net.readout(z).unsqueeze(2))
        _, e = wrong(h[-1].squeeze(2), batch.labels)
        return h, [*u, h[-1] - strength(net, self.beta) * e.unsqueeze(2)]

    def predicted(self, net: TreeNet, state: State, u: Sequence[Tensor]) -> list[Tensor]:
        """v_l, what interneurons predict of the layer above, or of the output."""
        Q, found = state.layers("Q"), list[Tensor]()
        biases = state.layers("q") if net.b else [net.W_out.new_zeros(())] * net.L
        for l, (Q_l, c) in enumerate(zip(Q, biases, strict=True), start=1):
            z = torch.relu(u[l - 1])
            v = net.up(l + 1, z, Q_l) if l < net.L else apply(z, Q_l, net.gain_out)
            found.append(v.add_(c.unsqueeze(1) if net.b else c))
        return found

    def dendrites(
        self, net: TreeNet, state: State, u: Sequence[Tensor], v: Sequence[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """a_l and i_l of layers 1..L."""
        F, P = state.fixed["F"], state.layers("P")
        a, i = list[Tensor](), list[Tensor]()
        for l, v_l in enumerate(v, start=1):
            above, taught = u[l], v_l + self.teaching * (u[l] - v_l)
            if l < net.L:  # a gate of its own, since this is the way down
                above, taught = (net.gate(each, torch.relu(each)) for each in (above, taught))
                a.append(net.down(l + 1, above, F[l]) - net.down(l + 1, taught, P[l - 1]))
            else:
                down = net.down_from_output
                a.append(down(above.squeeze(2), F[l]) - down(taught.squeeze(2), P[l - 1]))
            i.append(taught)
        return a, i

    def settle(self, net: TreeNet, state: State, batch: Batch) -> Settled:
        """The steady state of a. It is not the lowest state of an energy: every step is made."""
        level = net.W_out.new_zeros(batch.labels.shape)

        def sweep(a: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
            _, u = self.potentials(net, batch, a)
            now, _ = self.dendrites(net, state, u, self.predicted(net, state, u))
            return level, [new.sub_(old) for new, old in zip(now, a, strict=True)]

        start = [torch.zeros_like(z) for z in batch.activity.z]
        return net.settle(sweep, start, 1.0, self.steps, self.tolerance)

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        self.learn_at_rest(net, state, batch)
        a = self.settle(net, state, batch).state
        h, u = self.potentials(net, batch, a)
        mean = -1 / (strength(net, self.beta) * batch.labels.shape[1])
        shrunk = [(self.apical * (1 - self.teaching)) ** (net.L - l) for l in range(net.L)]
        T = [
            net.gate(self.apical * mean / by * a_l, torch.relu(h_l))
            for h_l, a_l, by in zip(h, a, shrunk, strict=False)
        ]
        pre = read(net, batch.activity.x[0], [torch.relu(each) for each in u[:-1]])
        return Teaching(T, gated=False, pre=pre)

    def learn_at_rest(self, net: TreeNet, state: State, batch: Batch) -> None:
        """Move Q and then P to where interneurons predict and cancel these inputs' activity."""
        u = [*batch.activity.h, batch.activity.logits.unsqueeze(2)]
        z, gains = batch.activity.z, [*net.gains[1:], net.gain_out]
        for l, v in enumerate(self.predicted(net, state, u)):
            below = net.patches(l + 2, z[l]) if l + 1 < net.L else z[l]
            x = torch.nn.functional.pad(gains[l] * below, (0, len(net.b[:1])), value=1.0)
            Q, I = state.layers("Q")[l], below.shape[3]
            change = fit(x, u[l + 1] - v, Q)
            Q += change[..., :I, :]
            if net.b:
                state.layers("q")[l].add_(change[..., I:, :].view_as(state.layers("q")[l]))
        a, i = self.dendrites(net, state, u, self.predicted(net, state, u))
        for l, (a_l, i_l, P) in enumerate(zip(a, i, state.layers("P"), strict=True)):
            if P.ndim == 4 and net.connectivity == "full":  # a cell reads all of them
                found = fit(gains[l] * whole(i_l), whole(a_l), together(P)).mT
                P += apart(found, i_l.shape[2])
            else:
                P += fit(gains[l] * i_l, a_l.reshape(*i_l.shape[:3], -1), P).mT


def fit(x: Tensor, y: Tensor, like: Tensor) -> Tensor:
    """The least weights with which x makes y, (R, I, O), or (R, N, I, O) where `like` is not shared
    by places: where the delta rule ends that begins at 0."""
    x, y = (
        t.double().flatten(1, 2) if like.ndim == 3 else t.double().transpose(1, 2) for t in (x, y)
    )
    S = x.mT @ x
    ridge = RIDGE * S.diagonal(dim1=-2, dim2=-1).mean(-1) + torch.finfo(like.dtype).tiny
    S.diagonal(dim1=-2, dim2=-1).add_(ridge.unsqueeze(-1))
    return torch.linalg.solve(S, x.mT @ y).to(like.dtype)
