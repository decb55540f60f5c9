"""What the pages of docs/findings say is found, from the committed runs of one preset.

Each page has one part that is written by `python tools/readme.py`: a picture, the answer and its
numbers. A sentence that tells more than its numbers rests on verdicts, which are looked up here; if
they change, writing fails, and the sentence must be written anew.
"""

from collections.abc import Iterable, Sequence
from functools import cache

import tables

from synaptree import load
from synaptree.analysis.paired import Estimate
from synaptree.audit.kept import audits
from synaptree.claims.judge import rule_forms
from synaptree.claims.second.appetite import steps_ratio
from synaptree.claims.second.base import REGISTERED
from synaptree.claims.second.cells import Cell, Kind, cells
from synaptree.claims.second.outcome import Answer, Endpoint, Entry, Outcome
from synaptree.claims.second.study import Study, share
from synaptree.report.numbers import rule_said
from synaptree.report.words import error_of, listed, number, percent

PRESET = "laptop"
UNIFORM, DEEP, DEEPER = Kind(6, 6, 6, 2, 3), Kind(8, 8, 4, 2, 4), Kind(8, 8, 6, 2, 4)
KINDS = {"uniform": UNIFORM, "deep": DEEP, "deeper": DEEPER}
FAMILIES = ("contrastive", "non-contrastive")
NO_RUN = "–"
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@cache
def study() -> Study:
    """The cells of the preset's runs on the registered grammars."""
    frame = load(tables.RESULTS / PRESET)
    return Study(cells(frame, REGISTERED), audits(None, rule_forms(frame)))


def outcome(claim: str) -> Outcome:
    """The outcome of a claim of the second registration."""
    (found,) = (o for o in tables.concluded(PRESET).second if o.number == claim)
    return found


def endpoint(claim: str, about: str = "") -> Endpoint:
    """An endpoint of a claim; the only one if its name is left out."""
    (found,) = (e for e in outcome(claim).primary if about in ("", e.about))
    return found


def decided(claim: str, about: str, kind: Kind) -> Answer:
    """What a claim's endpoint says on a kind, corrected for all that was asked."""
    found = endpoint(claim, about)
    if kind in found.scope:
        return "yes"
    return "no" if kind in found.against else "mixed"


def sure(*said: bool) -> None:
    """Stop where a sentence is about to say what the data do not."""
    if not all(said):
        raise SystemExit("the data no longer say what a sentence of tools/findings_*.py says")


def entry(claim: str, about: str, kind: Kind, label: str) -> Entry:
    """What a claim found of one rule on one kind."""
    own = (e for p in endpoint(claim, about).asked if p.kind == kind for e in p.entries)
    (found,) = (e for e in own if e.cell.label == label)
    return found


def cell(label: str, kind: Kind) -> Cell:
    """The runs of a rule where rules are compared on a kind."""
    found = there(label, kind)
    assert found is not None, f"{label} was not run on {kind.name}"
    return found


def there(label: str, kind: Kind) -> Cell | None:
    """The runs of a rule where rules are compared on a kind; None if there are none."""
    ground = study().grounds[kind]
    own = [c for c in study().of(kind, ground.P) if label_of(c) == label]
    return max(own, key=lambda c: (c.solved.mean(), -c.errors.mean()), default=None)


def label_of(found: Cell) -> str:
    """A cell's label, without settings that are numbers."""
    if found.rule == "lpl":
        return "lpl (statistics=running)" if "running" in found.label else "lpl"
    if found.rule == "clapp":
        return "clapp, local" if found.setting("connectivity") == "local" else "clapp"
    alone = ("backprop", "barlow_twins", "readout_only", "vicreg")
    return found.rule if found.rule in alone else found.label


def kind_said(kind: Kind) -> str:
    return next(name for name, own in KINDS.items() if own == kind)


def shape(kind: Kind) -> str:
    """What its name does not say of a kind, as ``four levels, m = 4``."""
    return f"{word(kind.L)} levels, m = {kind.m}"


def title(label: str, kinds: Iterable[Kind] = KINDS.values()) -> str:
    """A rule's name in a sentence."""
    found = next(found for kind in kinds if (found := there(label, kind)))
    own = "local" in label
    return rule_said(found) + (", unshared weights" if own else "")


def count(found: Cell, *, of: bool = True) -> str:
    """How many grammars are solved, as ``12 of 20 (36–81%)``."""
    solved = share(found)
    low = percent(solved.low).removesuffix("%")
    within = f" ({low}–{percent(solved.high)})" if of else ""
    return f"{solved.hits} of {solved.of}{within}"


def hits(label: str, kind: Kind) -> tuple[int, int]:
    """How many grammars a rule solves, of how many."""
    solved = share(cell(label, kind))
    return solved.hits, solved.of


def error(found: Cell) -> str:
    """The mean test error."""
    return error_of(float(found.errors.mean()))


def times(ratio: Estimate | None) -> str:
    """A ratio with its interval, as ``2.9 (2.6–3.5)``."""
    if ratio is None:
        return NO_RUN
    low, high = number(ratio.low), number(ratio.high)
    bound = "more than " if ratio.at_least else ""
    within = f"{low} or more" if ratio.high == float("inf") else f"{low}–{high}"
    return f"{bound}{number(ratio.value)} ({within})"


def steps(label: str, kind: Kind) -> str:
    """Steps until grammars were solved, over backprop's, as ``1.8``; "not yet" if most were not."""
    found = there(label, kind)
    if found is None:
        return NO_RUN
    ratio = steps_ratio(found, backprop(kind))
    return "not yet" if ratio is None or ratio.value == float("inf") else number(ratio.value)


def backprop(kind: Kind) -> Cell:
    """Backprop where rules are compared."""
    found = study().grounds[kind].backprop
    assert found is not None
    return found


def word(number: int) -> str:
    """A small number as a word."""
    return WORDS[number] if number < len(WORDS) else str(number)


def thousands(count: int) -> str:
    """A large number in groups of three digits."""
    return f"{count:,}".replace(",", "\N{NO-BREAK SPACE}")


def asked() -> str:
    """On which kinds of grammar, from what and within which budget, in a paragraph."""
    grounds = [study().grounds[kind] for kind in KINDS.values()]
    depths = [ground.depth for ground in grounds]
    sure(depths == [2, 2, 3], *(bool(backprop(kind).solved.all()) for kind in KINDS.values()))
    sure(*(c.inputs <= backprop(g.kind).inputs for g in grounds for c in study().of(g.kind, g.P)))
    sizes = listed([thousands(ground.P) for ground in grounds])
    budgets = listed([thousands(backprop(kind).inputs) for kind in KINDS.values()])
    return (
        "Two [levels are left to learn](../question/6-left-to-learn.md) on the *uniform* kind of "
        f"grammar ({shape(UNIFORM)}) and on the *deep* kind ({shape(DEEP)}), and three on the "
        f"*deeper* kind ({shape(DEEPER)}). Networks learn from {sizes} "
        f"strings, and see at most {budgets} inputs, as many as backprop. Backprop solves every "
        "grammar. Behind a count or a ratio stands its 95% interval."
    )


def sizes() -> list[str]:
    """The kinds of grammar, a row each."""
    lines = ["| kind | sizes | levels left | strings P | inputs |", "|---|---|---|---|---|"]
    for name, kind in KINDS.items():
        ground, inputs = study().grounds[kind], thousands(backprop(kind).inputs)
        shape = f"v = n = {kind.v}, m = {kind.m}, s = {kind.s}, L = {kind.L}"
        lines.append(f"| {name} | {shape} | {ground.depth} | {thousands(ground.P)} | {inputs} |")
    return lines


def rows(labels: Sequence[str]) -> list[str]:
    """Solved grammars and mean test error, a row a rule."""
    lines = [f"| rule | {' | '.join(KINDS)} |", "|---" * (len(KINDS) + 1) + "|"]
    for label in labels:
        found = [there(label, kind) for kind in KINDS.values()]
        said = [f"{count(c)}, error {error(c)}" if c else NO_RUN for c in found]
        lines.append(f"| {title(label)} | {' | '.join(said)} |")
    return lines


def part(picture: str, alt: str, answer: Sequence[str], numbers: Sequence[str]) -> str:
    """The part of a page that is written from results: at most six sentences, an idea each."""
    sure(len(answer) <= 6)
    lines = [
        f"![{alt}]({picture}.svg)", "", asked(), "", "## Answer", "",
        *(f"- {sentence}" for sentence in answer), "",
        "## The numbers", "", *sizes(), "", *numbers,
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def each(labels: Sequence[str], kind: Kind) -> str:
    """Rules with their counts, as ``InfoNCE 20 of 20 (83–100%) and CLAPP 17 of 20 (62–97%)``."""
    return listed([f"{title(label)} {count(cell(label, kind))}" for label in labels])
