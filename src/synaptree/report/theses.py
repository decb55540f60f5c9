"""What each claim of the second registration asks, in plain words, and what its answers are."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from synaptree.claims.second import appetite as claim_1b
from synaptree.claims.second import data as claim_4a
from synaptree.claims.second.outcome import Answer
from synaptree.report import numbers
from synaptree.report.numbers import Group
from synaptree.report.words import listed

SAME: Mapping[Answer, str] = {"yes": "yes", "no": "no", "mixed": "undecided"}
# Where the claim denies what the question asks.
CONTRARY: Mapping[Answer, str] = {"yes": "no", "no": "yes", "mixed": "undecided"}


@dataclass(frozen=True)
class Thesis:
    """A claim as a question.

    topic: what it is about, in a table.  question: in full.  numbers: what the answer of a group
    rests on.  names: of endpoints, where their answers differ; empty where there is one.  words:
    what the answers to the claim are as answers to the question.  behind: a claim, and the question
    as it is asked behind that claim's.
    """

    topic: str
    question: str
    numbers: Callable[[Group], str]
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    words: Mapping[Answer, str] = field(default_factory=lambda: SAME)
    behind: tuple[str, str] = ("", "")

    def asks(self, before: Collection[str] = ()) -> str:
        """The question, behind those of other claims."""
        claim, short = self.behind
        return short if claim in before else self.question

    def who(self, abouts: Iterable[str]) -> str:
        """Which of the endpoints these are, in words; empty if they are all."""
        names = list(dict.fromkeys(self.names[about] for about in abouts if about in self.names))
        return listed(names) if set(names) < set(self.names.values()) else ""


SUBFAMILIES = {name: f"{name} rules" for name in ("contrastive", "non-contrastive")}
FAMILIES = {
    "fixed direct feedback": "fixed feedback",
    "learned direct feedback": "learned feedback",
    "perturbation": "perturbation",
    "vector units": "vector units",
}
MUCH = numbers.TIMES[int(claim_1b.THRESHOLDS["ratio_above"])]
# The claims, the most important first.
THESES: Mapping[str, Thesis] = {
    "1a": Thesis(
        "failure of direct feedback",
        "Does direct feedback learn?",
        *(numbers.direct_feedback, FAMILIES, CONTRARY),
    ),
    "2b": Thesis(
        "necessity of masks",
        "Are backprop's weights enough, without masks (which units above are active)?",
        numbers.necessary,
        words=CONTRARY,
    ),
    "2c": Thesis(
        "sufficiency of masks",
        "Are masks enough, with random feedback weights?",
        numbers.sufficient,
        behind=("2b", "Are masks enough, with random weights?"),
    ),
    "3": Thesis(
        "success of layerwise rules",
        "Do layerwise rules learn?",
        *(numbers.layerwise, SUBFAMILIES),
    ),
    "4a": Thesis(
        "data of layerwise rules",
        "Do layerwise rules need more data than backprop?",
        numbers.data,
        {f"{s}, against {r}": SUBFAMILIES[s] for s in SUBFAMILIES for r in claim_4a.REFERENCES},
        CONTRARY,
        ("3", "Do they need more data than backprop?"),
    ),
    "6": Thesis(
        "local plasticity",
        "Can layerwise rules be local?",
        *(numbers.plasticity, SUBFAMILIES),
        behind=("3", "Can they be local?"),
    ),
    "5": Thesis(
        "hidden hierarchy",
        "Do layerwise rules find the hidden levels as backprop does?",
        *(numbers.hierarchy, SUBFAMILIES),
    ),
    "1b": Thesis(
        "data of direct feedback",
        f"Does direct feedback need more than {MUCH} data of backprop?",
        *(numbers.appetite, FAMILIES),
    ),
    "2a": Thesis(
        "masks beside weights",
        "Are masks worth more if the feedback weights are right?",
        numbers.interaction,
    ),
    "4b": Thesis(
        "data in deep trees",
        "Do layerwise rules that compare siblings need less data than backprop in deep trees?",
        *(numbers.deep_data, SUBFAMILIES),
    ),
}
