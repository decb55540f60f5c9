"""The numbers in words that each claim of the second registration rests on.

They are those of a group: endpoints (such as families of rules) that have one answer on the same
kinds of grammar. The rule that speaks for a group is the one that says most: where all must fail,
the best; where one is enough, the best on the hardest kind.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from synaptree.analysis.paired import Estimate
from synaptree.claims.second import data as claim_4a
from synaptree.claims.second import masks_necessary as claim_2b
from synaptree.claims.second.cells import Cell, Kind
from synaptree.claims.second.outcome import Answer, Entry, Part, Share
from synaptree.claims.second.study import SAME
from synaptree.report.board import short_kinds
from synaptree.report.row_names import row_name, usual_name
from synaptree.report.words import count_said, listed, points_said, times_said

BEST = "backprop at its best"
TIMES = {1: "the", 2: "twice the", 4: "four times the", 5: "five times the"}
TIERS = {
    "T0": "without labels",
    "T1": "labels pair inputs in the top layer",
    "T2": "labels pair inputs in every layer",
}


@dataclass(frozen=True)
class Group:
    """Endpoints with one answer on the same kinds of grammar: their parts, by endpoint."""

    answer: Answer
    kinds: tuple[Kind, ...]
    parts: Mapping[str, Sequence[Part]]

    @property
    def all_parts(self) -> list[Part]:
        """The parts of all endpoints."""
        return [part for parts in self.parts.values() for part in parts]

    @property
    def entries(self) -> list[Entry]:
        """All entries that were measured."""
        return [e for part in self.all_parts for e in part.entries if e.solved.of]

    def only(self, wanted: Callable[[Entry], bool]) -> "Group":
        """The group with these entries alone."""
        kept = {
            about: [replace(p, entries=[e for e in p.entries if wanted(e)]) for p in parts]
            for about, parts in self.parts.items()
        }
        return replace(self, parts=kept)


def rule_said(cell: Cell) -> str:
    """A rule's name in a sentence: an abbreviation where there is a usual one."""
    return usual_name(row_name(cell.rule, cell.options)[1] or cell.label)


def _share(entry: Entry) -> tuple[float, float]:
    return entry.solved.hits / entry.solved.of, -entry.error


def foremost(entries: Iterable[Entry]) -> Entry:
    """The entry that solves most; of those the one with the lowest error."""
    return max(entries, key=_share)


def weakest(parts: Iterable[Part]) -> Entry:
    """The best entry of the kind on which the best one solves least: what holds on every kind."""
    return min((best for part in parts if (best := part.best)), key=_share)


def speaks(group: Group) -> Entry:
    """Who speaks for a group of "at least one rule solves": see the head of this file."""
    return weakest(group.all_parts) if group.answer == "yes" else foremost(group.entries)


def _least(entry: Entry) -> float:
    return entry.estimate.value if entry.estimate else float("inf")


def ratio_of(group: Group, parts: Sequence[Part]) -> tuple[Entry, Estimate]:
    """The least ratio of rules. Where one is enough on each kind, the least of those that are
    enough, on the hardest kind."""
    known = [[e for e in part.entries if e.estimate] for part in parts]
    pick = min
    if group.answer == "yes":
        pick = max
        known = [[e for e in those if e.answer == "yes"] or those for those in known]
    entry = pick((min(those, key=_least) for those in known if those), key=_least)
    assert entry.estimate is not None
    return entry, entry.estimate


def _counted_of(group: Group, entry: Entry, *, least: bool) -> str:
    """How many grammars an entry solves. On several kinds it is the one that solves least, or most,
    and a bound for the others, unless it is none or all."""
    extreme = entry.solved.hits == (entry.solved.of if least else 0)
    if extreme:
        of_kinds = sorted({p.best.solved.of for p in group.all_parts if p.best})
        if len(of_kinds) > 1:  # the widest interval, of the fewest grammars
            fewest = Share(of_kinds[0] if least else 0, of_kinds[0])
            interval = count_said(fewest).partition(" (")[2]
            counts = " or ".join(map(str, of_kinds))
            return f"{'all' if least else 'none'} of {counts} grammars ({interval}"
    bound = ("at least " if least else "at most ") if len(group.kinds) > 1 and not extreme else ""
    return f"{bound}{count_said(entry.solved)}"


def direct_feedback(group: Group) -> str:
    """How many grammars the best rule solves, from how much data."""
    learns = group.answer == "no"  # the claim is that it does not
    best = weakest(group.all_parts) if learns else foremost(group.entries)
    count = len({e.cell.form for e in group.entries})
    (part,) = (part for part in group.all_parts if best in part.entries)
    beside = f", backprop {part.reference.solved.hits}" if part.reference else ""
    name = rule_said(best.cell)
    who = f"the best of {count} rules, {name}," if count > 1 else name
    if best.solved.hits == 0 and count > 1:
        who = f"the best of {count} rules"
    return f"{who} solves {_counted_of(group, best, least=learns)}{beside}"


def sufficient(group: Group) -> str:
    """How many grammars random feedback weights solve with true masks."""
    entry = speaks(group)
    counted = _counted_of(group, entry, least=group.answer == "yes")
    return f"feedback alignment solves {counted}"


def necessary(group: Group) -> str:
    """How many grammars backprop's weights solve without masks: with backprop's own budget if that
    is enough, or if there is no more; else with more steps and width."""
    limits = claim_2b.THRESHOLDS
    references = {part.kind: part.reference for part in group.all_parts}

    def budget(e: Entry) -> float:
        reference = references[e.cell.kind]
        return e.cell.inputs / reference.cell.inputs if reference else 0.0

    own = group.only(lambda e: budget(e) <= 1 + SAME)
    long = group.only(lambda e: budget(e) >= (1 - SAME) * limits["budget_times"])
    enough = group.answer == "no" and all(p.best and p.best.answer == "no" for p in own.all_parts)
    given = ""
    if long.entries and not enough:
        given = (
            f", given {TIMES[int(limits['budget_times'])]} steps and "
            f"{TIMES[int(limits['width_times'])]} width"
        )
    shown = own if enough or not long.entries else long
    best = weakest(shown.all_parts) if enough else foremost(shown.entries)
    counted = _counted_of(group, best, least=enough)
    if group.answer == "mixed" and len(group.kinds) > 1:  # "at most" would hide where none is
        counted = listed([_undecided(part) for part in shown.all_parts if part.best])
        given = ""
    steps = best.others.get("steps")
    slows = group.answer == "no" and any(part.nature == "slows" for part in group.all_parts)
    pace = f", in {times_said(steps, 'the steps of backprop')}" if slows and steps else ""
    return f"they solve {counted}{given}{pace}"


def _undecided(part: Part) -> str:
    """How many grammars backprop's weights solve without masks, and why it decides nothing."""
    assert part.best is not None
    counted = count_said(part.best.solved)
    if part.best.answer == "no":
        why = "a yes, if it were the only question"
    elif part.lacking:
        times = TIMES[int(claim_2b.THRESHOLDS["budget_times"])]
        why = f"the runs with {times} steps that could show a need are missing"
    else:
        return counted
    return f"{counted[:-1]}; {why})"


def layerwise(group: Group) -> str:
    """How many grammars the best rule of each subfamily solves, and where labels enter."""
    each = [(about, speaks(replace(group, parts={about: p}))) for about, p in group.parts.items()]
    tiers = {str(e.cell.tier) for _, e in each}
    names = [_of_subfamily(about, e, group.answer, tiers) for about, e in each]
    counts = [_counted_of(group, e, least=group.answer == "yes") for _, e in each]
    solves = [f"{name} {count}" for name, count in zip(names, counts, strict=True)]
    used = {str(part.best.cell.tier) for part in group.all_parts if part.best}
    labels = f"; {TIERS[tiers.pop()]}" if len(tiers) == 1 else ""
    if labels and used == {"T1", "T2"}:  # they differ from kind to kind
        labels = "; labels pair inputs in the top layer or in every layer"
    return f"{', '.join(solves)}{labels}"


def _of_subfamily(about: str, entry: Entry, answer: Answer, tiers: set[str]) -> str:
    tier = f", {entry.cell.tier}" if len(tiers) > 1 else ""
    if answer == "yes":
        return f"{rule_said(entry.cell)} ({about}{tier})"
    return f"at best {rule_said(entry.cell)} ({about}{tier})"


def data(group: Group) -> str:
    """P* over that of each reference."""
    said: list[str] = []
    named = ""
    for reference in reversed(list(claim_4a.REFERENCES)):
        parts = [p for about, ps in group.parts.items() if about.endswith(reference) for p in ps]
        if parts:
            entry, ratio = ratio_of(group, parts)
            beside = "as much" if reference == BEST else f"that of {reference}"
            name = _frugal(group, entry)
            said.append(f"{'' if name == named else f'{name} '}{times_said(ratio, beside)}")
            named = name
    return " and ".join(said)


def _frugal(group: Group, entry: Entry) -> str:
    name = rule_said(entry.cell)
    return name if group.answer == "yes" else f"at best {name}"


def deep_data(group: Group) -> str:
    """P* over backprop's."""
    entry, ratio = ratio_of(group, group.all_parts)
    return f"{_frugal(group, entry)} {times_said(ratio, 'as much')}"


def appetite(group: Group) -> str:
    """P* over backprop's, of the rule that needs least."""
    entry = min((e for e in group.entries if e.estimate), key=_least)
    assert entry.estimate is not None
    return f"at best {rule_said(entry.cell)} {times_said(entry.estimate, 'as much')}"


def interaction(group: Group) -> str:
    """How much more error masks save with the right weights."""
    pick = min if group.answer == "yes" else max
    entry = pick((e for e in group.entries if e.estimate), key=_least)
    assert entry.estimate is not None
    bound = "" if len(group.kinds) < 2 else "at least " if group.answer == "yes" else "at most "
    saved = f"{bound}{points_said(entry.estimate)}"
    return f"they save {saved} with backprop's weights than with random ones"


def _counted(entry: Entry) -> Share:
    return entry.counted or Share(0, 0)


def hierarchy(group: Group) -> str:
    """On how many grammars the levels are found."""
    of_kinds = [[e for e in part.entries if _counted(e).of] for part in group.all_parts]
    bests = [max(those, key=lambda e: _counted(e).hits) for those in of_kinds if those]
    pick = min if group.answer == "yes" else max
    entry = pick(bests, key=lambda e: _counted(e).hits / _counted(e).of)
    name = rule_said(entry.cell)
    who = name if group.answer == "yes" else f"at best {name}"
    return f"{who} in {count_said(_counted(entry))} that backprop solves"


def plasticity(group: Group) -> str:
    """How many grammars the best local form solves, where one was run, and where none was."""
    local = group.only(lambda e: e.note == "local")
    if not local.entries:
        return "none that was run is local"
    there = {part.kind for part in local.all_parts if part.entries}
    ran = tuple(kind for kind in group.kinds if kind in there)
    parts = {about: [p for p in ps if p.kind in ran] for about, ps in local.parts.items()}
    local = replace(local, kinds=ran, parts=parts)
    entry = speaks(local)
    name = rule_said(entry.cell)
    who = name if group.answer == "yes" else f"at best {name}"
    counted = _counted_of(local, entry, least=group.answer == "yes")
    said = f"{who}, which needs nothing global, {counted}"
    if len(ran) == len(group.kinds):
        return said
    heads = dict(zip(group.kinds, short_kinds([kind.name for kind in group.kinds]), strict=True))
    return (
        f"{said} on {listed([heads[kind] for kind in ran])}; elsewhere none that was run is local"
    )
