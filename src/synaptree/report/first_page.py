"""The first page of a judged rule: what stands before all else in its report and in a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from synaptree.report.registrations import LOOKS as LOOKS
from synaptree.report.registrations import SIGNS as SIGNS

KIND_HEADS = ("grammar", "solved", "test error", "levels found", "backprop", "random features")


@dataclass(frozen=True)
class ClaimRow:
    """A claim, asked of the rule alone.  said: the numbers, or why it was not asked."""

    number: str
    sentence: str
    verdict: str
    said: str


@dataclass(frozen=True)
class FirstPage:
    """What a judgement says of one rule.

    headline: in one sentence.  warnings: what is dishonest or broken.  facts: heads and texts.
    kinds: a row for each kind of grammar, under `KIND_HEADS`.  notes: how to read it.
    """

    name: str
    headline: str
    warnings: Sequence[str]
    facts: Sequence[tuple[str, str]]
    kinds: Sequence[tuple[str, ...]]
    claims: Sequence[ClaimRow]
    notes: Sequence[str]
