"""What the second registration says: typed numbers, from which sentences and tables are made.

An `Outcome` is the verdict on one claim. It has primary endpoints (such as one for each family of
rules); an `Endpoint` has a part for each kind of grammar, and a `Part` an entry for each rule in
each of its settings.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from synaptree.analysis.paired import Estimate
from synaptree.analysis.settings import short_views
from synaptree.claims.second.cells import Cell, Kind
from synaptree.claims.second.chance import LEVEL, Answer, Chance, Share, every, some

Verdict = Literal["holds", "holds within", "fails", "mixed", "not asked"]


@dataclass(frozen=True, eq=False)
class Entry:
    """One rule in one set of settings at one P: what was measured, and what it says.

    chance: of the endpoint's statement, for this entry alone.  estimate: the quantity that the
    statement is about, where it is not the share of solved grammars.  counted: the share of
    grammars for which the statement is right, where it is counted over grammars in another way.
    others: further numbers, by name.  note: why the entry answers as it does, where a number does
    not say it.
    """

    cell: Cell
    chance: Chance
    estimate: Estimate | None = None
    counted: Share | None = None
    others: dict[str, Estimate] = field(default_factory=dict[str, Estimate])
    note: str = ""

    @cached_property
    def solved(self) -> Share:
        """How many grammars the rule solves."""
        return Share(int(self.cell.solved.sum()), len(self.cell.seeds))

    @property
    def answer(self) -> Answer:
        """What the entry says by itself."""
        return self.chance.answer()

    @property
    def error(self) -> float:
        """The mean test error."""
        return float(np.mean(self.cell.errors)) if len(self.cell.errors) else np.nan

    @property
    def median_error(self) -> float:
        """The median test error."""
        return float(np.median(self.cell.errors)) if len(self.cell.errors) else np.nan

    @property
    def said(self) -> str:
        """The rule with its views and label tier, as ``clapp · sibling × 2, same_class · T1``."""
        views = short_views(",".join(self.cell.views))
        return " · ".join(word for word in (self.cell.label, views, self.cell.tier) if word)


@dataclass(frozen=True, eq=False)
class Part:
    """An endpoint on one kind of grammar.

    P: of the comparison; None where the statement is about P*.  depth: the effective depth, None
    where no run says it.  reference: backprop beside it.  lacking: what kept the statement, or a
    rule of it, from being asked here.  nature: a word of the claim's own, such as "slows".
    """

    kind: Kind
    chance: Chance | None
    entries: Sequence[Entry] = ()
    P: int | None = None
    depth: int | None = None
    reference: Entry | None = None
    lacking: tuple[str, ...] = ()
    nature: str = ""

    @property
    def asked(self) -> bool:
        """Whether there are runs that answer."""
        return self.chance is not None

    @property
    def rules(self) -> list[str]:
        """The names of the rules that were asked."""
        return list(dict.fromkeys(entry.cell.rule for entry in self.entries))

    def said(self, answer: Answer) -> list[str]:
        """The rules of which an entry, by itself, gives this answer."""
        return list(dict.fromkeys(e.cell.rule for e in self.entries if e.answer == answer))

    @property
    def solved_by_any(self) -> Share:
        """How many grammars at least one entry solves, of those that any was run on."""
        seeds = {seed for e in self.entries for seed in e.cell.seeds}
        solved = {
            seed
            for e in self.entries
            for seed, yes in zip(e.cell.seeds, e.cell.solved, strict=True)
            if yes
        }
        return Share(len(solved), len(seeds))

    @property
    def best(self) -> Entry | None:
        """The entry that solves most, by the lower end of the interval, and then the one with the
        lowest error."""
        measured = [e for e in self.entries if e.solved.of]
        if not measured:
            return None
        return max(measured, key=lambda e: (e.solved.low, -e.error))


@dataclass(frozen=True, eq=False)
class Endpoint:
    """A primary endpoint: one statement about one family of rules, on every kind of grammar.

    about: the family, or what is compared.  times: how many times its p-values count in the
    verdict (Holm over all primary endpoints that were judged together); infinite where an endpoint
    before it in Holm's order was not decided.  primary: False for numbers that are only described.
    """

    about: str
    parts: Sequence[Part]
    times: float = 1.0
    primary: bool = True
    lacking: tuple[str, ...] = ()

    @property
    def asked(self) -> list[Part]:
        """The parts that were asked."""
        return [part for part in self.parts if part.asked]

    def _chances(self) -> list[Chance]:
        return [part.chance for part in self.parts if part.chance is not None]

    @property
    def p(self) -> float:
        """The two-sided p-value of whatever the endpoint says most clearly."""
        chances = self._chances()
        if not chances:
            return 1.0
        both = every(chances), some(chances)
        return min(1.0, 2 * min(min(c.yes, c.no) for c in both))

    def _kinds(self, times: float, answer: Answer) -> list[Part]:
        """The parts with an answer that stands although one part was picked out of several."""
        asked = self.asked
        ordered = sorted(asked, key=lambda part: _side(part, answer))
        found: list[Part] = []
        for rank, part in enumerate(ordered):
            if times * (len(asked) - rank) * _side(part, answer) > LEVEL:
                break
            found.append(part)
        return [part for part in asked if part in found]

    def _verdict(self, times: float) -> Verdict:
        chances = self._chances()
        if not chances:
            return "not asked"
        if every(chances).answer(times) == "yes":
            return "holds"
        if self._kinds(times, "yes"):
            return "holds within"
        return "fails" if self._kinds(times, "no") else "mixed"

    @cached_property
    def verdict(self) -> Verdict:
        """What stands after the correction for all primary endpoints."""
        return self._verdict(self.times)

    @cached_property
    def alone(self) -> Verdict:
        """What would stand if this were the only question."""
        return self._verdict(1.0)

    @property
    def scope(self) -> list[Kind]:
        """The kinds of grammar on which the statement holds."""
        if self.verdict == "holds":
            return [part.kind for part in self.asked]
        return [part.kind for part in self._kinds(self.times, "yes")]

    @property
    def against(self) -> list[Kind]:
        """The kinds of grammar on which it fails."""
        return [part.kind for part in self._kinds(self.times, "no")]

    @property
    def why_not(self) -> list[str]:
        """Why it was not asked, there where it was not; each reason once."""
        reasons = [reason for part in self.parts for reason in part.lacking]
        return list(dict.fromkeys([*self.lacking, *reasons]))


def _side(part: Part, answer: Answer) -> float:
    assert part.chance is not None
    return part.chance.yes if answer == "yes" else part.chance.no


@dataclass(frozen=True, eq=False)
class Outcome:
    """The verdict on one claim.

    number: as "1a".  registered: whether it was judged on the registered grammar seeds; otherwise
    it is a rehearsal.  seeds: the grammar seeds that its runs had.
    """

    number: str
    claim: str
    endpoints: tuple[Endpoint, ...]
    registered: bool
    seeds: tuple[int, ...]

    @property
    def primary(self) -> list[Endpoint]:
        """The endpoints that the verdict is made of."""
        return [endpoint for endpoint in self.endpoints if endpoint.primary]

    @property
    def verdict(self) -> Verdict:
        """What stands after the correction for all primary endpoints."""
        return _together([endpoint.verdict for endpoint in self.primary])

    @property
    def alone(self) -> Verdict:
        """What would stand if each endpoint were the only question."""
        return _together([endpoint.alone for endpoint in self.primary])

    @property
    def scope(self) -> list[tuple[str, list[Kind]]]:
        """What the claim holds for: endpoints, each with its kinds of grammar."""
        return [(e.about, e.scope) for e in self.primary if e.scope]

    @property
    def against(self) -> list[tuple[str, list[Kind]]]:
        """What it fails for."""
        return [(e.about, e.against) for e in self.primary if e.against]

    @property
    def why_not(self) -> list[str]:
        """The runs that were lacking; each reason once."""
        return list(dict.fromkeys(why for e in self.primary for why in e.why_not))


def _together(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on a claim from those on its primary endpoints.

    A claim holds where every endpoint does, and fails where one fails and none holds.  One that
    holds for some endpoints, while others fail, are open or were not asked, holds within these.
    """
    asked = [verdict for verdict in verdicts if verdict != "not asked"]
    if not asked:
        return "not asked"
    if all(verdict == "holds" for verdict in verdicts):
        return "holds"
    if any(verdict in ("holds", "holds within") for verdict in asked):
        return "holds within"
    return "fails" if "fails" in asked else "mixed"
