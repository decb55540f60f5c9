"""One faulty rule for each thing that a rule can get wrong, with what is said of it."""

import random
from typing import Literal

import numpy as np
import torch
from sound_rules import Direct, Layerwise

from synaptree import rules
from synaptree.network.tree import draw_normal
from synaptree.rules import DFA, Rule, State, Teaching

COUNT = [0]


def planted(base, **changed):
    """A subclass with some methods, or its facts, replaced."""
    return type("Planted", (base,), {"__module__": __name__, **changed})


def of_state(make):
    def init(self, net, generators):
        return make(net, generators)

    return planted(Direct, init=init)


def of_signals(change):
    """Direct feedback whose signals are changed."""

    def teach(self, net, state, batch, generators):
        signals = self.signals(net, state.fixed["B"], batch)
        return Teaching(change(signals, net, batch, generators))

    return planted(Direct, teach=teach)


def of_own(change):
    """The layerwise rule whose own gradients are changed."""

    def teach(self, net, state, batch, generators):
        taught = Layerwise.teach(self, net, state, batch, generators)
        return Teaching(taught.signals, own=change(taught.own, net))

    return planted(Layerwise, teach=teach)


def noisy(draw):
    def change(signals, net, batch, generators):
        return [T + draw(T, generators) for T in signals]

    return of_signals(change)


def counts(signals, net, batch, generators):
    COUNT[0] += 1
    return [T * COUNT[0] for T in signals]


def moves(self, net, state, batch, generators):
    state.fixed["B"][0].mul_(0.9)
    return Direct.teach(self, net, state, batch, generators)


def moves_weights(self, net, state, batch, generators):
    net.W[0] += 1
    return Direct.teach(self, net, state, batch, generators)


def starts(self, net, generators):
    fixed = Direct.init(self, net, generators).fixed
    return State(fixed=fixed, running={"k": [net.W_out.new_zeros(net.replicas)] * net.L})


def explodes(self, net, state, batch, generators):
    taught = Direct.teach(self, net, state, batch, generators)
    state.running["k"][0] += 1
    return Teaching([T / (state.running["k"][0] < 4).view(-1, 1, 1, 1) for T in taught.signals])


def remembers(self, net, state, batch, generators):
    k = state.running["k"][0]
    taught = Teaching([T / (1 + k.max()) for T in self.signals(net, state.fixed["B"], batch)])
    k += batch.error.abs().sum((1, 2))
    return taught


def scales(size):
    return of_signals(lambda signals, *_: [T * size for T in signals])


def drawn(net, g, *shape):
    return torch.randn(shape, generator=g[0], dtype=net.dtype)


def fixed(make):
    return of_state(lambda net, g: State(fixed={"B": [make(net, g) for _ in range(net.L)]}))


def declared(**facts):
    texts = {"title": "t", "citation": "c, 2026", "equation": "T = 0", "differences": "none"}
    said = rules.Facts(family="direct feedback", **texts, **facts)
    return planted(Direct, facts=said)


class Nameless(Rule):
    facts = DFA.facts

    def teach(self, net, state, batch, generators): ...


class Factless(Rule):
    name: Literal["factless"] = "factless"

    def teach(self, net, state, batch, generators): ...


class Wordy(Factless):
    facts = "those of dfa"


class Teachless(Rule):
    name: Literal["teachless"] = "teachless"
    facts = DFA.facts


PLANTED = {
    # What a class must have.
    "no name": (Nameless, 'has no name; expected name: Literal'),
    "no facts": (Factless, "has no facts; expected facts: ClassVar"),
    "facts that are none": (Wordy, "facts: 'those of dfa' given; expected"),
    "no teach": (Teachless, "has no teach; expected def teach"),
    # What init returns.
    "init returns a dict": (of_state(lambda net, g: {"B": 1}), "expected State"),
    "init returns None": (of_state(lambda net, g: None), "init: None returned; expected State"),
    "a state without the replica axis": (
        fixed(lambda net, g: drawn(net, g, net.n, net.width)),
        r"fixed\['B'\]\[0\] has shape \(3, 8\); expected \(R, …\) with R = 5",
    ),
    "one tensor for all layers": (
        of_state(lambda net, g: State(fixed={"B": drawn(net, g, 5, 3, 8)})),
        r"fixed\['B'\] is a tensor of shape \(5, 3, 8\); expected a list",
    ),
    "a list too short": (
        of_state(lambda net, g: State(fixed={"B": [drawn(net, g, 5, 3, 8)]})),
        r"fixed\['B'\] is a list of 1; expected a list with an entry for each",
    ),
    "a state in float32": (
        fixed(lambda net, g: draw_normal(net, g, 1.0, net.n, net.width).float()),
        "has the type torch.float32; expected the network's, torch.float64",
    ),
    "a state in float64": (
        fixed(lambda net, g: draw_normal(net, g, 1.0, net.n, net.width).double()),
        "has the type torch.float64; expected the network's, torch.float32",
    ),
    "a state on the CPU": (
        fixed(lambda net, g: torch.ones(len(g), net.n, net.width, dtype=net.dtype)),
        "is on cpu when the network is on another device; write device=net.device",
    ),
    "a state with NaN": (
        fixed(lambda net, g: draw_normal(net, g, np.nan, net.n, net.width)),
        r"fixed\['B'\]\[0\] holds NaN or infinity",
    ),
    "a state from torch's global generator": (
        fixed(lambda net, g: torch.randn(len(g), net.n, net.width, dtype=net.dtype)),
        "init draws from torch's global generator; write generator=",
    ),
    "a state from one replica's generator": (
        fixed(lambda net, g: drawn(net, g, len(g), net.n, net.width)),
        r"init: fixed\['B'\]\[0\] of replica \d has other numbers when it is alone",
    ),
    "one tensor that learns for all layers": (
        planted(Layerwise, init=lambda self, net, g: State(
            learned={"W": [draw_normal(net, g, 0.1, 8, 8)] * 3})),
        r"init: 'W'\[1\] is the same tensor as 'W'\[0\]",
    ),
    "one name for two": (
        planted(Layerwise, init=lambda self, net, g: State(
            learned=Layerwise.init(self, net, g).learned,
            feedback=Layerwise.init(self, net, g).learned)),
        "init: 'W' is in learned and in feedback",
    ),
    "learned weights that are expanded": (
        planted(Layerwise, init=lambda self, net, g: State(
            learned={"W": [net.W_out.new_ones(1, 8, 8).expand(len(g), -1, -1)] * 3})),
        r"learned\['W'\]\[0\] shares its memory .* write .clone\(\)",
    ),
    # What teach returns.
    "teach returns None": (
        planted(Direct, teach=lambda *_: None), r"teach: None returned; expected return Teaching"),
    "teach raises": (
        planted(Direct, teach=lambda self, net, state, *_: state.fixed["F"]),
        r"teach: raises KeyError: 'F' \(line \d+ of faulty_rules.py\)",
    ),
    "a signal too few": (
        of_signals(lambda signals, *_: signals[1:]), "signals: 2 given; expected 3, one for each"),
    "signals in one tensor": (
        of_signals(lambda signals, *_: signals[2]), "signals: a tensor of shape .* given"),
    "a signal that is a number": (
        of_signals(lambda signals, *_: [0.0, *signals[1:]]), "signals: layer 1 is 0.0; expected"),
    "one position for all": (
        of_signals(lambda signals, *_: [T[:, :, :1] for T in signals]),
        r"layer 1 has shape \(5, 6, 1, 8\); .* = \(5, 6, 4, 8\): write .expand\(-1, -1, net.pos",
    ),
    "no axis of positions": (
        of_signals(lambda signals, *_: [T[:, :, 0] for T in signals]),
        r"layer 1 has shape \(5, 6, 8\); .*: write .unsqueeze\(2\)",
    ),
    "signals without the replica axis": (
        of_signals(lambda signals, *_: [T[0] for T in signals]), "the replica axis is missing"),
    "signals in float32": (
        of_signals(lambda signals, *_: [T.float() for T in signals]),
        "signals: layer 1 has the type torch.float32",
    ),
    "signals on the CPU": (
        of_signals(lambda signals, *_: [torch.zeros(T.shape, dtype=T.dtype) for T in signals]),
        "signals: layer 1 is on cpu when the network is on another device",
    ),
    "a constant on the CPU": (
        of_signals(lambda signals, *_: [T * torch.ones(8, dtype=T.dtype) for T in signals]),
        "another device; write device=net.device",
    ),
    "NaN": (scales(float("nan")), "signals: layer 1 holds NaN or infinity"),
    "a graph": (
        of_signals(lambda signals, *_: [T.clone().requires_grad_() for T in signals]),
        r"layer 1 carries a graph of autograd; write .detach\(\)",
    ),
    # Numbers.
    "torch's global generator": (
        noisy(lambda T, g: torch.randn_like(T)), "teach draws from torch's global generator"),
    "numpy's global generator": (
        noisy(lambda T, g: float(np.random.rand())),  # noqa: NPY002
        "teach draws from numpy's global generator"),
    "the generator of random": (
        noisy(lambda T, g: random.random()), "teach draws from the global generator of random"),
    "a generator without a seed": (
        noisy(lambda T, g: float(np.random.default_rng().random())),
        "signals: layer 1 has other numbers when the same run is repeated",
    ),
    "a memory outside of State": (of_signals(counts), "and keep nothing outside State"),
    "one generator for all replicas": (
        noisy(lambda T, g: torch.randn(T.shape, generator=g[0], dtype=T.dtype).to(T.device)),
        r"signals: layer \d of replica \d has other numbers when it is alone",
    ),
    "replicas that meet": (
        of_signals(lambda signals, *_: [T - T.mean(0, keepdim=True) for T in signals]),
        "signals: layer 1 of replica 0 has other numbers when it is alone",
    ),
    "one replica that is squeezed": (
        of_signals(lambda signals, *_: [T.squeeze(0).transpose(2, 3).transpose(2, 3)
                                        for T in signals]),
        "with one replica, teach: raises IndexError",
    ),
    "weights that explode later": (
        planted(Direct, init=starts, teach=explodes),
        "training: weights are NaN or infinite after 4 steps",
    ),
    "a memory without the replica axis": (
        planted(Direct, init=starts, teach=remembers),
        "training: after 10 steps a replica has other weights alone",
    ),
    # Weights of its own.
    "no gradients": (of_own(lambda own, net: {}), "own: no gradients for 'W'"),
    "another name": (of_own(lambda own, net: {"V": own["W"]}), "own: 'V' is nothing that is"),
    "a layer too few": (
        of_own(lambda own, net: {"W": own["W"][:2]}), r"own\['W'\]\[2\] is missing"),
    "a gradient that is transposed and summed": (
        of_own(lambda own, net: {"W": [g.sum(0) for g in own["W"]]}),
        r"own\['W'\]\[0\] has shape \(8, 8\) .* expected that of the tensor itself, \(5, 8, 8\)",
    ),
    # What it may not do.
    "weights of its own that it moves": (
        planted(Direct, teach=moves), r"teach: changes fixed\['B'\]\[0\].*State\(running=…\)"),
    "weights of the network that it moves": (
        planted(Direct, teach=moves_weights), r"teach: changes net.parameters\(\)\[0\]"),
    # Views.
    "views that are not given": (
        planted(Layerwise, facts=DFA.facts), 'given none; write family="layerwise"'),
    "views that are not needed": (
        planted(Direct, facts=Layerwise.facts), "teach reads no second one; read batch.contexts"),
    # Facts.
    "labels that are not declared": (
        declared(), "facts: labels=False is declared, but the audit finds that updates depend"),
    "weights that are not transported": (
        declared(labels=True, weight_transport=True),
        "facts: weight_transport=True is declared, but the audit finds no update that would",
    ),
}  # fmt: skip
