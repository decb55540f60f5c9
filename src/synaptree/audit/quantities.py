"""The quantities that the audit asks about, each as a change of a record that changes nothing else.

A record is edited, not recomputed. If the weights above are changed, the activity and the error
stay as they were. If masks above are opened, the units get an activity so small (1e-30) that no sum
changes. So any change in a layer's update comes through this quantity alone. This does not hold for
rules that run the network again themselves, and the audit says so.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from synaptree.audit.record import Record, is_feedback, is_lateral, owner
from synaptree.network.tree import Activity

Change = Callable[[Record, int, torch.Generator], Record | None]
Focus = tuple[slice, slice, slice]  # inputs, positions, units

TINY = 1e-30  # the activity of a unit whose mask was opened
ALL = slice(None)
EVERY_KIND = ("learned", "feedback", "running", "fixed")  # of a rule's own tensors


@dataclass(frozen=True)
class Quantity:
    """A quantity that a synapse of layer l might depend on.

    mark: two or three letters that head a narrow column.  change: returns the record with this
    quantity changed, or None where the rule has no such quantity.  focus: the part of the layer's
    update that is compared.  rerun, start: whether a second forward pass of the rule, or a state
    that the network settles into, also depends on it, so that its effect cannot be isolated.
    """

    key: str
    mark: str
    title: str
    change: Change
    focus: Callable[[Record], Focus] = lambda _: (ALL, ALL, ALL)
    rerun: bool = False
    start: bool = False


def scrambled(t: Tensor, g: torch.Generator) -> Tensor:
    """The same numbers in another order, each with another size and the same sign."""
    flat = t.flatten(1)
    order = torch.randperm(flat.shape[1], generator=g)
    size = 0.5 + torch.rand(flat.shape, generator=g, dtype=t.dtype)
    return (flat[:, order] * size).view_as(t)


def rescaled(t: Tensor, g: torch.Generator) -> Tensor:
    """Each number made larger or smaller, by up to about ten times; zeros stay zero."""
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
    return record.batch_with(activity=a.replaced(x=x, h=h, z=z), contexts=contexts)


def _masks_above(record: Record, layer: int, g: torch.Generator) -> Record | None:
    if layer == record.L:
        return None
    if record.settlings:
        return _masks_of_settling(record, layer, g)
    a = record.batch.activity
    h, z = list(a.h), list(a.z)
    for k in range(layer, record.L):
        opened = (z[k] == 0) & (torch.rand(z[k].shape, generator=g) < 0.5)
        h[k], z[k] = (t.masked_fill(opened, TINY) for t in (h[k], z[k]))
    return record.batch_with(activity=a.replaced(h=h, z=z))


def _masks_of_settling(record: Record, layer: int, g: torch.Generator) -> Record:
    """Open masks above where a state that settles uses them, at every step."""
    net = copy.deepcopy(record.net)
    gate = net.gate
    opened = {  # by the number of positions, in which the layers differ
        z.shape[2]: torch.rand(z.shape, generator=g) < 0.5 for z in record.batch.activity.z[layer:]
    }

    def other(signal: Tensor, z: Tensor) -> Tensor:
        if z.shape[2] in opened:
            z = z.masked_fill((z == 0) & opened[z.shape[2]], TINY)
        return gate(signal, z)

    net.gate = other
    return replace(record, net=net)


def state_change(wanted: Callable[[str, bool], bool], kinds: tuple[str, ...]) -> Change:
    """A change of the rule's own tensors.

    wanted: whether a tensor changes, from its name and from whether it belongs to the layer.
    kinds: fields of `State`. Tensors of no layer belong to every layer.
    """

    def change(record: Record, layer: int, g: torch.Generator) -> Record | None:
        state = record.own_state()
        changed: set[str] = set()

        def moved(name: str, index: int | None, t: Tensor | None) -> Tensor | None:
            belongs = index is None or owner(name, index) == layer
            if t is None or t.dtype == torch.bool or not wanted(name, belongs):
                return t
            changed.add(name)
            other = scrambled(t, g)
            return other + 0.1 * torch.randn(other.shape, generator=g).to(other)

        for kind in kinds:
            tensors = getattr(state, kind)
            others = {
                name: [moved(name, index, t) for index, t in enumerate(layers)]
                for name, layers in sorted(tensors.items())
            }
            state = replace(state, **{kind: {name: others[name] for name in tensors}})
        if "fixed" in kinds:
            whole = {name: moved(name, None, t) for name, t in sorted(state.whole.items())}
            state = replace(state, whole=whole)
        return replace(record, state=state) if changed else None

    return change


def _label(record: Record, layer: int, g: torch.Generator) -> Record:
    return record.batch_with(labels=(record.batch.labels + 1) % record.net.n)


def _error(record: Record, layer: int, g: torch.Generator) -> Record:
    e = record.batch.error
    return record.batch_with(error=torch.randn(e.shape, generator=g, dtype=e.dtype) * e.std())


def _second_view(record: Record, layer: int, g: torch.Generator) -> Record | None:
    batch = record.batch
    if batch.contexts[0] is None:
        return None
    M, second_view = batch.members, batch.second_view

    def another(layer: int, t: Tensor) -> Tensor:
        return second_view(layer, t).roll(M, 1)

    contexts = [None if c is None else c.roll(M, 1) for c in batch.contexts]
    if batch.labels.shape[1] == M:  # a single object: use the second view of the next batch
        contexts = record.stranger.contexts
    return record.batch_with(contexts=contexts, second_view=another)


def with_strangers(record: Record, objects: Sequence[int]) -> Record:
    """The record with these objects of the batch replaced by others: activity, contexts, labels and
    errors."""
    batch, other = record.batch, record.stranger
    M = batch.members
    inputs = torch.tensor([M * o + k for o in objects for k in range(M)])

    def put(mine: Tensor, theirs: Tensor) -> Tensor:
        return mine.index_copy(1, inputs, theirs[:, inputs])

    def put_layers(mine: Sequence[Tensor], theirs: Sequence[Tensor]) -> list[Tensor]:
        return [put(a, b) for a, b in zip(mine, theirs, strict=True)]

    a, b = batch.activity, other.activity
    contexts = [
        None if c is None or d is None else put(c, d)
        for c, d in zip(batch.contexts, other.contexts, strict=True)
    ]
    return record.batch_with(
        activity=a.replaced(
            x=put_patches(record, a.x, b.x, inputs),
            h=put_layers(a.h, b.h),
            z=put_layers(a.z, b.z),
            logits=put(a.logits, b.logits),
        ),
        labels=put(batch.labels, other.labels),
        error=put(batch.error, other.error),
        contexts=contexts,
    )


def put_patches(
    record: Record, mine: Sequence[Tensor], theirs: Sequence[Tensor], inputs: Tensor
) -> list[Tensor]:
    """Replace the patches of inputs, for which a network may keep several rows an input."""
    B = record.batch.labels.shape[1]
    replaced: list[Tensor] = []
    for x, y in zip(mine, theirs, strict=True):
        rows = x.shape[1] // B
        at = (inputs.unsqueeze(1) * rows + torch.arange(rows)).flatten()
        replaced.append(x.index_copy(1, at, y[:, at]))
    return replaced


def others(record: Record) -> range:
    """The objects of the batch other than the first."""
    return range(1, record.batch.labels.shape[1] // record.batch.members)


def _other_inputs(record: Record, layer: int, g: torch.Generator) -> Record | None:
    return with_strangers(record, others(record)) if others(record) else None


def _elsewhere(axis: int) -> Change:
    """A change of the layer's activity at other positions (axis 2) or of other units (axis 3)."""

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
        return record.batch_with(activity=a.replaced(h=h, z=z))

    return change


def _second_phase(record: Record, layer: int, g: torch.Generator) -> Record | None:
    """Change the result of the rule's own forward passes."""
    if not record.forwards:
        return None
    net = copy.deepcopy(record.net)
    forward = net.forward

    def other(patches: Tensor, noise: Sequence[Tensor] | None = None) -> Activity:
        a = forward(patches, noise)
        return a.replaced(z=[rescaled(z, g) for z in a.z], logits=rescaled(a.logits, g))

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
             state_change(lambda name, own: is_feedback(name) and own, EVERY_KIND)),
    Quantity("feedback_above", "B↑", "feedback weights of other layers",
             state_change(lambda name, own: is_feedback(name) and not own, EVERY_KIND)),
    Quantity("label", "y", "the label", _label),
    Quantity("error", "e", "the output's error", _error),
    Quantity("other_inputs", "x̃", "other inputs of the batch", _other_inputs,
             lambda record: (slice(record.batch.members), ALL, ALL)),
    Quantity("memory", "mem", "what it remembers of earlier inputs",
             state_change(lambda name, own: not is_feedback(name) and not is_lateral(name),
                          ("running",))),
    Quantity("own", "own", "the layer's own parameters",
             state_change(lambda name, own: not is_feedback(name) and own, ("learned",))),
    Quantity("own_of_others", "o↑", "such parameters of other layers",
             state_change(lambda name, own: not is_feedback(name) and not own, ("learned",))),
    Quantity("positions", "pos", "other positions of the layer", _elsewhere(2),
             lambda _: (ALL, slice(1), ALL), start=True),
    Quantity("units", "un", "other units of the layer", _elsewhere(3),
             lambda record: (ALL, ALL, slice(record.batch.activity.z[0].shape[3] // 2)),
             start=True),
    Quantity("second_view", "z'", "the second view", _second_view),
    Quantity("second_phase", "2nd", "a second forward pass", _second_phase),
)  # fmt: skip
