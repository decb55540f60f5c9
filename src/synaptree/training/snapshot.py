"""Where runs stand after a step: all that training goes on from, to the same bits."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from synaptree.errors import SynaptreeError, shown
from synaptree.training.curve import LearningCurve
from synaptree.training.schedule import set_by_steps
from synaptree.training.spec import RunSpec

LENGTHENED = ("steps", "evaluations")  # settings in which a run that goes on may differ


@dataclass(frozen=True)
class Moment:
    """A snapshot beside its tensors; lists have one entry for each run.

    asked: the settings.  steps: made.  window: steps since the training loss was last judged.
    seconds: that training took.  switches: see `Result`.
    """

    asked: list[dict[str, Any]]
    steps: int
    window: int
    seconds: float
    curves: list[LearningCurve]
    switches: list[list[int]]


_MOMENT = TypeAdapter(Moment)


@dataclass(frozen=True)
class Snapshot:
    """A moment of runs that train together, and their tensors by name: network, rule, optimiser and
    random streams.  The first axis of each counts the runs; Adam's counts have no axis."""

    moment: Moment
    tensors: Mapping[str, Tensor]

    def row(self, r: int) -> "Snapshot":
        """The snapshot of one of the runs."""
        of = self.moment
        lists = {
            name: [getattr(of, name)[r]] for name in ("asked", "curves", "switches")
        }  # `replace` would lose the types
        moment = Moment(steps=of.steps, window=of.window, seconds=of.seconds, **lists)
        return Snapshot(moment, {n: t[r : r + 1] if t.ndim else t for n, t in self.tensors.items()})

    @classmethod
    def together(cls, of: Sequence["Snapshot"]) -> "Snapshot":
        """One snapshot of runs from one of each.

        Raises SynaptreeError where they do not stand at the same step.
        """
        first, moments = of[0], [each.moment for each in of]
        alike = {(each.steps, each.window) for each in moments}
        if len(alike) > 1 or any(each.tensors.keys() != first.tensors.keys() for each in of):
            steps = ", ".join(map(str, sorted(each.steps for each in moments)))
            raise SynaptreeError(
                f"resume: runs after {steps} steps given; expected runs that stand at the same step"
            )
        moment = Moment(
            asked=[asked for each in moments for asked in each.asked],
            steps=first.moment.steps,
            window=first.moment.window,
            seconds=max(each.seconds for each in moments),
            curves=[curve for each in moments for curve in each.curves],
            switches=[switches for each in moments for switches in each.switches],
        )
        tensors = {
            name: torch.cat([each.tensors[name] for each in of]) if t.ndim else t
            for name, t in first.tensors.items()
        }
        return cls(moment, tensors)

    def about(self) -> dict[str, Any]:
        """The moment as JSON."""
        return asdict(self.moment)

    @classmethod
    def read(cls, about: Any, tensors: Mapping[str, Tensor]) -> "Snapshot":
        """A snapshot from a file.  Raises SynaptreeError where it is none."""
        try:
            moment = _MOMENT.validate_python(about)
        except ValidationError as fault:
            raise SynaptreeError(f"no moment of training ({fault.errors()[0]['msg']})") from None
        if not len(moment.asked) == len(moment.curves) == len(moment.switches):
            raise SynaptreeError("no moment of training (its lists differ in length)")
        return cls(moment, tensors)

    def check(self, specs: Sequence[RunSpec]) -> None:
        """Raise SynaptreeError where these runs cannot go on from here."""
        if len(specs) != len(self.moment.asked):
            raise SynaptreeError(
                f"resume: {len(self.moment.asked)} runs given for {len(specs)}; expected one each"
            )
        for spec, before in zip(specs, self.moment.asked, strict=True):
            now, steps = asked(spec), spec.steps
            for name in sorted((now.keys() | before.keys()) - set(LENGTHENED)):
                if now.get(name) != before.get(name):
                    default = RunSpec.model_fields[name].default
                    asked_now, had = (shown(each.get(name, default)) for each in (now, before))
                    raise SynaptreeError(
                        f"resume: {name}={asked_now} given, but the run to go on from has "
                        f"{name}={had}; expected the same, as only {' and '.join(LENGTHENED)} may "
                        "differ"
                    )
            if steps < self.moment.steps:
                raise SynaptreeError(
                    f"resume: steps={steps} given, but the run to go on from has made "
                    f"{self.moment.steps} steps; expected steps={self.moment.steps} or more"
                )
            had = before.get("steps", RunSpec.model_fields["steps"].default)
            if steps != had and (setting := set_by_steps(spec)):
                raise SynaptreeError(
                    f"resume: steps={steps} given, but the run to go on from has steps={had}, and "
                    f"{setting} depends on how many there are; expected steps={had}"
                )


def asked(spec: RunSpec) -> dict[str, Any]:
    """The settings of a run as JSON, without those at their defaults."""
    settings = spec.model_dump(mode="json", exclude_defaults=True)
    return settings | {"rule": {"name": spec.rule.name} | settings["rule"]}
