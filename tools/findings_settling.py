"""What is found of rules whose network settles: what they learn, and at what price in passes."""

from functools import cache

import tables
from docs_site.tables import table
from findings import DEEP, UNIFORM, count, error, kind_said, shape, sure, thousands, times, word

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
    "difference_target_propagation",
)
BESIDE = ("backprop", "clapp_pp", "feedback_alignment", "dfa")
BOTH_WAYS = SETTLING[:2]  # errors come down through the transposed weights
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
    """Passes until most grammars are solved, over backprop's; None if they are not."""
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


def _counts(rules: tuple[str, ...], kind: Kind) -> str:
    found = sorted((of(rule, kind) for rule in rules), key=lambda cell: cell.errors.mean())
    return listed([f"{_said(cell.rule, kind)} {count(cell)}" for cell in found])


def _solved() -> list[str]:
    """What rules that settle solve on each kind, beside others."""
    return [
        f"On the {kind_said(kind)} kind, of rules that settle {_counts(SETTLING, kind)} grammars "
        f"are solved; of others {_counts(BESIDE, kind)}."
        for kind in KINDS
    ]


def _prices() -> str:
    """The price of those that solve, in passes."""
    said = [
        f"{_said(rule)} {listed([times(price(of(rule, kind))) for kind in KINDS])}"
        for rule in BOTH_WAYS
    ]
    return (
        "**The price.** Passes through the network until most grammars were solved, over those of "
        f"backprop on the uniform and the deep kind: {'; '.join(said)}. CLAPP++ pays "
        f"{listed([times(price(of('clapp_pp', kind))) for kind in KINDS])}."
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
    runs = len(of("backprop", DEEP).seeds)
    return (
        f"Each rule learned {word(runs)} grammars of {' and of '.join(kinds)}. Behind a count or a "
        "ratio stands its 95% interval."
    )


def settling() -> str:
    """The part of settling.md that is written from results."""
    heads = tuple(kind_said(kind) for kind in KINDS)
    rows: dict[str, dict[Kind, Cell]] = {}
    for kind in KINDS:
        for cell in on(kind):
            rows.setdefault(named(cell), {})[kind] = cell
    solved = [
        (name, *(cell(own.get(kind)) for cell in (_passes, _cell) for kind in KINDS))
        for name, own in rows.items()
    ]
    costs = [(name, *(_beside(own.get(kind)) for kind in KINDS)) for name, own in rows.items()]
    answer = [*_solved(), _prices(), _masks()]
    parts = [
        _asked(),
        "## Answer",
        "\n".join(f"- {each}" for each in answer),
        "## The numbers",
        table(("rule", *(f"passes an update, {head}" for head in heads), *heads), solved),
        table(("steps; passes until solved, over backprop's", *heads), costs),
    ]
    return "\n\n".join(parts) + "\n"


def _masks() -> str:
    """What settling without masks costs."""
    bare = {(r, k): of(r, k, masks=False) for r in BOTH_WAYS for k in KINDS}
    said = [
        f"{_said(rule)} solves {listed([count(bare[rule, kind]) for kind in KINDS])} grammars, and "
        f"errs on {listed([_points(lost(rule, kind)) for kind in KINDS])} points more"
        for rule in BOTH_WAYS
    ]
    plain = listed([count(of("masking", kind, masks=False)) for kind in KINDS])
    return (
        "**Masks.** While the network settles, the gates of its units carry the masks of the "
        f"layers above. Without these masks, in the same settings, {'; '.join(said)}. Backprop "
        f"without masks solves {plain}."
    )


def _passes(cell: Cell | None) -> str:
    return "–" if cell is None else f"{cell.passes:g}"


def _cell(cell: Cell | None) -> str:
    return "–" if cell is None else f"{count(cell)}, error {error(cell)}"


def _beside(cell: Cell | None) -> str:
    """Steps and passes until most grammars are solved, over backprop's."""
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
        "- **A long convergence.** Equilibrium propagation and predictive coding, whose networks "
        "settle before they learn, solve most grammars with three and four levels, as backprop "
        f"does. They pay with {min(costs):.0f} to {max(costs):.0f} times its passes through the "
        "network, and their feedback still goes through the transposed weights. Dendritic "
        "microcircuits, with fixed random feedback, and difference target propagation do not solve "
        f"these kinds ([settling]({folder}findings/settling.md)).\n"
    )
