"""Signal and noise of the updates of many rules, in one network, while backprop trains it.

Every rule is asked for its update of the same network on the same fresh strings. So what differs
between the rows is the teaching signal alone, not what it has taught before.

Feedback weights that learn, and running averages, learn beside: each such rule gets the minibatches
and the network of every step, and changes its own tensors alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np
import torch
from torch import Tensor

from synaptree.errors import SynaptreeError, checked_integer, shown
from synaptree.measures.directions import NAMES, RuleMeans
from synaptree.measures.signal import Estimate, Signal, UpdateSums
from synaptree.network.tree import Activity, TreeNet
from synaptree.rules import Rule, State
from synaptree.rules import get as rule_of
from synaptree.training.company import Company, Fresh, FreshStrings, Member
from synaptree.training.memory import check_memory, needed_bytes
from synaptree.training.observation import observe
from synaptree.training.precision import arithmetic, check_device
from synaptree.training.spec import RunSpec
from synaptree.training.streams import generator

BLOCKS = 16  # of fresh strings, independent of each other
FOR_DIRECTIONS = 2**14  # strings that the mean patches of production rules are taken from
NOTHING = (nan,) * 13  # the numbers of a row where nothing is taught


def ladder() -> list[Rule]:
    """From backprop down: with its masks and with others, and with other feedback weights."""
    masks = ("none", "other_input", "fresh", "frozen", "mean_jacobian")
    direct = ("least_squares_feedback", "forward_dfa", "direct_kolen_pollack", "dfa")
    return [
        rule_of("backprop"),
        *(rule_of("masking", masks=name) for name in masks),
        *(rule_of(name) for name in (*direct, "feedback_alignment")),
    ]


@dataclass(frozen=True)
class SignalRow:
    """Signal and noise of one rule's update of one layer, in one network after some steps.

    signal: ‖E g‖².  noise: E‖g − E g‖².  ratio: signal/noise; as many inputs as 1/ratio make a
    minibatch in which they are equal.  cosine: of E g with backprop's.  features, synonyms: the
    share of ‖E g‖² in the directions that tell features of the layer's level apart, and in those
    that tell apart their synonyms only (`measures.directions`); features_of_noise,
    synonyms_of_noise: the same of the noise.  …_se: standard errors.  All NaN for a layer that the
    rule does not teach, and where its signal is zero.
    """

    rule: str
    step: int
    seed: int
    layer: int
    signal: float
    signal_se: float
    noise: float
    ratio: float
    ratio_se: float
    cosine: float
    cosine_se: float
    features: float
    features_se: float
    synonyms: float
    synonyms_se: float
    features_of_noise: float
    synonyms_of_noise: float


def signal_to_noise(
    spec: RunSpec,
    rules: Sequence[Rule] | None = None,
    *,
    replicas: int = 1,
    steps: Sequence[int] = (0,),
    strings: int = 2**17,
    device: str = "cpu",
) -> list[SignalRow]:
    """Signal and noise of each rule's update in the network that a run trains.

    spec: the run; its rule trains the network.  rules: whose updates are measured; by default
    `ladder`.  replicas: networks, each on a grammar of its own, with all seeds counted up.  steps:
    after how many steps.  strings: fresh ones each time, drawn with replacement; rounded up to a
    multiple of `BLOCKS`.  Rules with views have no update of a single string, and are refused.
    What is kept does not grow with the strings: `BLOCKS` sums of each rule's updates.
    """
    rules = ladder() if rules is None else list(rules)
    strings = checked_integer("signal strings", strings, 2 * BLOCKS)
    at = sorted({checked_integer("signal steps", step, 0) for step in steps})
    check_device(device)
    for rule in (spec.rule, *rules):
        _check(rule)
    if spec.connectivity == "full":
        raise SynaptreeError(
            "signal: connectivity=full given, whose positions read no patches, so that no "
            "directions tell features apart from synonyms; expected shared or local"
        )
    check_memory(spec, replicas, device, portrait=False, beside=_kept_bytes(spec, rules, replicas))
    rows: list[SignalRow] = []
    with arithmetic(spec.precision):
        company = Company(spec.replicate(replicas), rules, device)
        fresh = FreshStrings(company.specs, device)
        for step in at:
            company.train_to(step)
            directions = directions_of(company.net, company.specs, fresh.batches(FOR_DIRECTIONS))
            batches = fresh.blocks(BLOCKS, -(-strings // BLOCKS))
            measured = measure(company.specs, company.net, company.members(), batches, directions)
            for label, layers in measured.items():
                for layer, signal in enumerate(layers, start=1):
                    rows += [
                        _row(label, step, each.grammar_seed, layer, signal, r)
                        for r, each in enumerate(company.specs)
                    ]
    return rows


def _kept_bytes(spec: RunSpec, rules: Sequence[Rule], replicas: int) -> int:
    """What is kept of all rules: a run of their own where they learn, and sums over blocks."""
    number = 8 if spec.precision == "float64" else 4
    places = spec.L if spec.connectivity == "shared" else sum(spec.s**l for l in range(spec.L))
    sums = number * BLOCKS * places * spec.s * max(spec.v, spec.width) * spec.width
    return replicas * ((len(rules) + 1) * sums + len(rules) * needed_bytes(spec, portrait=False))


def _check(rule: Rule) -> None:
    if rule.needs_views:
        raise _refused(rule, "it compares two views")
    if rule.network is not TreeNet:
        raise _refused(rule, "it has a network of its own")


def _refused(rule: Rule, why: str) -> SynaptreeError:
    return SynaptreeError(
        f"signal: {shown(rule.name)} given, but {why}; expected rules that the output teaches, as "
        "dfa"
    )


def directions_of(
    net: TreeNet, specs: Sequence[RunSpec], batches: Iterable[Fresh]
) -> list[Mapping[str, Tensor]]:
    """Of each layer's patches, see `measures.directions`."""
    means = RuleMeans(net, [spec.grammar for spec in specs])
    for samples in batches:
        means.add(_read(net, samples)[0], samples)
    return [means.directions(layer, net.dtype) for layer in range(1, net.L + 1)]


def measure(
    specs: Sequence[RunSpec],
    net: TreeNet,
    members: Mapping[str, Member],
    batches: Iterable[tuple[int, Fresh]],
    directions: Sequence[Mapping[str, Tensor]],
) -> dict[str, list[Signal | None]]:
    """Signal and noise of each rule's update of layers 1..L; None for one that it does not teach.

    batches: strings of each replica with the number of their block, from 0 to `BLOCKS` - 1.
    """
    reference = rule_of("backprop")
    everyone = {reference.label: (reference, State()), **members}
    sums: dict[str, list[UpdateSums | None]] = {
        label: [UpdateSums(net, l, BLOCKS, of) for l, of in enumerate(directions, start=1)]
        for label in everyone
    }
    layers = [UpdateSums(net, l, 0, of) for l, of in enumerate(directions, start=1)]
    streams = [generator("signal", spec.network_seed) for spec in specs]
    for block, samples in batches:
        activity, y = _read(net, samples)
        batch = observe(specs[0], (), activity, y, 0).batch
        products = [of.products(x) for of, x in zip(layers, activity.x, strict=True)]
        for label, (rule, state) in everyone.items():
            running = {k: [_clone(t) for t in of_k] for k, of_k in state.running.items()}
            teaching = rule.teach(net, replace(state, running=running), batch, streams)
            if teaching.shrink is not None:
                raise _refused(rule, "its update is more than a teaching signal times activity")
            for l, T in enumerate(teaching.signals):
                of_layer = sums[label][l]
                if T is None or of_layer is None:
                    sums[label][l] = None
                    continue
                delta = net.gate(T, activity.z[l]) if teaching.gated else T
                x, of_x = activity.x[l], products[l]
                if teaching.pre is not None:
                    x = teaching.pre[l]
                    of_x = of_layer.products(x)
                of_layer.add(block, x, of_x, delta * y.shape[1])
    return {
        label: [
            None if own is None or exact is None else Signal.of(own, exact)
            for own, exact in zip(sums[label], sums[reference.label], strict=True)
        ]
        for label in members
    }


def _read(net: TreeNet, samples: Fresh) -> tuple[Activity, Tensor]:
    """The forward pass on strings, place by place, and their classes."""
    x = torch.from_numpy(np.stack([each.x for each in samples]).astype(np.int64))
    y = torch.from_numpy(np.stack([each.y for each in samples]).astype(np.int64))
    return net.read(x.to(net.device)).place_by_place(), y.to(net.device)


def _clone(t: Tensor | None) -> Tensor | None:
    return None if t is None else t.clone()


def _row(rule: str, step: int, seed: int, layer: int, signal: Signal | None, r: int) -> SignalRow:
    if signal is None:
        return SignalRow(rule, step, seed, layer, *NOTHING)

    def both(estimate: Estimate) -> tuple[float, float]:
        return float(estimate.value[r]), float(estimate.error[r])

    of_signal = [both(signal.share_of_signal[name]) for name in NAMES]
    of_noise = [float(signal.share_of_noise[name].value[r]) for name in NAMES]
    (size, size_se), (ratio, ratio_se), (cosine, cosine_se) = (
        both(each) for each in (signal.signal, signal.ratio, signal.cosine)
    )
    return SignalRow(
        *(rule, step, seed, layer, size, size_se, float(signal.noise.value[r])),
        *(ratio, ratio_se, cosine, cosine_se, *of_signal[0], *of_signal[1], *of_noise),
    )
