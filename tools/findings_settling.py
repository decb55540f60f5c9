"""What is found of rules whose network settles: what they learn, and at what price in passes."""

from functools import cache

import tables
from docs_site.tables import table
from findings import DEEP, UNIFORM, count, error, kind_said, shape, sure, thousands, times, word
from findings_unmasked import why

from synaptree import load
from synaptree.analysis.paired import Estimate, mean_of
from synaptree.claims.second.appetite import steps_ratio
from synaptree.claims.second.base import REGISTERED
from synaptree.claims.second.cells import Cell, Kind, cells
from synaptree.report.numbers import rule_said
from synaptree.report.words import listed

FOLDER = "settling"
KINDS = (UNIFORM, DEEP)
SETTLING = (
    "equilibrium_propagation",
    "predictive_coding",
    "dendritic_microcircuits",
    "difference_target_propagation",  # for comparison: nothing in it settles
)
BOTH_WAYS = SETTLING[:2]  # errors come down through the transposed weights
TARGETS = "difference_target_propagation"
TENDS = {  # to what rules tend that settle, at rest and as labels get weak
    **dict.fromkeys(BOTH_WAYS, "backprop"),
    "dendritic_microcircuits": "feedback_alignment",
}
WITHOUT = '"masks": "none"'  # in the options of a rule that settles without masks


@cache
def ran() -> list[Cell]:
    """A cell for each rule on each kind."""
    return cells(load(tables.RESULTS / FOLDER), REGISTERED)


def on(kind: Kind) -> list[Cell]:
    """The rules on a kind: first those that settle, then the others, by their errors."""
    own = [cell for cell in ran() if cell.kind == kind]
    return sorted(own, key=lambda cell: (cell.rule not in SETTLING, cell.errors.mean()))


def of(rule: str, kind: Kind, *, masks: bool = True) -> Cell:
    """The runs of a rule on a kind, with the masks of the layers above or without."""
    (found,) = (c for c in on(kind) if c.rule == rule and (WITHOUT in c.options) != masks)
    return found


def named(cell: Cell) -> str:
    """A rule's name, without the numbers of steps that differ with L."""
    name = rule_said(cell).partition(" (")[0]
    bare = cell.rule in SETTLING and WITHOUT in cell.options
    return f"{name}, settling without masks" if bare else name


def price(cell: Cell) -> Estimate | None:
    """Passes until half of the grammars are solved, over backprop's; None if they are not."""
    reference = of("backprop", cell.kind)
    steps = steps_ratio(cell, reference)
    if steps is None or steps.at_least:
        return None
    by = cell.passes / reference.passes
    return Estimate(steps.value * by, steps.grammars, steps.least * by, steps.most * by, ratio=True)


def lost(rule: str, kind: Kind) -> Estimate:
    """By how much the error is larger if the network settles without masks, on each grammar."""
    bare, whole = of(rule, kind, masks=False), of(rule, kind)
    return mean_of(bare.errors - whole.errors_on(bare.seeds))


def _said(rule: str, kind: Kind = DEEP) -> str:
    """A rule's name inside a sentence."""
    name = named(of(rule, kind))
    return name[0].lower() + name[1:] if name[1].islower() else name


def _bought() -> str:
    """What a long convergence buys, beside the rule that it tends to."""
    for rule, limit in TENDS.items():
        sure(*(of(rule, k).solved.sum() <= of(limit, k).solved.sum() for k in KINDS))
    return (
        "**It matches backprop, if errors come down through the transposed weights.** Of ten "
        f"grammars of the uniform and ten of the deep kind, backprop solves {_hits('backprop')}, "
        f"equilibrium propagation {_hits(BOTH_WAYS[0])}, and predictive coding "
        f"{_hits(BOTH_WAYS[1])}. Dendritic microcircuits settle too, but their feedback is fixed "
        f"and random. They solve {_hits('dendritic_microcircuits')}; feedback alignment, to which "
        f"they tend, solves {_hits('feedback_alignment')}. So no rule that settles solved more "
        "grammars than the rule to which it tends, which makes one pass up and one down. "
        "Difference target propagation is here because its targets come down another network, "
        f"though nothing in it settles. It solves {_hits(TARGETS)}."
    )


def _hits(rule: str) -> str:
    return listed([str(int(of(rule, kind).solved.sum())) for kind in KINDS])


def _prices() -> str:
    """The price of those that solve, in passes."""
    paid = {
        rule: listed([times(price(of(rule, kind))) for kind in KINDS])
        for rule in (*BOTH_WAYS, "clapp_pp")
    }
    said = listed([f"{paid[rule]} for {_said(rule)}" for rule in BOTH_WAYS])
    return (
        "**The price.** Passes through the network until half of the grammars are solved, over "
        "those of "
        f"backprop on the two kinds: {said}. CLAPP++ and DFA need no transposed weights and make "
        f"one pass for an update. CLAPP++, whose labels choose pairs in every layer, solves "
        f"{_hits('clapp_pp')} grammars with {paid['clapp_pp']} times backprop's passes. DFA "
        f"solves {_hits('dfa')}."
    )


def _points(found: Estimate) -> str:
    low, high = (f"{100 * each:.0f}" for each in (found.low, found.high))
    return f"{100 * found.value:.0f} ({low} to {high})"


def _asked() -> str:
    """The kinds of grammar, in a sentence."""
    kinds = [
        f"the *{kind_said(kind)}* kind ({shape(kind)}, {thousands(cell.P)} strings, "
        f"{thousands(int(cell.inputs))} inputs)"
        for kind in KINDS
        for cell in (of("backprop", kind),)
    ]
    runs, width = len(of("backprop", DEEP).seeds), of("backprop", DEEP).setting("width")
    return (
        f"Each rule learned {word(runs)} grammars of {' and of '.join(kinds)}. Networks have width "
        f"{width}. Ratios, and the counts of the first table, have their 95% interval."
    )


def settling() -> str:
    """The part of settling.md that is written from results."""
    heads = tuple(kind_said(kind) for kind in KINDS)
    rows: dict[str, dict[Kind, Cell]] = {}
    for kind in KINDS:
        for cell in on(kind):
            rows.setdefault(named(cell), {})[kind] = cell
    solved = [
        (name, _passes(own), *(_cell(own.get(kind)) for kind in KINDS))
        for name, own in rows.items()
    ]
    costs = [(name, *(_beside(own.get(kind)) for kind in KINDS)) for name, own in rows.items()]
    answer = [_bought(), _prices(), _masks()]
    parts = [
        _asked(),
        "## Answer",
        "\n".join(f"- {each}" for each in answer),
        "## The numbers",
        table(("rule", "passes an update", *heads), solved),
        table(("steps; passes until solved, over backprop's", *heads), costs),
        why(),
    ]
    return "\n\n".join(parts) + "\n"


def _masks() -> str:
    """What settling without masks costs."""
    said = [
        f"{_said(rule)} solves {listed([str(int(bare.solved.sum())) for bare in without])}, and "
        f"its error is {listed([_points(lost(rule, kind)) for kind in KINDS])} points higher"
        for rule in BOTH_WAYS
        for without in ([of(rule, kind, masks=False) for kind in KINDS],)
    ]
    plain = listed([str(int(of("masking", k, masks=False).solved.sum())) for k in KINDS])
    return (
        "**Masks.** While the network settles, the gates of its units carry the masks of the "
        f"layers above. Without these masks, in the same settings, {'; '.join(said)}. Backprop "
        f"without masks solves {plain}. So this is no fair test of the masks: without them the "
        "[settling itself goes wrong](#why-the-forms-without-masks-fail)."
    )


def _passes(own: dict[Kind, Cell]) -> str:
    return ", ".join(dict.fromkeys(f"{cell.passes:g}" for cell in own.values()))


def _cell(cell: Cell | None) -> str:
    return "–" if cell is None else f"{count(cell)}, error {error(cell)}"


def _beside(cell: Cell | None) -> str:
    """Steps and passes until half of the grammars are solved, over backprop's."""
    if cell is None or cell.rule == "backprop":
        return "–"
    steps = steps_ratio(cell, of("backprop", cell.kind))
    cost = price(cell)
    return "not yet" if steps is None or cost is None else f"{times(steps)}; {times(cost)}"


def in_short(folder: str = "") -> str:
    """The answer in short, for a page that is in another folder than the findings."""
    solving = [r for r in SETTLING if all(of(r, kind).solved.mean() > 0.5 for kind in KINDS)]
    costs = [cost.value for r in solving for kind in KINDS if (cost := price(of(r, kind)))]
    sure(solving == list(BOTH_WAYS), len(costs) == 4, min(costs) > 2)
    return (
        f"- **A long convergence.** Networks settle before they learn in equilibrium propagation "
        f"and predictive coding. Of ten grammars each with three and with four levels, the first "
        f"solves {_hits(BOTH_WAYS[0])} and the second {_hits(BOTH_WAYS[1])}, with {min(costs):.0f} "
        f"to {max(costs):.0f} times backprop's passes through the network. Their errors come down "
        "through the transposed weights. Dendritic microcircuits, with fixed random feedback, "
        f"solve {_hits('dendritic_microcircuits')} ([settling]({folder}findings/settling.md)).\n"
    )
