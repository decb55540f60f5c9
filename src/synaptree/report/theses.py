"""What each claim of the second registration says in plain words.

A thesis has a sentence for each answer; `numbers` has the numbers that belong to it.
"""

from collections.abc import Callable, Mapping
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

    topic: what it asks, for the list of claims that were not asked.  says: the sentence for each
    answer, without its numbers; ``{who}`` stands for what a group is about.  numbers: those of a
    group.  whole: the name of all endpoints together; names: of each.
    """

    topic: str
    says: Mapping[Answer, str]
    numbers: Callable[[Group], str]
    whole: str = ""
    names: Mapping[str, str] = field(default_factory=dict[str, str])

    def sentence(self, group: Group, where: str) -> str:
        """What is said of a group."""
        names = list(dict.fromkeys(self.names.get(about, self.whole) for about in group.parts))
        who = self.whole if len(names) == len(set(self.names.values())) else listed(names)
        return f"{self.says[group.answer].format(who=who)}{where}: {self.numbers(group)}"


SUBFAMILIES = {f"{name}": f"{name} layerwise rules" for name in ("contrastive", "non-contrastive")}
FAMILIES = {
    "fixed direct feedback": "fixed direct feedback rules",
    "learned direct feedback": "learned direct feedback rules",
    "perturbation": "perturbation rules",
    "vector units": "vector-unit rules",
}


def _says(yes: str, no: str, mixed: str) -> Mapping[Answer, str]:
    return {"yes": yes, "no": no, "mixed": f"whether {mixed} is open"}


MUCH = numbers.TIMES[int(claim_1b.THRESHOLDS["ratio_above"])]
MASKS = "the true masks of the layers above"
# The claims, the most important first.
THESES: Mapping[str, Thesis] = {
    "1a": Thesis(
        "direct feedback",
        _says("{who} do not learn", "{who} can learn", "{who} can learn"),
        *(numbers.direct_feedback, "direct feedback rules", FAMILIES),
    ),
    "2c": Thesis(
        "whether masks are enough",
        _says(f"{MASKS} are enough", f"{MASKS} are not enough", f"{MASKS} are enough"),
        numbers.sufficient,
    ),
    "3": Thesis(
        "layerwise rules",
        _says("{who} can learn", "{who} do not learn", "{who} can learn"),
        *(numbers.layerwise, "layerwise rules", SUBFAMILIES),
    ),
    "4a": Thesis(
        "their data",
        _says(
            "the best {who} need no more data than backprop",
            "{who} need more data than backprop",
            "all {who} need more data than backprop",
        ),
        *(numbers.data, "layerwise rules"),
        {f"{s}, against {r}": SUBFAMILIES[s] for s in SUBFAMILIES for r in claim_4a.REFERENCES},
    ),
    "6": Thesis(
        "whether plasticity can be local",
        _says(
            "{who} can be local and learn",
            "{who} do not learn while they are local",
            "{who} can be local and learn",
        ),
        *(numbers.plasticity, "layerwise rules", SUBFAMILIES),
    ),
    "2b": Thesis(
        "whether masks are necessary",
        _says(f"{MASKS} are necessary", f"{MASKS} are not necessary", f"{MASKS} are necessary"),
        numbers.necessary,
    ),
    "5": Thesis(
        "the hierarchy",
        _says(
            "{who} can find the hidden levels as backprop does",
            "{who} do not find the hidden levels as backprop does",
            "{who} can find the hidden levels as backprop does",
        ),
        *(numbers.hierarchy, "layerwise rules", SUBFAMILIES),
    ),
    "1b": Thesis(
        "the data of direct feedback",
        _says(
            f"{{who}} need more than {MUCH} data of backprop",
            f"{{who}} do not all need {MUCH} data of backprop",
            f"{{who}} need more than {MUCH} data of backprop",
        ),
        *(numbers.appetite, "direct feedback rules", FAMILIES),
    ),
    "2a": Thesis(
        "weights beside masks",
        _says(
            "masks are worth more where the feedback weights are right",
            "masks are not worth more where the feedback weights are right",
            "masks are worth more where the feedback weights are right",
        ),
        numbers.interaction,
    ),
    "4b": Thesis(
        "deep trees",
        _says(
            "{who} need less data than backprop",
            "{who} need more data than backprop",
            "{who} need less data than backprop",
        ),
        *(numbers.deep_data, "layerwise rules that compare siblings"),
        {s: f"{name} that compare siblings" for s, name in SUBFAMILIES.items()},
    ),
}
