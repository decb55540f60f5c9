"""The conditions that rules set on the settings of a run."""

from typing import TYPE_CHECKING, Protocol

from synaptree.errors import SynaptreeError
from synaptree.views.registry import parse_view

if TYPE_CHECKING:
    from synaptree.rules.base import Rule


class Settings(Protocol):
    """What a rule asks of a run's settings, see `training.spec.RunSpec`."""

    @property
    def L(self) -> int: ...
    @property
    def views(self) -> tuple[str, ...]: ...
    @property
    def members(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def precision(self) -> str: ...


def check(rule: "Rule", spec: Settings) -> None:
    """Raise SynaptreeError where a run's settings do not suit the rule, as its properties say."""
    if rule.needs_views and not spec.views:
        raise SynaptreeError(
            f"views: none given, but {rule.name} compares two views; expected as in "
            "same_class, trace:16, or sibling,same_class"
        )
    if spec.views and not rule.needs_views:
        raise SynaptreeError(
            f"views: {','.join(spec.views)} given, but {rule.name} does not use views; "
            "expected none"
        )
    objects = 1 if rule.online or not rule.needs_views else 2
    if spec.batch % spec.members or spec.batch < objects * spec.members:
        raise SynaptreeError(
            f"batch: {spec.batch} given, but these views compare {spec.members} inputs of one "
            f"object; expected a multiple of {spec.members}, at least {objects * spec.members}, "
            f"as {spec.members * max(objects, round(spec.batch / spec.members))}"
        )
    halves = [name for name in spec.views if parse_view(name).halves_units]
    if halves and rule.needs_same_units:
        raise SynaptreeError(
            f"views: {min(halves)} given, but {rule.label} compares the same "
            "units with each other; expected a projection (dims above 0) and a form that is "
            "not online, or other views, as same_class"
        )
    if spec.batch < rule.least_inputs:
        raise SynaptreeError(
            f"batch: {spec.batch} given, but {rule.label} compares inputs of a batch; "
            f"expected at least {rule.least_inputs}"
        )
    if rule.needs_digits and spec.precision == "bfloat16":
        raise SynaptreeError(
            f"precision: bfloat16 given, but {rule.name} takes differences that are lost "
            "in it; expected float32"
        )
    if rule.needs_decay and not spec.weight_decay:
        raise SynaptreeError(
            f"weight_decay: 0 given, but {rule.name} needs the weights that it starts "
            "with to fade; expected more, as 0.01"
        )
