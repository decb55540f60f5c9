"""A program: R runs that differ in their seeds alone, updated together one step at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from synaptree import rules
from synaptree.grammar.clips import neighbours
from synaptree.measures.alignment import cosines
from synaptree.network.tables import numbers
from synaptree.network.tree import Activity, TreeNet
from synaptree.rules import Batch, State, Teaching
from synaptree.training.data import Data, Minibatches, generator
from synaptree.training.precision import dtype_of
from synaptree.training.spec import RunSpec
from synaptree.views.base import parse_view


def output_error(logits: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """``e = (softmax(o) − onehot(y)) / B`` (R, B, n), and the mean cross-entropy (R,)."""
    log_p = logits.log_softmax(-1)
    loss = -log_p.gather(-1, y.unsqueeze(-1)).squeeze(-1).mean(1)
    e = log_p.exp_()
    e.scatter_add_(-1, y.unsqueeze(-1), e.new_full((1, 1, 1), -1.0).expand(*y.shape, 1))
    return e.mul_(1 / y.shape[1]), loss


def error_rate(net: TreeNet, x: Tensor, y: Tensor, chunk: int = 2048) -> Tensor:
    """The fraction of wrong classes, (R,), on strings x (R, P, d) of classes y (R, P)."""
    wrong = torch.zeros(len(x), device=x.device)
    for a in range(0, x.shape[1], chunk):
        logits = net.activity(x[:, a : a + chunk]).logits
        wrong += (logits.argmax(-1) != y[:, a : a + chunk]).sum(1)
    return wrong / x.shape[1]


class Periods:
    """Which layer of each replica learns, where they do so one after the other (from below).

    layer: (R,), index l - 1.  switches: for each replica the steps after which it went on.
    """

    WINDOW = 200
    GAIN = 0.01

    def __init__(self, spec: RunSpec, replicas: int, device: torch.device) -> None:
        self.spec = spec
        self.layer = torch.zeros(replicas, dtype=torch.long, device=device)
        self.switches: list[list[int]] = [[] for _ in range(replicas)]
        self.sums = torch.zeros(replicas, dtype=torch.float64, device=device)
        self.before = torch.full_like(self.sums, torch.inf)
        self.count = torch.zeros_like(self.layer)

    def learns(self, layer: int) -> Tensor:
        """Whether a layer (index) learns in each replica: (R,)."""
        return self.layer == layer

    def after(self, step: int, losses: Tensor) -> None:
        """Take note of a step, whose losses are those of each layer, (R, L); go on where due."""
        top = self.spec.L - 1
        if self.spec.schedule == "sequential":
            steps = self.spec.steps - self.spec.readout_steps
            due = torch.full_like(self.layer, min(top, step * self.spec.L // steps))
            go = due > self.layer
        else:
            self.sums += losses.gather(1, self.layer.unsqueeze(1)).squeeze(1)
            self.count += 1
            full = self.count == self.WINDOW
            mean = self.sums / self.WINDOW
            # A loss may be negative, as LPL's is; the first window is compared with infinity.
            enough = self.before - self.GAIN * self.before.abs()
            go = full & (mean > enough) & (self.layer < top)
            self.before = torch.where(full, mean, self.before)
            self.before = torch.where(go, torch.inf, self.before)
            self.sums = torch.where(full, 0, self.sums)
            self.count = torch.where(full, 0, self.count)
        for r in go.nonzero().flatten().tolist():
            self.switches[r].append(step)
        self.layer = self.layer + go.to(self.layer.dtype)

    def select(self, keep: Tensor) -> None:
        """Keep only the replicas `keep` (indices), in place."""
        self.layer, self.sums, self.before, self.count = (
            each[keep] for each in (self.layer, self.sums, self.before, self.count)
        )
        self.switches = [self.switches[r] for r in keep.tolist()]


@dataclass(frozen=True)
class Seen:
    """One minibatch.  activity: of all units.  batch: what the rule is shown of it.  anchors: which
    units learn, where a view compares some with the others.  loss: the mean cross-entropy, (R,)."""

    activity: Activity
    batch: Batch
    anchors: list[Tensor | None]
    loss: Tensor


class Kept:
    """The weights of each replica at the evaluation with the lowest validation error so far.

    error: (R,).  weights: copies of the network's parameters.
    """

    def __init__(self, net: TreeNet) -> None:
        self.error = torch.full((net.replicas,), torch.inf, device=net.device)
        self.weights = [p.clone() for p in net.parameters()]

    def look(self, net: TreeNet, error: Tensor) -> None:
        """Keep the weights of the replicas whose validation error (R,) is lower than before."""
        better = error < self.error
        self.error = torch.where(better, error, self.error)
        for kept, p in zip(self.weights, net.parameters(), strict=True):
            kept.copy_(torch.where(better.view(-1, *[1] * (p.ndim - 1)), p, kept))

    def put_back(self, net: TreeNet) -> None:
        """Give the network the kept weights."""
        for kept, p in zip(self.weights, net.parameters(), strict=True):
            p.copy_(kept)

    def select(self, keep: Tensor) -> None:
        """Keep only the replicas `keep` (indices), in place."""
        self.error = self.error[keep]
        self.weights = [p[keep] for p in self.weights]


class Replicas:
    """R runs that differ in their seeds alone, in training: their data, networks and optimiser."""

    def __init__(self, specs: Sequence[RunSpec], device: torch.device | str = "cpu") -> None:
        if len({spec.group for spec in specs}) != 1:
            raise ValueError("the replicas of one program may differ in their seeds alone")
        spec = specs[0]
        self.spec = spec
        self.device = torch.device(device)
        self.alive = list(range(len(specs)))  # which specs the replicas still in training are
        self.data = Data.draw(specs, self.device)
        self.net = spec.rule.network(
            *(spec.v, spec.n, spec.s, spec.L, spec.width),
            generators=[generator("network", each.network_seed) for each in specs],
            parametrisation=spec.parametrisation,
            connectivity=spec.connectivity,
            dtype=dtype_of(spec.precision),
            device=self.device,
        )
        streams = [generator("rule", each.network_seed) for each in specs]
        self.state: State = spec.rule.init(self.net, streams)
        self.streams = streams
        clips = spec.clips
        T = spec.trained
        beside = None if clips is None else torch.from_numpy(neighbours(T, clips.frames))
        self.minibatches = [
            Minibatches(
                *(y[:T].cpu(), spec.batch, spec.members),
                generator("minibatch", each.data_seed),
                beside,
            )
            for y, each in zip(self.data.y, specs, strict=True)
        ]
        self.views = [parse_view(view) for view in spec.views]
        self.patch_numbers = self._numbered()
        self.steps = 0
        self.alignment: tuple[Tensor, Tensor] | None = None
        self.kept: Kept | None = Kept(self.net) if spec.validation else None
        self.periods: Periods | None = None
        if spec.schedule != "together":
            self.periods = Periods(spec, len(specs), self.device)
        self._pending = torch.empty(len(specs), 0, spec.batch, dtype=torch.long)  # (R, steps, B)
        self._rows = torch.empty(0, 0, dtype=torch.long)  # (steps, R·B)
        self._at = 0
        self._optimise()

    def _numbered(self) -> Tensor | None:
        """The numbers of the patches of all training strings, (R, P, N_1), where they are used."""
        v, s = self.spec.v, self.spec.s
        if not self.net.repeats(self.spec.batch):
            return None
        kinds = (torch.uint8, torch.int16, torch.int32)
        kind = next(each for each in kinds if v**s <= torch.iinfo(each).max + 1)
        return torch.stack([numbers(x, v, s).to(kind) for x in self.data.x])

    def _optimise(self) -> None:
        """Adam and SGD work element by element, so replicas train together, each as if alone."""
        spec, factor = self.spec, 1.0
        if spec.optimizer == "sgd":
            factor = self.net.learning_rate_factor
        mine = [(name, t) for name, _, t in self.state.trained()]
        feedback = [t for name, t in mine if name in self.state.feedback]
        weights = [*self.net.parameters(), *feedback]
        groups: list[dict[str, Any]] = [
            {"params": weights, "lr": spec.lr * factor, "weight_decay": spec.weight_decay / factor}
        ]
        if self.state.learned:
            own = [t for name, t in mine if name in self.state.learned]
            groups.append({"params": own, "lr": spec.lr, "weight_decay": spec.weight_decay})
        if spec.optimizer == "sgd":
            self.optimizer: torch.optim.Optimizer = torch.optim.SGD(
                groups, momentum=spec.momentum, fused=True
            )
        else:
            self.optimizer = torch.optim.Adam(groups, fused=True, decoupled_weight_decay=True)
        for group in self.optimizer.param_groups:
            group["initial_lr"] = group["lr"]

    def _indices(self) -> Tensor:
        """The inputs of the next step, (R·B,): rows of all replicas' strings."""
        if self._at == len(self._rows):
            self._pending = torch.stack([m.chunk() for m in self.minibatches]).to(self.device)
            self._lay_out()
            self._at = 0
        self._at += 1
        return self._rows[self._at - 1]

    def _lay_out(self) -> None:
        """The pending steps' inputs as rows of the strings of all replicas, one after the other."""
        R, P, _ = self.data.x.shape
        first = P * torch.arange(R, device=self.device)
        self._rows = (self._pending + first.view(-1, 1, 1)).transpose(0, 1).flatten(1)

    def _strings(self) -> tuple[Tensor, Tensor]:
        """The next minibatch: strings, as `patch_numbers` where there are any, and classes."""
        index = self._indices()
        strings = self.data.x if self.patch_numbers is None else self.patch_numbers
        x, y = (
            t.flatten(0, 1).index_select(0, index).unflatten(0, (self.net.replicas, -1))
            for t in (strings, self.data.y)
        )
        return x, y

    def observe(self) -> "Seen":
        """The next minibatch: the network's activity for it, and what the rule is shown."""
        spec, net = self.spec, self.net
        strings, y = self._strings()
        known = self.patch_numbers is not None
        activity = net.looked_up(strings) if known else net.activity(strings)
        error, loss = output_error(activity.logits, y)
        contexts: list[Tensor | None] = [None] * spec.L
        if self.views:
            contexts = [self._second_view(l, z) for l, z in enumerate(activity.z, start=1)]
        shown, anchors = self._anchored(activity)
        crossed = [view.needs_positions for view in self.views]
        batch = Batch(shown, y, error, contexts, spec.members, self._second_view, crossed)
        return Seen(activity, batch, anchors, loss)

    def step(self, align: bool = False) -> tuple[Tensor, Tensor]:
        """One update of every replica.  Returns the mean loss and error of the minibatch, (R,).

        align: also measure `alignment`, before the update is made.
        """
        spec, net, optimizer = self.spec, self.net, self.optimizer
        seen = self.observe()
        activity, y, error, loss = seen.activity, seen.batch.labels, seen.batch.error, seen.loss
        batch, anchors = seen.batch, seen.anchors
        before = spec.steps - spec.readout_steps
        # From here on the readout alone learns.
        frozen = spec.readout_steps > 0 and self.steps >= before
        if frozen:
            teaching = Teaching([None] * net.L)
        else:
            teaching = spec.rule.teach(net, self.state, batch, self.streams)
        signals = [
            T if T is None or a is None else T * a
            for T, a in zip(teaching.signals, anchors, strict=True)
        ]
        updates = replace(teaching, signals=signals).updates(net, activity, error)
        if align:
            self.alignment = self._align(replace(batch, activity=activity), updates)
        for p, g in zip(net.parameters(), updates, strict=True):
            p.grad = g
        for name, index, p in self.state.trained():
            p.grad = None if frozen else teaching.own[name][index]
        if spec.lr_schedule == "cosine":
            part = (self.steps - before) / spec.readout_steps if frozen else self.steps / before
            scale = 0.5 * (1 + np.cos(np.pi * part))
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * scale
        waiting = self._waiting()
        optimizer.step()
        net.constrain()
        for p, old, learns in waiting:
            p.copy_(torch.where(learns.view(-1, *[1] * (p.ndim - 1)), p, old))
        self.steps += 1
        if self.periods is not None and not frozen:
            each = teaching.loss
            self.periods.after(
                self.steps, loss.unsqueeze(1).expand(-1, spec.L) if each is None else each
            )
        return loss, (activity.logits.argmax(-1) != y).to(loss.dtype).mean(1)

    def _waiting(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """What may have to be as before after the next step, where layers learn after each other:
        each tensor of a layer, a copy, and in which replicas the layer learns."""
        if self.periods is None:
            return []
        layers = [list(p) for p in zip(self.net.W, self.net.b or self.net.W, strict=True)]
        for _, index, p in self.state.trained():
            layers[min(index, self.spec.L - 1)].append(p)  # F_out goes with the top layer
        return [
            (p, p.clone(), self.periods.learns(l)) for l, layer in enumerate(layers) for p in layer
        ]

    def _second_view(self, layer: int, t: Tensor) -> Tensor:
        """What the view of a layer makes of any of the layer's tensors."""
        return self.views[layer - 1].context(t, self.spec.s, self.spec.members, self.steps)

    def _anchored(self, activity: Activity) -> tuple[Activity, list[Tensor | None]]:
        """What a rule is shown where a view compares some units with the others, and which."""
        first = self.spec.L if self.spec.rule.compares_top else 1  # the lowest layer that compares
        anchors = [
            view.anchors(z, self.steps) if l >= first else None
            for l, (view, z) in enumerate(zip(self.views, activity.z, strict=False), start=1)
        ]
        if all(a is None for a in anchors):
            return activity, [None] * self.spec.L
        z = [z if a is None else z * a for z, a in zip(activity.z, anchors, strict=True)]
        return activity.replaced(z=z), anchors

    def _align(self, batch: Batch, updates: Sequence[Tensor | None]) -> tuple[Tensor, Tensor]:
        """The cosines with backprop's update of each layer, (R, L), of the rule and of a null.

        The null is direct feedback with fresh random weights: what a cosine of no meaning is here.
        """
        net, L = self.net, self.spec.L
        backprop, null = rules.get("backprop"), rules.get("dfa")
        seeds = [self.steps * 2**32 + g.initial_seed() % 2**32 for g in self.streams]
        fresh = [generator("alignment", seed) for seed in seeds]
        taught = [
            rule.teach(net, state, batch, fresh).updates(net, batch.activity, batch.error)
            for rule, state in ((backprop, State()), (null, null.init(net, fresh)))
        ]
        truth, random = (each[:L] for each in taught)
        return cosines(updates[:L], truth), cosines(random, truth)

    def select(self, keep: Sequence[int]) -> None:
        """Go on with some of the replicas only (positions among those still in training)."""
        index = torch.tensor(keep, device=self.device)
        old = [p for group in self.optimizer.param_groups for p in group["params"]]
        moments = [self.optimizer.state.get(p, {}) for p in old]
        self.alive = [self.alive[r] for r in keep]
        self.net.select(index)
        if self.periods is not None:
            self.periods.select(index)
        if self.kept is not None:
            self.kept.select(index)
        self.state = self.state.select(index)
        self.data = self.data.select(index)
        if self.patch_numbers is not None:
            self.patch_numbers = self.patch_numbers[index]
        self.minibatches = [self.minibatches[r] for r in keep]
        self.streams = [self.streams[r] for r in keep]
        self._pending = self._pending[index]
        self._lay_out()
        self._optimise()
        new = [p for group in self.optimizer.param_groups for p in group["params"]]
        for p, moment in zip(new, moments, strict=True):
            # Adam's step count has no replica axis; everything else of the state has.
            if moment:
                self.optimizer.state[p] = {k: t[index] if t.ndim else t for k, t in moment.items()}
