"""The answer in words: questions, each with what the outcomes say and the numbers that say it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import pandas as pd

from synaptree.claims.second.base import REGISTERED, are_registered, seeds_of
from synaptree.claims.second.cells import Kind
from synaptree.claims.second.chance import CERTAINLY_NOT, Share
from synaptree.claims.second.outcome import Answer, Outcome, Part
from synaptree.report.board import FAMILIES, columns, short_kinds
from synaptree.report.numbers import Group
from synaptree.report.theses import THESES, Thesis
from synaptree.report.words import INTERVAL, capital, listed

WORDS = 120  # that are shown first, at most
FIRST = 6  # questions, at most
MOST_KINDS = 4  # of grammar that are named
HEAD = "Grammars solved with backprop's number of inputs:"
NAMED = 5  # of more claims that were not asked, the answer says how many they are
# The families that are counted where claims 1a and 3 give no verdict, in a sentence.
COUNTED = {
    "reference": "backprop",
    "fixed direct feedback": "fixed direct feedback",
    "learned direct feedback": "learned direct feedback",
    "contrastive": "contrastive layerwise rules",
    "non-contrastive": "non-contrastive ones",
}


@dataclass(frozen=True)
class Said:
    """A question and its answer."""

    asks: str
    answer: str


@dataclass(frozen=True)
class Spoken:
    """The answer.  first: of which runs.  lead: the questions that come first, at most `WORDS`
    words with what is before and behind them.  last: what was not asked.  more: the other
    questions, and in full those that were cut short."""

    first: str
    lead: tuple[Said, ...] = ()
    last: str = ""
    more: tuple[Said, ...] = ()

    @property
    def text(self) -> str:
        """All but `more`, in one paragraph."""
        said = (f"{each.asks} {each.answer}" for each in self.lead)
        return " ".join(filter(None, (self.first, *said, self.last)))


@dataclass(frozen=True)
class Places:
    """How kinds of grammar are named: in short, so that no two are alike."""

    heads: Mapping[Kind, str]

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> "Places":
        """The names of all kinds on which these claims were asked."""
        kinds = {part.kind for o in outcomes for e in o.primary for part in e.asked}
        ordered = sorted(kinds, key=lambda kind: (kind.L, *kind))
        return cls(dict(zip(ordered, short_kinds([k.name for k in ordered]), strict=True)))

    def where(self, kinds: Sequence[Kind]) -> str:
        """On which kinds something is said."""
        if len(kinds) > MOST_KINDS:
            return f" on {len(kinds)} kinds of grammar"
        return f" on {listed([self.heads[kind] for kind in kinds])}"


def answer(outcomes: Sequence[Outcome], board: pd.DataFrame) -> Spoken:
    """The outcomes of the second registration in words.

    board: the scoreboard's table, from which grammars are counted where a verdict is lacking.
    """
    by_number = {o.number: o for o in outcomes}
    told = [(by_number[n], t) for n, t in THESES.items() if n in by_number]
    asked = [(o, t) for o, t in told if o.verdict != "not asked"]
    first = [*_rehearsal(outcomes), *_counted({o.number for o, _ in asked}, board)]
    if not asked and board.empty:
        return Spoken(" ".join([*first, "No run has finished that says anything."]))
    places = Places.of([o for o, _ in asked])
    if asked:
        first.append(HEAD)
    numbers = [o.number for o, _ in asked]
    said = [_said(o, t, places, numbers[:place]) for place, (o, t) in enumerate(asked)]
    return _fitted(" ".join(first), said, " ".join(_not_asked(told)))


def in_full(outcome: Outcome) -> str:
    """All that one claim's outcome says; empty where it was not asked."""
    if outcome.verdict == "not asked":
        return ""
    thesis = THESES[outcome.number]
    places = Places.of([outcome])
    return _once()(f"{thesis.question} {_said(outcome, thesis, places)[-1].answer}")


def _fitted(first: str, said: Sequence[Sequence[Said]], last: str) -> Spoken:
    """As many questions as there is room for so that most answers have their numbers.

    said: each question with its answers, from the shortest to the one in full, which is never here
    unless a shorter one says the same.
    """
    chosen: list[Said] = []
    for count in range(min(FIRST, len(said)), 0, -1):
        chosen, numbered = _filled(first, said[:count], last)
        if numbered > count / 2 or count == 1:
            break
    shown, once = _shown(Spoken(first, tuple(chosen), last)), _once()
    cut = [each[-1] for each, there in zip_longest(said, chosen) if there != each[-1]]
    return replace(shown, more=tuple(Said(s.asks, once(s.answer)) for s in cut))


def _filled(first: str, said: Sequence[Sequence[Said]], last: str) -> tuple[list[Said], int]:
    """An answer to each question, the longest that fit, and how many have numbers.

    The shortest have their first numbers first, so that most answers have numbers. What is beyond
    goes to the first questions.
    """
    chosen, levels = [each[0] for each in said], [0] * len(said)
    for level in range(1, len(said[0]) - 1):
        order = list(range(len(said)))
        if level == 1:
            order.sort(key=lambda place: len(said[place][1].answer))
        for place in order:
            tried = [*chosen[:place], said[place][level], *chosen[place + 1 :]]
            if levels[place] == level - 1 and _length(first, tried, last) <= WORDS:
                chosen, levels[place] = tried, level
    return chosen, sum(level > 0 for level in levels)


def _length(first: str, lead: Sequence[Said], last: str) -> int:
    return len(_shown(Spoken(first, tuple(lead), last)).text.split())


def _shown(spoken: Spoken) -> Spoken:
    """Without words that need no repetition."""
    once = _once()
    lead = tuple(Said(each.asks, once(each.answer)) for each in spoken.lead)
    return Spoken(once(spoken.first), lead, spoken.last)


def _once() -> Callable[[str], str]:
    """A function that says words only in the first of the texts that it is given."""
    seen: set[str] = set()

    def said(text: str) -> str:
        for word, short in ((INTERVAL, ""), (" grammars (", " (")):
            before, found, after = text.partition(word)
            if word in seen:
                before, found, after = "", "", text
            if found:
                seen.add(word)
            text = before + found + after.replace(word, short)
        return text

    return said


def _rehearsal(outcomes: Sequence[Outcome]) -> list[str]:
    if not outcomes or all(o.registered for o in outcomes):
        return []
    seeds = seeds_of(outcomes)
    if are_registered(seeds):
        return [f"{len(seeds)} of the {len(REGISTERED)} registered grammars."]
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
    """How many grammars the best rule of each family solves, where no verdict says it.

    Rules may have run on different numbers of grammars, so the lower end of the interval decides.
    """
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
            counted = zip(own["solved"], own["of"], strict=True)
            best = max((Share(*each) for each in counted), key=lambda share: (share.low, share.of))
            said.append(f"{words} {best.hits} of {best.of}")
    if not said:
        return []
    return [f"Grammars solved by the best rule on {kind['head']} P={kind['P']}: {', '.join(said)}."]


def _not_asked(told: Sequence[tuple[Outcome, Thesis]]) -> list[str]:
    """How many claims were not asked, where it is most of them; the table of claims names them."""
    left = sum(o.verdict == "not asked" for o, _ in told)
    if left <= NAMED:
        return []
    few = "" if left == len(told) else f" {left} of {len(told)}"
    return [f"These runs cannot decide{few or ' any'} claims; the report says why."]


def _said(
    outcome: Outcome, thesis: Thesis, places: Places, before: Collection[str] = ()
) -> list[Said]:
    """A claim's question and its answers: the first yes and the first no in words, then with the
    numbers of one, then of both; at last in full.

    before: the claims that were spoken of.
    """
    found = groups(outcome)

    def head(group: Group) -> str:
        who = thesis.who(group.parts)
        named = f" for {who}" if who else ""
        return f"{thesis.words[group.answer]}{named}{places.where(group.kinds)}"

    def clause(group: Group) -> str:
        return f"{head(group)}: {thesis.numbers(group)}"

    measured = [group for group in found if any(e.chance != CERTAINLY_NOT for e in group.entries)]
    foremost = {group.answer: group for group in reversed(measured or found)}
    decided = [foremost[answer] for answer in ("yes", "no") if answer in foremost]
    shown = decided or found[:1]
    heads = [head(group) for group in shown]
    open_ones = [group for group in found if group.answer == "mixed"] if decided else []
    short = ["undecided elsewhere"] if open_ones else []
    counted = [f"undecided{_best_counts(open_ones, thesis, places)}"] if open_ones else []
    each = [
        [*heads, *short],
        [clause(shown[0]), *heads[1:], *short],
        [clause(shown[0]), *heads[1:], *counted],
        [*map(clause, shown), *counted],
        [clause(group) for group in found],
    ]
    return [Said(thesis.asks(before), f"{capital('; '.join(words))}.") for words in each]


def _best_counts(those: Sequence[Group], thesis: Thesis, places: Places) -> str:
    """How many grammars the best rule solves where nothing is decided, by kind of grammar."""
    said: list[str] = []
    for group in those:
        who = thesis.who(group.parts)
        bests = {part.kind: best.solved for part in group.all_parts if (best := part.best)}
        counts = [f"{places.heads[k]} ({n.hits} of {n.of})" for k, n in bests.items()]
        said.append(f"{f' for {who}' if who else ''} on {listed(counts)}")
    return " and".join(said)


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
