"""What each claim of the second registration says in plain words.

A thesis has a sentence for each answer; `numbers` has the numbers that belong to it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from synaptree.claims.second import appetite as claim_1b
from synaptree.claims.second import data as claim_4a
from synaptree.claims.second.outcome import Answer
from synaptree.report import numbers
from synaptree.report.numbers import Group
from synaptree.report.words import listed


@dataclass(frozen=True)
class Thesis:
    """A claim in words.

    topic: what it is about.  says: the sentence for each
    answer, without its numbers; ``{who}`` stands for what a group is about.  contrary: the same in
    short of a group with the other answer.  numbers: those of a group.  whole: the name of all
    endpoints together; names: of each; noun: what stands behind them.
    """

    topic: str
    says: Mapping[Answer, str]
    contrary: Mapping[Answer, str]
    numbers: Callable[[Group], str]
    whole: str = ""
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    noun: str = "rules"

    def who(self, abouts: Iterable[str]) -> str:
        """What these endpoints are about, in words."""
        names = list(dict.fromkeys(self.names.get(about, self.whole) for about in abouts))
        every = len(names) == len(set(self.names.values()))
        return f"{self.whole if every else listed(names)} {self.noun}"

    def sentence(self, group: Group, where: str) -> str:
        """What is said of a group."""
        says = self.says[group.answer].format(who=self.who(group.parts))
        return f"{says}{where}: {self.numbers(group)}"

    def in_short(self, group: Group, where: str, *, named: bool = True) -> str:
        """What is said of a group after one with another answer, which may have named it."""
        who = self.who(group.parts) if named else ""
        return f"{self.contrary[group.answer].format(who=who).strip()}{where}"


SUBFAMILIES = {name: f"{name} layerwise" for name in ("contrastive", "non-contrastive")}
FAMILIES = {
    "fixed direct feedback": "fixed direct feedback",
    "learned direct feedback": "learned direct feedback",
    "perturbation": "perturbation",
    "vector units": "vector-unit",
}


def _says(yes: str, no: str, mixed: str) -> Mapping[Answer, str]:
    return {"yes": yes, "no": no, "mixed": f"whether {mixed} is open"}


def _short(yes: str, no: str) -> Mapping[Answer, str]:
    return {"yes": yes, "no": no, "mixed": "{who} are open" if "{who}" in no else "it is open"}


MUCH = numbers.TIMES[int(claim_1b.THRESHOLDS["ratio_above"])]
MASKS = "the masks of the layers above"
RANDOM, RIGHT = " for random feedback weights", " beside backprop's own weights"
# The claims, the most important first.
THESES: Mapping[str, Thesis] = {
    "1a": Thesis(
        "failure of direct feedback",
        _says("{who} do not learn", "{who} can learn", "{who} can learn"),
        _short("{who} do not", "{who} can"),
        *(numbers.direct_feedback, "direct feedback", FAMILIES),
    ),
    "3": Thesis(
        "success of layerwise rules",
        _says("{who} can learn", "{who} do not learn", "{who} can learn"),
        _short("{who} can", "{who} do not"),
        *(numbers.layerwise, "layerwise", SUBFAMILIES),
    ),
    "4a": Thesis(
        "data of layerwise rules",
        _says(
            "the best {who} need no more data than backprop",
            "{who} need more data than backprop",
            "all {who} need more data than backprop",
        ),
        _short("{who} need no more", "{who} need more"),
        *(numbers.data, "layerwise"),
        {f"{s}, against {r}": SUBFAMILIES[s] for s in SUBFAMILIES for r in claim_4a.REFERENCES},
    ),
    "2c": Thesis(
        "sufficiency of masks",
        _says(
            f"{MASKS} are enough{RANDOM}",
            f"{MASKS} are not enough{RANDOM}",
            f"{MASKS} are enough{RANDOM}",
        ),
        _short("they are", "they are not"),
        numbers.sufficient,
    ),
    "6": Thesis(
        "local plasticity",
        _says(
            "{who} can be local and learn",
            "{who} do not learn while they are local",
            "{who} can be local and learn",
        ),
        _short("{who} can", "{who} do not"),
        *(numbers.plasticity, "layerwise", SUBFAMILIES),
    ),
    "2b": Thesis(
        "necessity of masks",
        _says(
            f"{MASKS} are necessary{RIGHT}",
            f"{MASKS} are not necessary{RIGHT}",
            f"{MASKS} are necessary{RIGHT}",
        ),
        _short("they are", "they are not"),
        numbers.necessary,
    ),
    "5": Thesis(
        "hidden hierarchy",
        _says(
            "{who} can find the hidden levels as backprop does",
            "{who} do not find the hidden levels as backprop does",
            "{who} can find the hidden levels as backprop does",
        ),
        _short("{who} can", "{who} do not"),
        *(numbers.hierarchy, "layerwise", SUBFAMILIES),
    ),
    "1b": Thesis(
        "data of direct feedback",
        _says(
            f"{{who}} need more than {MUCH} data of backprop",
            f"{{who}} do not all need {MUCH} data of backprop",
            f"{{who}} need more than {MUCH} data of backprop",
        ),
        _short("{who} do", "{who} do not all"),
        *(numbers.appetite, "direct feedback", FAMILIES),
    ),
    "2a": Thesis(
        "masks beside weights",
        _says(
            "masks are worth more where the feedback weights are right",
            "masks are not worth more where the feedback weights are right",
            "masks are worth more where the feedback weights are right",
        ),
        _short("they are", "they are not"),
        numbers.interaction,
    ),
    "4b": Thesis(
        "data in deep trees",
        _says(
            "{who} need less data than backprop",
            "{who} need more data than backprop",
            "{who} need less data than backprop",
        ),
        _short("{who} do", "{who} do not"),
        *(numbers.deep_data, "layerwise", SUBFAMILIES, "rules that compare siblings"),
    ),
}
