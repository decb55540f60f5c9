"""The spaces and the rungs of a search file, read and checked."""

from typing import Any, cast

from synaptree.errors import SynaptreeError, checked_integer, shown, unknown
from synaptree.study.grid import FIELDS
from synaptree.study.search.contest import OPTION, Rung
from synaptree.study.search.space import Axis, Space
from synaptree.study.yaml_lines import Map
from synaptree.training.spec import RunSpec

MOST_POINTS = 10_000  # of a space
CHOICE = "choice"
# What a search keeps alike for all rules, or decides itself.
GIVEN = ("rule", "v", "n", "m", "s", "L", "P", "views", "steps")
AXES = [name for name in FIELDS if name not in GIVEN]
RUNG_KEYS = ("seeds", "settings", "budget")


def space_of(name: str, value: object) -> Space:
    """A space from a mapping of axes, or from a list of such mappings.

    Raises SynaptreeError for the first fault."""
    parts: list[object] = cast(list[object], value) if isinstance(value, list) else [value]
    if not parts or not all(isinstance(part, Map) and part for part in parts):
        raise SynaptreeError(
            f"{shown(value)} given; expected axes, as {{lr: [0.001, 0.003, 0.01]}}, or a list of "
            "such parts"
        )
    space = Space(name, tuple(_part(cast(Map, part)) for part in parts))
    names = {axis.name for part in space.parts for axis in part}
    for part in space.parts:
        if missing := names - {axis.name for axis in part}:
            raise SynaptreeError(
                f"{min(missing)}: is missing in a part; expected each part to say every axis, one "
                "value at least"
            )
    if space.size > MOST_POINTS:
        raise SynaptreeError(f"{space.size} settings; expected at most {MOST_POINTS}")
    return space


def _part(part: Map) -> tuple[Axis, ...]:
    if "optimizer" in part and "lr" not in part:
        raise SynaptreeError(
            "optimizer: an axis without lr; expected lr beside it, whose scale depends on it"
        )
    return tuple(_axis(name, value) for name, value in part.items())


def _axis(name: str, value: object) -> Axis:
    """An axis: rising numbers are logarithmic, anything else is a choice."""
    if name in GIVEN:
        raise SynaptreeError(f"{name}: is alike for all settings; expected another field of a run")
    if name not in AXES and not name.startswith(OPTION):
        raise unknown("axis", name, [*AXES, f"{OPTION}OPTION"])
    chosen = isinstance(value, Map)
    if isinstance(value, Map):
        if list(value) != [CHOICE]:
            raise SynaptreeError(f"{name}: {shown(dict(value))} given; expected {{choice: […]}}")
        value = value[CHOICE]
    values: list[Any] = cast(list[Any], value) if isinstance(value, list) else [value]
    if not values:
        raise SynaptreeError(f"{name}: an empty list given; expected at least one value")
    if not name.startswith(OPTION):
        try:
            values = [RunSpec.checked(name, each) for each in values]
        except SynaptreeError as fault:
            raise SynaptreeError(f"{name}: {fault}") from None
    for index, each in enumerate(values):
        if each in values[:index] or isinstance(each, list | Map):
            raise SynaptreeError(f"{name}: {shown(each)} given; expected values that differ")
    numbers = all(isinstance(each, int | float) and each is not True for each in values)
    log = numbers and len(values) > 1 and not chosen
    if log and (sorted(values) != values or values[0] < 0):
        raise SynaptreeError(
            f"{name}: {shown(values)} given; expected rising numbers, or {{choice: …}} for numbers "
            "that are no axis to be widened"
        )
    return Axis(name, tuple(values), log)


def rungs_of(value: object, seeds: int, settings: int) -> list[Rung]:
    """The rungs of a search; by default each has twice the seeds and half the settings, at least 2.

    Raises SynaptreeError for the first fault."""
    if value is None:
        counts = [2**k for k in range(seeds.bit_length()) if 2**k < seeds] + [seeds]
        halved = [min(settings, max(2, -(-settings // 2**k))) for k in range(len(counts))]
        return [Rung(*rung) for rung in zip(counts, halved, strict=True)]
    if not isinstance(value, list) or not value:
        raise SynaptreeError(f"{shown(value)} given; expected a list, as [{{seeds: 1}}, …]")
    rungs: list[Rung] = []
    for item in cast(list[object], value):
        if not isinstance(item, Map):
            raise SynaptreeError(f"{shown(item)} given; expected as in {{seeds: 2, settings: 6}}")
        for key in item:
            if key not in RUNG_KEYS:
                raise unknown("", key, RUNG_KEYS)
        before = rungs[-1] if rungs else Rung(1, settings)
        half = settings if not rungs else -(-before.settings // 2)
        share = item.get("budget", 1.0)
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
            raise SynaptreeError(f"budget: {shown(share)} given; expected a share from 0 to 1")
        if share < (before.share if rungs else 0):
            raise SynaptreeError(f"budget: {share} after {before.share}; expected no smaller share")
        rungs.append(
            Rung(
                checked_integer("seeds", item.get("seeds", before.seeds), before.seeds, seeds),
                checked_integer("settings", item.get("settings", half), 1, before.settings),
                float(share),
            )
        )
    _check_ends(rungs, seeds, settings)
    return rungs


def _check_ends(rungs: list[Rung], seeds: int, settings: int) -> None:
    if rungs[0].settings != settings:
        raise SynaptreeError(
            f"settings: the first rung has {rungs[0].settings}; expected {settings}, all that are "
            "not held back for widenings"
        )
    if (rungs[-1].seeds, rungs[-1].share) != (seeds, 1.0):
        raise SynaptreeError(
            f"the last rung has {rungs[-1].seeds} seeds and {rungs[-1].share:g} of the budget; "
            f"expected all {seeds} seeds and the whole budget, on which the best is chosen"
        )
