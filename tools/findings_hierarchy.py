"""What is found of the hidden hierarchy: which levels layerwise rules find, beside backprop."""

from collections.abc import Sequence

import numpy as np
from findings import (
    DEEP,
    FAMILIES,
    UNIFORM,
    backprop,
    cell,
    decided,
    endpoint,
    entry,
    kind_said,
    label_of,
    part,
    sure,
    title,
)  # fmt: skip

from synaptree.claims.second import hierarchy as claim_5
from synaptree.claims.second.cells import Cell, Kind
from synaptree.claims.second.outcome import Entry
from synaptree.report.words import percent, whole

TWO = (UNIFORM, DEEP)


def hierarchy() -> str:
    """The part of hierarchy.md."""
    asked = solving()
    best = entry("5", "contrastive", DEEP, "clapp, shared")
    rest = [e for _, e in asked if e is not best]
    sure(
        decided("5", "contrastive", UNIFORM) == "no"
        and decided("5", "contrastive", DEEP) == "mixed",
        all(decided("5", "non-contrastive", kind) == "no" for kind in TWO),
        all(e.counted is not None and e.counted.of == 20 for _, e in asked),
    )
    probes = min(e.others["share with probes"].value for _, e in asked)
    second = {e.cell.label: moved(e.cell)[0] for kind, e in asked if kind == UNIFORM}
    low, high = min(second.values()), max(second.values())
    still = 1 - max(e.others["share with sensitivity"].value for e in rest)
    untrained = moved(cell("readout_only", UNIFORM))
    middle = {kind: moved(backprop(kind)) for kind in TWO}
    third = moved(cell("infonce", DEEP))[1]
    within = claim_5.THRESHOLDS["sensitivity_above_by_at_most"]
    answer = [
        f"By **probes** yes: under every rule that solves a kind, a linear reader finds each level "
        f"below the class in the layer of its own as well as under backprop, on at least "
        f"{percent(probes)} of the grammars.",
        f"By **synonyms** no: except under CLAPP on the deep kind, some layer still moves at least "
        f"{whole(100 * within)} points more than backprop's if synonyms of lower levels are "
        f"exchanged, on {percent(still)} or more of the grammars.",
        f"Both together are what the claim asks for: CLAPP has both on {_found(best)} grammars of "
        f"the deep kind, and no other rule on more than {max(_hits(e) for e in rest)} of 20 of "
        "either kind.",
        "So the claim fails for non-contrastive rules on both kinds and for contrastive rules on "
        "the uniform kind; for contrastive rules on the deep kind it is open.",
        f"On the uniform kind it is layer 2 that fails: it moves by "
        f"{whole(100 * low)} to {percent(high)} of the distance between unrelated inputs, under "
        f"backprop by {percent(middle[UNIFORM][0])}, in an untrained network by "
        f"{percent(untrained[0])}.",
        f"On the deep kind it is mostly layers 2 and 3: InfoNCE's layer 3 moves by "
        f"{percent(third)}, backprop's by {percent(middle[DEEP][1])}.",
    ]
    sure(all(value > untrained[0] / 4 > middle[UNIFORM][0] for value in second.values()))
    numbers = _moves(asked)
    alt = (
        "How far the layers above the lowest one move if synonyms of lower levels are exchanged, a "
        "row a network: on the left, not at all; on the right, as far as two unrelated inputs. "
        "Backprop's layers are all near the left end, untrained ones at the right end. Those of "
        "layerwise rules lie between: layer 2 up to two thirds of the way on the uniform kind. "
        "CLAPP on the deep kind is as far left as backprop."
    )
    sure(0.6 < high < 0.7, bool((moved(best.cell) < 0.2).all()))
    return part("hierarchy", alt, answer, numbers)


def solving() -> list[tuple[Kind, Entry]]:
    """The rules that claim 5 is asked of, on each kind: those that solve it."""
    return [
        (p.kind, e)
        for kind in TWO
        for about in FAMILIES
        for p in endpoint("5", about).asked
        if p.kind == kind
        for e in p.entries
    ]


def moved(found: Cell) -> np.ndarray:
    """How far layers 2 to L move under exchanges of synonyms below them: means over grammars."""
    return claim_5.below(found).mean(0)


def _moves(asked: Sequence[tuple[Kind, Entry]]) -> list[str]:
    lines = [
        "How far layers 2, 3, … move if synonyms of lower levels are exchanged, in percent of the "
        "distance between unrelated inputs:",
        "",
        "| kind | rule | layers 2, 3, … | probes as backprop's | both |",
        "|---|---|---|---|---|",
    ]
    for kind in TWO:
        own = [e for where, e in asked if where == kind]
        lines.append(f"| {kind_said(kind)} | backprop | {_percents(backprop(kind))} | | |")
        for e in own:
            share = e.others["share with probes"].value
            lines.append(
                f"| {kind_said(kind)} | {title(label_of(e.cell), [kind])} | {_percents(e.cell)} | "
                f"{round(20 * share)} of 20 | {_found(e)} |"
            )
        lines.append(
            f"| {kind_said(kind)} | untrained | {_percents(cell('readout_only', kind))} | | |"
        )
    limits = claim_5.THRESHOLDS
    probe, sense = limits["probe_below_by_at_most"], limits["sensitivity_above_by_at_most"]
    return [
        *lines, "",
        f"*As backprop's*: an accuracy at most {whole(100 * probe)} point lower, for each level "
        f"below the class. *Both*: and each layer moves at most {whole(100 * sense)} points more. "
        "Layer 1 has no level below it.",
    ]  # fmt: skip


def _percents(found: Cell) -> str:
    return ", ".join(percent(value) for value in moved(found))


def _hits(found: Entry) -> int:
    assert found.counted is not None
    return found.counted.hits


def _found(found: Entry) -> str:
    assert found.counted is not None
    low = percent(found.counted.low).removesuffix("%")
    high = percent(found.counted.high)
    return f"{found.counted.hits} of {found.counted.of} ({low}–{high})"
