"""The quantities that the audit asks for, each as one change of a record that moves nothing else.

A record is edited, not recomputed: where the weights above are changed the activity and the error
stay as they were, and where the masks above are opened the closed units speak so softly (1e-30)
that no sum notices.  So what changes in a layer's update changes through this quantity alone.  For
rules that run the network again by themselves this is not so, and the audit says that.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from synaptree.audit.record import Record
from synaptree.network.tree import Activity

Change = Callable[[Record, int, torch.Generator], Record | None]
Focus = tuple[slice, slice, slice]  # inputs, positions, units

WHISPER = 1e-30
ALL = slice(None)


@dataclass(frozen=True)
class Quantity:
    """One thing that a synapse of layer l might know.

    mark: two or three letters for the head of a narrow column.  change: the record with only this
    changed, as layer l may see it; None where there is no such thing.  focus: the part of the
    layer's update that is compared.  rerun: whether a second forward pass of the rule's own goes
    through it too, so that an effect cannot be isolated.
    """

    key: str
    mark: str
    title: str
    change: Change
    focus: Callable[[Record], Focus] = lambda _: (ALL, ALL, ALL)
    rerun: bool = False


def scrambled(t: Tensor, g: torch.Generator) -> Tensor:
    """The same numbers in another order, and each of another size (but of no other sign)."""
    flat = t.flatten(1)
    order = torch.randperm(flat.shape[1], generator=g)
    size = 0.5 + torch.rand(flat.shape, generator=g, dtype=t.dtype)
    return (flat[:, order] * size).view_as(t)


def rescaled(t: Tensor, g: torch.Generator) -> Tensor:
    """Each number of another size, by up to some ten times; zeros stay."""
    return t * (2 * torch.randn(t.shape, generator=g, dtype=t.dtype)).exp()


def _weights(which: Callable[[int, int], bool], output: bool) -> Change:
    def change(record: Record, layer: int, g: torch.Generator) -> Record | None:
        net = copy.deepcopy(record.net)
        layers = [k for k in range(1, record.L + 1) if which(k, layer)]
        for k in layers:
            net.W[k - 1] = scrambled(net.W[k - 1], g)
        if output:
            net.W_out = scrambled(net.W_out, g)
        return replace(record, net=net) if layers or output else None

    return change


def _activity_above(record: Record, layer: int, g: torch.Generator) -> Record | None:
    if layer == record.L:
        return None
    a, contexts = record.batch.activity, list(record.batch.contexts)
    x, h, z = list(a.x), list(a.h), list(a.z)
    for k in range(layer, record.L):  # index of layer k + 1
        h[k], z[k] = rescaled(h[k], g), rescaled(z[k], g)
        c = contexts[k]
        contexts[k] = None if c is None else rescaled(c, g)
        if k > layer:
            x[k] = rescaled(x[k], g)
    return record.batch_with(activity=replace(a, x=x, h=h, z=z), contexts=contexts)


def _masks_above(record: Record, layer: int, g: torch.Generator) -> Record | None:
    if layer == record.L:
        return None
    a = record.batch.activity
    h, z = list(a.h), list(a.z)
    for k in range(layer, record.L):
        opened = (z[k] == 0) & (torch.rand(z[k].shape, generator=g) < 0.5)
        h[k], z[k] = (t.masked_fill(opened, WHISPER) for t in (h[k], z[k]))
    return record.batch_with(activity=replace(a, h=h, z=z))


def is_feedback(name: str) -> bool:
    """Whether a rule's tensor is feedback weights: those are called B or F, after the papers."""
    return name[0] in "BF"


def serves(name: str, layer: int, L: int) -> bool:
    """Whether a tensor of a rule belongs to a layer: its number says so, F's that of the layer
    above, whose W it stands for. One without a number belongs to all."""
    digits = "".join(c for c in name if c.isdigit())
    if not digits and name != "F_out":
        return True
    number = int(digits) if digits else L + 1
    return number - (name[0] == "F") == layer


def _state(which: Callable[[str, int, int], bool], kinds: tuple[str, ...]) -> Change:
    def change(record: Record, layer: int, g: torch.Generator) -> Record | None:
        state = record.own_state()
        found = False
        for kind in kinds:
            tensors = getattr(state, kind)
            for name in sorted(tensors):
                if which(name, layer, record.L) and tensors[name].dtype != torch.bool:
                    moved = scrambled(tensors[name], g)
                    tensors[name] = moved + 0.1 * torch.randn(moved.shape, generator=g).to(moved)
                    found = True
        return replace(record, state=state) if found else None

    return change


def _label(record: Record, layer: int, g: torch.Generator) -> Record:  # noqa: ARG001
    return record.batch_with(labels=(record.batch.labels + 1) % record.net.n)


def _error(record: Record, layer: int, g: torch.Generator) -> Record:  # noqa: ARG001
    e = record.batch.error
    return record.batch_with(error=torch.randn(e.shape, generator=g, dtype=e.dtype) * e.std())


def _second_view(record: Record, layer: int, g: torch.Generator) -> Record | None:  # noqa: ARG001
    batch = record.batch
    if batch.contexts[0] is None:
        return None
    M, look = batch.members, batch.second_view

    def another(layer: int, t: Tensor) -> Tensor:
        return look(layer, t).roll(M, 1)

    contexts = [None if c is None else c.roll(M, 1) for c in batch.contexts]
    if batch.labels.shape[1] == M:  # one object alone: the second view of the batch after it
        contexts = record.stranger.contexts
    return record.batch_with(contexts=contexts, second_view=another)


def with_strangers(record: Record, objects: Sequence[int]) -> Record:
    """These objects of the batch replaced: their activity, contexts, labels and errors."""
    batch, other = record.batch, record.stranger
    M = batch.members
    inputs = torch.tensor([M * o + k for o in objects for k in range(M)])

    def put(mine: Tensor, theirs: Tensor) -> Tensor:
        return mine.index_copy(1, inputs, theirs[:, inputs])

    def each(mine: Sequence[Tensor], theirs: Sequence[Tensor]) -> list[Tensor]:
        return [put(a, b) for a, b in zip(mine, theirs, strict=True)]

    a, b = batch.activity, other.activity
    contexts = [
        None if c is None or d is None else put(c, d)
        for c, d in zip(batch.contexts, other.contexts, strict=True)
    ]
    return record.batch_with(
        activity=replace(
            a, x=each_patch(record, a.x, b.x, inputs), h=each(a.h, b.h), z=each(a.z, b.z),
            logits=put(a.logits, b.logits),
        ),
        labels=put(batch.labels, other.labels),
        error=put(batch.error, other.error),
        contexts=contexts,
    )  # fmt: skip


def each_patch(
    record: Record, mine: Sequence[Tensor], theirs: Sequence[Tensor], inputs: Tensor
) -> list[Tensor]:
    """Patches of the inputs replaced, where a network may keep several rows for one input."""
    B = record.batch.labels.shape[1]
    found: list[Tensor] = []
    for x, y in zip(mine, theirs, strict=True):
        rows = x.shape[1] // B
        at = (inputs.unsqueeze(1) * rows + torch.arange(rows)).flatten()
        found.append(x.index_copy(1, at, y[:, at]))
    return found


def others(record: Record) -> range:
    """The objects of the batch beside the first."""
    return range(1, record.batch.labels.shape[1] // record.batch.members)


def _other_inputs(record: Record, layer: int, g: torch.Generator) -> Record | None:  # noqa: ARG001
    return with_strangers(record, others(record)) if others(record) else None


def _elsewhere(axis: int) -> Change:
    """Activity of the layer at other positions (axis 2) or of other units (axis 3)."""

    def change(record: Record, layer: int, g: torch.Generator) -> Record | None:
        a = record.batch.activity
        h, z = list(a.h), list(a.z)
        size = z[layer - 1].shape[axis]
        if size == 1:
            return None
        kept = 1 if axis == 2 else size // 2
        for t in (h, z):
            mine, other = t[layer - 1].split([kept, size - kept], axis)
            t[layer - 1] = torch.cat([mine, rescaled(other, g)], axis)
        return record.batch_with(activity=replace(a, h=h, z=z))

    return change


def _second_phase(record: Record, layer: int, g: torch.Generator) -> Record | None:  # noqa: ARG001
    """What the rule's own forward passes say, changed."""
    if not record.forwards:
        return None
    net = copy.deepcopy(record.net)
    forward = net.forward

    def other(patches: Tensor, noise: Sequence[Tensor] | None = None) -> Activity:
        a = forward(patches, noise)
        return replace(a, z=[rescaled(z, g) for z in a.z], logits=rescaled(a.logits, g))

    net.forward = other
    return replace(record, net=net)


QUANTITIES = (
    Quantity("weights_above", "W↑", "weights of layers above", _weights(lambda k, l: k > l, True),
             rerun=True),
    Quantity("weights_below", "W↓", "weights of layers below", _weights(lambda k, l: k < l, False),
             rerun=True),
    Quantity("activity_above", "z↑", "activity of layers above", _activity_above, rerun=True),
    Quantity("masks_above", "φ'↑", "masks of layers above", _masks_above, rerun=True),
    Quantity("feedback", "B", "its own feedback weights",
             _state(lambda name, l, L: is_feedback(name) and serves(name, l, L),
                    ("learned", "feedback", "running", "fixed"))),
    Quantity("feedback_above", "B↑", "feedback weights of other layers",
             _state(lambda name, l, L: is_feedback(name) and not serves(name, l, L),
                    ("learned", "feedback", "running", "fixed"))),
    Quantity("label", "y", "the label", _label),
    Quantity("error", "e", "the output's error", _error),
    Quantity("other_inputs", "x̃", "other inputs of the batch", _other_inputs,
             lambda record: (slice(record.batch.members), ALL, ALL)),
    Quantity("memory", "mem", "what it remembers of earlier inputs",
             _state(lambda name, _l, _L: not is_feedback(name), ("running",))),
    Quantity("own", "own", "the layer's own parameters",
             _state(lambda name, l, L: not is_feedback(name) and serves(name, l, L),
                    ("learned",))),
    Quantity("own_of_others", "o↑", "such parameters of other layers",
             _state(lambda name, l, L: not is_feedback(name) and not serves(name, l, L),
                    ("learned",))),
    Quantity("positions", "pos", "other positions of the layer", _elsewhere(2),
             lambda _: (ALL, slice(1), ALL)),
    Quantity("units", "un", "other units of the layer", _elsewhere(3),
             lambda record: (ALL, ALL, slice(record.batch.activity.z[0].shape[3] // 2))),
    Quantity("second_view", "z'", "the second view", _second_view),
    Quantity("second_phase", "2nd", "a second forward pass", _second_phase),
)  # fmt: skip
