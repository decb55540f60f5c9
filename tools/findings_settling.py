"""What is found of rules whose network settles: what they learn, and at what price in passes."""

from functools import cache

import pandas as pd
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

FOLDERS = ("settling", "settling-masks")
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
WEAK = '"beta": 0.005'  # in those of the form whose label is weak, with settings of its own


@cache
def ran() -> list[Cell]:
    """A cell for each rule on each kind."""
    frames = [load(tables.RESULTS / folder) for folder in FOLDERS]
    return cells(pd.concat(frames, ignore_index=True), REGISTERED)


def on(kind: Kind) -> list[Cell]:
    """The rules on a kind: first those that settle, then the others, by their errors."""
    own = [cell for cell in ran() if cell.kind == kind]
    return sorted(own, key=lambda cell: (cell.rule not in SETTLING, cell.errors.mean()))


def of(rule: str, kind: Kind, *, masks: bool = True, weak: bool = False) -> Cell:
    """The runs of a rule on a kind.

    masks: whether it has those of the layers above.  weak: with a weak label, or the usual one.
    """
    own = [c for c in on(kind) if c.rule == rule and (WITHOUT in c.options) != masks]
    (found,) = (cell for cell in own if (WEAK in cell.options) == weak)
    return found


def named(cell: Cell) -> str:
    """A rule's name, without the numbers of steps that differ with L."""
    name = rule_said(cell).partition(" (")[0]
    bare = cell.rule in SETTLING and WITHOUT in cell.options
    weak = ", with a weak label" if WEAK in cell.options else ""
    return f"{name}, settling without masks{weak}" if bare else name


def price(cell: Cell) -> Estimate | None:
    """Passes until half of the grammars are solved, over backprop's; None if they are not."""
    reference = of("backprop", cell.kind)
    steps = steps_ratio(cell, reference)
    if steps is None or steps.at_least:
        return None
    by = cell.passes / reference.passes
    return Estimate(steps.value * by, steps.grammars, steps.least * by, steps.most * by, ratio=True)


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
    return _counted([of(rule, kind) for kind in KINDS])


def _counted(found: list[Cell]) -> str:
    return listed([str(int(cell.solved.sum())) for cell in found])


def _prices() -> str:
    """The price of those that solve, in passes."""
    paid = {
        rule: listed([times(price(of(rule, kind))) for kind in KINDS])
        for rule in (*BOTH_WAYS, "clapp_pp")
    }
    said = listed([f"{paid[rule]} for {_said(rule)}" for rule in BOTH_WAYS])
    return (
        "**The price.** Passes through the network until half of the grammars are solved, over "
        f"those of backprop on the two kinds: {said}. CLAPP++ and DFA need no transposed weights "
        "and make one pass for an update. CLAPP++, whose labels choose pairs in every layer, "
        f"solves {_hits('clapp_pp')} grammars with {paid['clapp_pp']} times backprop's passes. DFA "
        f"solves {_hits('dfa')}."
    )


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


def higher(kind: Kind) -> Estimate:
    """By how much the error is higher without masks, with a weak label, on each grammar."""
    bare, whole = (of(BOTH_WAYS[0], kind, masks=m, weak=not m) for m in (False, True))
    return mean_of(bare.errors - whole.errors_on(bare.seeds))


def _masks() -> str:
    """What settling without masks costs, and what it does not."""
    ep, pc = BOTH_WAYS
    own = [of(ep, kind, masks=False, weak=True) for kind in KINDS]
    plain = [of("masking", kind, masks=False) for kind in KINDS]
    more = higher(DEEP)
    value, low, high = (f"{100 * each:.0f}" for each in (more.value, more.low, more.high))
    sure(*(cell.solved.mean() > 0.5 for cell in own), more.low > 0)
    return (
        "**It still learns without masks, if the label is weak.** While the network settles, the "
        "gates of its units carry the masks of the layers above. Without these masks equilibrium "
        f"propagation solves {listed([count(cell) for cell in own])} grammars, with a label of a "
        "hundredth of the usual strength and a search of its own. On the deep kind its error is "
        f"{value} ({low} to {high}) points higher than with the masks. Backprop without masks "
        f"solves {_counted(plain)}. With the usual label, in the settings that are best with "
        "masks, equilibrium propagation without masks solves "
        f"{_counted([of(ep, k, masks=False) for k in KINDS])}, and predictive coding "
        f"{_counted([of(pc, k, masks=False) for k in KINDS])}; this has "
        "[another reason](#why-forms-without-masks-fail). On the deeper kind masks "
        "[do count](masks.md), but rules that settle have not been run there."
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
    bare = [of(BOTH_WAYS[0], kind, masks=False, weak=True) for kind in KINDS]
    return (
        f"- **A long convergence.** Networks settle before they learn in equilibrium propagation "
        f"and predictive coding. Of ten grammars each with three and with four levels, the first "
        f"solves {_hits(BOTH_WAYS[0])} and the second {_hits(BOTH_WAYS[1])}, with {min(costs):.0f} "
        f"to {max(costs):.0f} times backprop's passes through the network. Their errors come down "
        "through the transposed weights. Dendritic microcircuits, with fixed random feedback, "
        f"solve {_hits('dendritic_microcircuits')}. Without the masks of the layers above, and "
        f"with a weak label, equilibrium propagation solves {_counted(bare)} "
        f"([settling]({folder}findings/settling.md)).\n"
    )
