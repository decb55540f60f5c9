"""One step of a rule on a small network, with everything that can be seen of it."""

import copy
import pickle
import random
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from synaptree.network.tree import TreeNet
from synaptree.rules import Batch, Rule, State, Teaching
from synaptree.rules.checks import KINDS, raised
from synaptree.training.data import Data
from synaptree.training.minibatches import Feed
from synaptree.training.observation import observe
from synaptree.training.precision import arithmetic, dtype_of
from synaptree.training.spec import RunSpec
from synaptree.training.streams import generator

REPLICAS = 5  # no other size of the small network, so that no axis passes for another
STEPS = 20  # of the small run


class Watched(list[Any]):
    """A list that knows whether it was read."""

    def __init__(self, *entries: Any) -> None:
        super().__init__(*entries)
        self.indexed = self.iterated = False

    def __getitem__(self, index: Any) -> Any:
        self.indexed = True
        return super().__getitem__(index)

    def __iter__(self) -> Iterator[Any]:
        self.iterated = True
        return super().__iter__()


class OneDevice(TorchDispatchMode):
    """Notes the operations on tensors of two devices, which a GPU refuses and ``meta`` accepts."""

    # Which a GPU accepts too: copies from one device to another, and indices from the CPU.
    ALLOWED = ("aten.copy_", "aten._to_copy", "aten.index.", "aten.index_put", "aten._index_put")

    def __init__(self, trial: "Trial") -> None:
        super().__init__()
        self.trial = trial

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        devices = {t.device.type for t in tensors if t.ndim}
        if len(devices) > 1 and not str(func).startswith(self.ALLOWED):
            operation = str(func).split(".")[1].strip("_")
            self.trial.mixed.append(f"{self.trial.where}: {operation}")
        return func(*args, **(kwargs or {}))


@dataclass
class Trial:
    """What happened when a rule made one step.

    state: as `init` returned it, before `teach` moved anything; taught: what `teach` returned.
    raised: what stopped it, in words, empty where nothing did.  drew: which generators of the
    process were used, in ``init`` or ``teach``.  changed: what `teach` changed that it may not.
    views: the views, and contexts: the contexts of a rule without views.  where: ``init`` or
    ``teach``, whichever ran last.  mixed: operations on tensors of two devices.
    """

    net: TreeNet
    batch: Batch
    views: Watched
    contexts: Watched
    state: Any = None
    taught: Any = None
    raised: str = ""
    error: BaseException | None = None
    drew: list[str] = field(default_factory=list[str])
    changed: list[str] = field(default_factory=list[str])
    where: str = "init"
    mixed: list[str] = field(default_factory=list[str])


def attempt(spec: RunSpec, seeds: Sequence[int], device: str = "cpu", elsewhere: int = 0) -> Trial:
    """One step of the rule with replicas of these seeds, as in training.

    elsewhere: the seed of all generators of the process, which a run must not depend on.
    """
    rule = spec.rule
    specs = [spec.replicate(max(seeds) + 1)[seed] for seed in seeds]
    with arithmetic(spec.precision), generators_kept(elsewhere):
        strings, classes = Feed(*_first(specs), specs).next()
        net = rule.network(
            *(spec.v, spec.n, spec.s, spec.L, spec.width),
            generators=[generator("network", each.network_seed) for each in specs],
            dtype=dtype_of(spec.precision),
            device=device,
        )
        views, none = Watched(spec.layer_views), Watched([None] * spec.L)
        activity = net.read(strings.to(device))
        batch = observe(spec, views, activity, classes.to(device), 0).batch
        if not spec.views:
            batch = replace(batch, contexts=none)
        views.indexed = none.iterated = none.indexed = False
        trial = Trial(net, batch, views, none)
        streams = [generator("rule", each.network_seed) for each in specs]
        with OneDevice(trial) if device == "meta" else nullcontext():
            _run(rule, trial, streams)
        return trial


def _first(specs: Sequence[RunSpec]) -> tuple[Tensor, Tensor]:
    data = Data.draw(specs, torch.device("cpu"))
    return data.x, data.y


def _run(rule: Rule, trial: Trial, streams: list[torch.Generator]) -> None:
    """`init` and `teach`, as far as they come."""
    try:
        with drawn(trial.drew, "init"):
            state = rule.init(trial.net, streams)
    except Exception as fault:
        trial.raised, trial.error = raised(rule, "init", fault), fault
        return
    trial.state = state
    if not isinstance(state, State):  # pyright: ignore[reportUnnecessaryIsInstance]
        return
    trial.state = copy.deepcopy(state)
    before = {name: t.clone() for name, t in _looked_at(trial, state)}
    trial.where = "teach"
    try:
        with drawn(trial.drew, "teach"):
            trial.taught = rule.teach(trial.net, state, trial.batch, streams)
    except Exception as fault:
        trial.raised, trial.error = raised(rule, "teach", fault), fault
        return
    if trial.net.device.type == "cpu":
        trial.changed = [name for name, t in _looked_at(trial, state) if not same(t, before[name])]


def _looked_at(trial: Trial, state: State) -> Iterator[tuple[str, Tensor]]:
    """What `teach` may look at, and must leave as it is."""
    for index, W in enumerate(trial.net.parameters()):
        yield f"net.parameters()[{index}]", W
    activity = trial.batch.activity
    for name in ("x", "h", "z"):
        for index, t in enumerate(getattr(activity, name)):
            yield f"batch.activity.{name}[{index}]", t
    yield "batch.error", trial.batch.error
    for kind in ("learned", "feedback", "fixed"):
        yield from tensors_of(state, kind)
    yield from tensors_of(state, "whole")


def same(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors are equal, bit for bit, NaN included."""
    return a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all())


def tensors_of(state: State, kind: str) -> Iterator[tuple[str, Tensor]]:
    """The tensors of one kind of a state, each with what it is called in a message."""
    for name, layers in getattr(state, kind).items():
        if kind == "whole":
            layers = [layers]
        for index, t in enumerate(layers if isinstance(layers, list | tuple) else []):
            if isinstance(t, Tensor):
                yield f"{kind}[{name!r}]" + ("" if kind == "whole" else f"[{index}]"), t


def seen(trial: Trial) -> Iterator[tuple[str, Tensor]]:
    """Everything that a rule has made in a trial, each with what it is called in a message."""
    if isinstance(trial.state, State):
        for kind in (*KINDS, "whole"):
            for name, t in tensors_of(trial.state, kind):
                yield f"init: {name}", t
    if isinstance(trial.taught, Teaching):
        for l, T in enumerate(trial.taught.signals, start=1):
            if isinstance(T, Tensor):
                yield f"signals: layer {l}", T.detach()
        for name, layers in trial.taught.own.items():
            for index, g in enumerate(layers):
                if isinstance(g, Tensor):
                    yield f"own[{name!r}][{index}]", g.detach()


# The generators of the process --------------------------------------------------------------------

GENERATORS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any], Callable[[int], Any]]] = {
    "torch's global generator": (
        torch.get_rng_state,
        torch.set_rng_state,
        torch.default_generator.manual_seed,
    ),
    "numpy's global generator": (np.random.get_state, np.random.set_state, np.random.seed),
    "the global generator of random": (random.getstate, random.setstate, random.seed),
}


@contextmanager
def generators_kept(seed: int) -> Generator[None]:
    """While this is entered, all generators of the process begin at a seed; then they return."""
    before = [get() for get, _, _ in GENERATORS.values()]
    for _, _, begin in GENERATORS.values():
        begin(seed)
    try:
        yield
    finally:
        for (_, put, _), state in zip(GENERATORS.values(), before, strict=True):
            put(state)


@contextmanager
def drawn(drew: list[str], where: str) -> Generator[None]:
    """Adds the generators of the process that were used while this was entered."""
    before = {name: _bits(get()) for name, (get, _, _) in GENERATORS.items()}
    try:
        yield
    finally:
        for name, (get, _, _) in GENERATORS.items():
            if _bits(get()) != before[name]:
                drew.append(f"{where} draws from {name}")


def _bits(state: Any) -> bytes:
    return state.numpy().tobytes() if isinstance(state, Tensor) else pickle.dumps(state)
