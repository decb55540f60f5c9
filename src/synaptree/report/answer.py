"""The answer in words: a sentence for each claim, and every number of it from the outcomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from synaptree.claims.second.cells import Kind
from synaptree.claims.second.outcome import Answer, Outcome, Part
from synaptree.report.board import FAMILIES, columns, short_kinds
from synaptree.report.numbers import Group
from synaptree.report.theses import THESES, Thesis
from synaptree.report.words import INTERVAL, capital, listed

WORDS = 120  # in the first paragraph, at most
NAMED = 5  # claims that were not asked are named, up to so many
# The families that are counted where claims 1a and 3 give no verdict, in a sentence.
COUNTED = {
    "reference": "backprop",
    "fixed direct feedback": "fixed direct feedback",
    "learned direct feedback": "learned direct feedback",
    "contrastive": "contrastive layerwise rules",
    "non-contrastive": "non-contrastive ones",
}


@dataclass(frozen=True)
class Spoken:
    """The answer.  lead: at most `WORDS` words.  more: what has no room there."""

    lead: str
    more: str = ""


@dataclass(frozen=True)
class Places:
    """How kinds of grammar are named.  heads: in short, so that no two are alike.  usual: those
    that the first sentence names, and others need not."""

    heads: Mapping[Kind, str]
    usual: tuple[Kind, ...]

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> "Places":
        """The names of all kinds on which these claims were asked."""
        kinds = {part.kind for o in outcomes for e in o.primary for part in e.asked}
        ordered = sorted(kinds, key=lambda kind: (kind.L, *kind))
        heads = dict(zip(ordered, short_kinds([k.name for k in ordered]), strict=True))
        return cls(heads, groups(outcomes[0])[0].kinds if outcomes else ())

    def named(self, kinds: Sequence[Kind]) -> str:
        """Where something is said, as ``on grammars with L=3 m=8 and L=4 m=6``."""
        if len(kinds) > 3:
            return f"on {len(kinds)} kinds of grammar"
        return f"on grammars with {listed([self.heads[kind] for kind in kinds])}"

    def where(self, kinds: Sequence[Kind]) -> str:
        """The same behind a sentence; nothing where it is the usual."""
        if set(kinds) == set(self.usual):
            return ""
        if set(kinds) == set(self.heads) and len(kinds) > 1:
            return " on both kinds" if len(kinds) == 2 else f" on all {len(kinds)} kinds"
        return f" {self.named(kinds)}"


def answer(outcomes: Sequence[Outcome], board: pd.DataFrame) -> Spoken:
    """The outcomes of the second registration in words.

    board: the scoreboard's table, from which grammars are counted where a verdict is lacking.
    """
    by_number = {o.number: o for o in outcomes}
    told = [(by_number[n], t) for n, t in THESES.items() if n in by_number]
    asked = [(o, t) for o, t in told if o.verdict != "not asked"]
    first = [*_rehearsal(outcomes), *_counted({o.number for o, _ in asked}, board)]
    last = _not_asked(told)
    if not asked and board.empty:
        return Spoken(" ".join([*first, "No run has finished that says anything."]))
    places = Places.of([o for o, _ in asked])
    sentences = [_sentence(o, t, places, n == 0) for n, (o, t) in enumerate(asked)]
    return _fitted(first, sentences, last)


def in_full(outcome: Outcome) -> str:
    """All that one claim's outcome says; empty where it was not asked."""
    if outcome.verdict == "not asked":
        return ""
    return _once(_sentence(outcome, THESES[outcome.number], Places.of([outcome]), True)[1])


def _fitted(first: list[str], sentences: list[tuple[str, str]], last: list[str]) -> Spoken:
    """As many sentences, short ones, as there is room for; a second paragraph has the others, and
    in full those that were cut short."""
    lead, more = [*first, *last], list[str]()
    place = len(first)
    for short, full in sentences:
        tried = [*lead[:place], short, *lead[place:]]
        fits = len(_once(" ".join(tried)).split()) <= WORDS
        if fits:
            lead, place = tried, place + 1
        if not fits or short != full:
            more.append(full)
    return Spoken(_once(" ".join(lead)), _once(" ".join(more)))


def _once(text: str) -> str:
    """Without words that need no repetition."""
    for word, short in ((INTERVAL, ""), (" grammars (", " ("), (" grammars with ", " ")):
        before, found, after = text.partition(word)
        text = before + found + after.replace(word, short)
    return text


def _rehearsal(outcomes: Sequence[Outcome]) -> list[str]:
    if not outcomes or all(o.registered for o in outcomes):
        return []
    seeds = sorted({seed for o in outcomes for seed in o.seeds})
    on = f" on grammar seeds {ranges(seeds)}" if seeds else ""
    return [f"A rehearsal{on}."]


def ranges(numbers: Sequence[int]) -> str:
    """Whole numbers in short, as ``0–2, 7``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{r[0]}–{r[-1]}" if len(r) > 1 else f"{r[0]}" for r in runs)


def _counted(asked: set[str], board: pd.DataFrame) -> list[str]:
    """How many grammars the best rule of each family solves, where no verdict says it."""
    if board.empty or {"1a", "3"} <= asked:
        return []
    kind = columns(board)[-1]
    here = board[board["kind"] == kind["kind"]]
    said: list[str] = []
    for family, words in COUNTED.items():
        own = here[here["family"] == FAMILIES[family]]
        if family == "reference":
            own = own[own["name"] == "backprop"]
        if len(own):
            best = own.loc[(own["solved"] / own["of"]).idxmax()]
            said.append(f"{words} {best['solved']} of {best['of']}")
    if not said:
        return []
    return [f"Grammars solved by the best rule on {kind['head']} P={kind['P']}: {', '.join(said)}."]


def _not_asked(told: Sequence[tuple[Outcome, Thesis]]) -> list[str]:
    """The claims that were not asked, in one sentence."""
    left = [(o, t) for o, t in told if o.verdict == "not asked"]
    if len(left) > NAMED:
        few = "" if len(left) == len(told) else f" {len(left)} of {len(told)}"
        return [f"These runs cannot decide{few or ' any'} claims; the report says why."]
    return [f"Not asked: {listed([f'{t.topic} ({o.number})' for o, t in left])}."] if left else []


def _sentence(outcome: Outcome, thesis: Thesis, places: Places, first: bool) -> tuple[str, str]:
    """What a claim's outcome says in short, and all that it says."""
    every = groups(outcome)
    wheres = [places.where(g.kinds) for g in every]
    begin = ""
    if first:
        begin, wheres[0] = f"{places.named(every[0].kinds)}, ", ""
    short = full = capital(begin + thesis.sentence(every[0], wheres[0]))
    for place, (group, where) in enumerate(zip(every, wheres, strict=True)):
        if place == 0:
            continue
        again = place > 1 and set(group.parts) == set(every[place - 1].parts)
        brief = thesis.in_short(group, where)
        short += f" and {thesis.in_short(group, where, named=False)}" if again else f"; {brief}"
        full += f"; {brief if group.answer == 'mixed' else thesis.sentence(group, where)}"
    return f"{short}.", f"{full}."


def groups(outcome: Outcome) -> list[Group]:
    """The endpoints that were asked, by their answers and the kinds of grammar of these."""
    found: dict[tuple[Answer, tuple[Kind, ...]], dict[str, Sequence[Part]]] = {}
    for endpoint in outcome.primary:
        scope, against = endpoint.scope, endpoint.against
        by_answer: dict[Answer, list[Part]] = {"yes": [], "no": [], "mixed": []}
        for part in endpoint.asked:
            answer = "yes" if part.kind in scope else "no" if part.kind in against else "mixed"
            by_answer[answer].append(part)
        for answer, parts in by_answer.items():
            if parts:
                kinds = tuple(part.kind for part in parts)
                found.setdefault((answer, kinds), {})[endpoint.about] = parts
    if {answer for answer, _ in found} == {"mixed"}:
        every = {about: parts for those in found.values() for about, parts in those.items()}
        kinds = {part.kind for parts in every.values() for part in parts}
        return [Group("mixed", tuple(sorted(kinds, key=lambda k: (k.L, *k))), every)]
    order: list[Answer] = ["yes", "no", "mixed"]
    keys = sorted(found, key=lambda key: order.index(key[0]))
    return [Group(answer, kinds, found[answer, kinds]) for answer, kinds in keys]
