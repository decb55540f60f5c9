"""One minibatch as a learning rule sees it: activities, the output error, the views' contexts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from synaptree.network.tree import Activity
from synaptree.rules import Batch, Teaching
from synaptree.rules.shared.sides import Contexts
from synaptree.training.spec import RunSpec
from synaptree.views.base import View, places_beside


@dataclass(frozen=True)
class Observation:
    """One minibatch.

    activity: of all units.  batch: what the rule is shown of it.  anchors: for each layer which
    units learn, (H,), where its view compares some units with the others; otherwise None.
    loss: the mean cross-entropy, (R,).
    """

    activity: Activity
    batch: Batch
    anchors: list[Tensor | None]
    loss: Tensor

    def for_anchors(self, teaching: Teaching) -> Teaching:
        """The teaching with signals for the anchors alone."""
        if all(anchors is None for anchors in self.anchors):
            return teaching
        signals = [
            signal if signal is None or anchors is None else signal * anchors
            for signal, anchors in zip(teaching.signals, self.anchors, strict=True)
        ]
        return replace(teaching, signals=signals)


def observe(
    spec: RunSpec, views: Sequence[View], activity: Activity, classes: Tensor, step: int
) -> Observation:
    """What a rule is shown of a forward pass on inputs of these classes, (R, B), at a step."""
    error, loss = output_error(activity.logits, classes)

    def second_view(layer: int, t: Tensor) -> Tensor:
        return views[layer - 1].context(t, spec.places, spec.members, step)

    def places(layer: int) -> Tensor | None:
        s = spec.places
        B, N = classes.shape[1], s ** (spec.L - layer)
        return places_beside(views[layer - 1], s, spec.members, B, N, classes.device)

    contexts: Sequence[Tensor | None] = [None] * spec.L
    if views:
        contexts = Contexts(activity, second_view, places, [not v.halves_units for v in views])
    anchors = _anchors(spec, views, activity, step)
    batch = Batch(
        _only_anchors(activity, anchors),
        classes,
        error,
        contexts,
        spec.members,
        second_view,
        [view.needs_positions for view in views],
    )
    return Observation(activity, batch, anchors, loss)


def output_error(logits: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """``e = (softmax(o) − onehot(y)) / B`` (R, B, n), and the mean cross-entropy (R,)."""
    R, B, n = logits.shape
    # Across few classes a softmax takes many times as long as across many inputs.
    log_p = logits.reshape(-1, n).t().contiguous().log_softmax(0).t().contiguous().view(R, B, n)
    at = y.unsqueeze(2)
    loss = log_p.gather(2, at).sum((1, 2)).mul_(-1 / B)
    e = log_p.exp_()
    e.scatter_add_(2, at, e.new_full((1, 1, 1), -1.0).expand(R, B, 1))
    return e.mul_(1 / B), loss


def _anchors(
    spec: RunSpec, views: Sequence[View], activity: Activity, step: int
) -> list[Tensor | None]:
    if not views:
        return [None] * spec.L
    lowest = spec.L if spec.rule.compares_top else 1  # the lowest layer that compares
    return [
        view.anchors(activity.z[layer - 1], step) if view.halves_units and layer >= lowest else None
        for layer, view in enumerate(views, start=1)
    ]


def _only_anchors(activity: Activity, anchors: Sequence[Tensor | None]) -> Activity:
    """The activity with all units but the anchors silent."""
    if all(a is None for a in anchors):
        return activity
    z = [z if a is None else z * a for z, a in zip(activity.z, anchors, strict=True)]
    return activity.replaced(z=z)
