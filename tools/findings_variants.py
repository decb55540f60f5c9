"""What is found on variants of the grammar: which conclusions survive there."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
import tables
from findings import sure, word
from findings_others import row_of

from synaptree import load
from synaptree.analysis.paired import Estimate, mean_of
from synaptree.report import elsewhere
from synaptree.report.figures.other_kinds import FIGURE
from synaptree.report.words import error_of, percent
from synaptree.results.columns import kind_name

VIEWS = {"T1": "sibling,sibling,same_class", "T2": "same_class,same_class,same_class", "": ""}
WITH_ERROR = ("backprop", "backprop, no masks", "dfa", "readout_only")
T1 = ("clapp T1", "vicreg T1", "lpl T1")
T2 = ("clapp T2", "vicreg T2", "lpl T2")
ZIPF, NOISE = ("zipf=0.5", "zipf=1", "zipf=1.5"), ("noise=0.11", "noise=0.22")
FREE, SPARSE, MIXED, PLAIN = "correlation_free", "sparse=1", "mixed=3", "plain grammar"
KINDS = {  # of the tables, in plain words
    PLAIN: "plain", "zipf=0.5": "Zipf, a=0.5", "zipf=1": "Zipf, a=1", "zipf=1.5": "Zipf, a=1.5",
    "noise=0.11": "noise, 11%", "noise=0.22": "noise, 22%", SPARSE: "sparse", MIXED: "mixed",
    FREE: "correlation-free",
}  # fmt: skip

STARS = {"more": "\\*", "open": "", "less": " (less)", "": ""}


def at(head: str, name: str) -> dict[str, Any]:
    """The row of a rule on a variant; behind a layerwise rule's name stands its tier."""
    rule, _, tier = name.rpartition(" ") if name.endswith(("T1", "T2")) else (name, "", "")
    return row_of("variants", rule, VIEWS[tier], head=head)


def error(head: str, name: str) -> float:
    """A rule's mean test error on a variant."""
    return float(at(head, name)["error"])


@cache
def paired(head: str, one: str, other: str) -> Estimate:
    """One rule's error minus another's on a variant, paired by grammar."""
    frame = load(tables.RESULTS / "variants", curves=False)
    kind = str(at(head, one)["kind"])
    of: list[list[float]] = []
    for name in (one, other):
        row = at(head, name)
        own = frame[(frame["rule"] == row["rule"]) & (frame["rule_options"] == row["options"])]
        own = own[own["views"] == row["views"]]
        own = own[[kind_name(run) == kind for run in own.to_dict("records")]]
        of.append(own.set_index("seed")["test_error"].sort_index().tolist())
    return mean_of(np.subtract(*of))


def _span(heads: Iterable[str], names: Iterable[str]) -> str:
    """The least and the most error of rules on kinds, as ``2.0–7.1%``."""
    found = [error(head, name) for head in heads for name in names]
    least, most = error_of(min(found)), error_of(max(found))
    return most if least == most else f"{least.removesuffix('%')}–{most}"


def variants() -> str:
    """The part of variants.md."""
    others = [head for head in KINDS if head != PLAIN]
    unmasked = [h for h in KINDS if at(h, "backprop, no masks")["beside"] == "more"]
    apart = [error(h, "backprop, no masks") - error(h, "backprop") for h in unmasked]
    over = {h: {n: paired(h, n, "dfa") for n in (*T1, *T2)} for h in KINDS}
    floor = {h: [paired(h, n, "readout_only") for n in T1] for h in (SPARSE, MIXED)}
    most = max(-e.value for own in floor.values() for e in own)
    ahead = {n: sum(over[h][n].high < 0 for h in KINDS) for n in T2}
    sure(
        all(at(h, "dfa")["beside"] == "more" for h in KINDS),
        set(KINDS) - set(unmasked) == {MIXED},
        all(over[h][n].high < 0 for h in ZIPF for n in T1),
        all(over[h][n].low > 0 for h in KINDS if h not in ZIPF for n in T1),
        most < 0.03,
        ahead["vicreg T2"] == len(KINDS),
        [h for h in KINDS if over[h]["clapp T2"].low > 0] == [SPARSE, MIXED, FREE],
        [n for n in T2 if at("zipf=1.5", n)["beside"] == "less"] == ["clapp T2", "lpl T2"],
    )
    best = [percent(float(at(h, "backprop")["bayes_error"])) for h in NOISE]
    noise = [f"{_span([h], T2)} (backprop {_span([h], ['backprop'])})" for h in NOISE]
    answer = [
        "**Rules with an output error keep their order.** Backprop errs less than DFA on the plain "
        f"grammar and on all {word(len(others))} variants. Without masks it errs more than with "
        f"them on all but the mixed one, by {100 * min(apart):.1f} to {100 * max(apart):.0f} "
        "points.",
        "**With pairs of one class in every layer (T2), layerwise rules carry over, too.** VICReg "
        f"errs less than DFA on all {word(len(KINDS))} kinds, LPL on {word(ahead['lpl T2'])}, and "
        f"CLAPP on {word(ahead['clapp T2'])}. They err on {_span([PLAIN], T2)} on the plain "
        f"grammar, on {_span(ZIPF, T2)} on Zipf grammars, where CLAPP and LPL err even less than "
        f"backprop at a=1.5, and with noise on {noise[0]} and {noise[1]}, where {best[0]} and "
        f"{best[1]} are the best possible.",
        "**With siblings below the top (T1), they carry over to unequal rules alone.** They err on "
        f"{_span(ZIPF, T1)} on Zipf grammars, where DFA errs on {_span(ZIPF, ['dfa'])}. On all "
        f"other kinds they err more than DFA: on {_span([PLAIN], T1)} on the plain one "
        f"(DFA {_span([PLAIN], ['dfa'])}), and on {_span(NOISE[:1], T1)} with 11% of noise "
        f"(DFA {_span(NOISE[:1], ['dfa'])}).",
        "**Where siblings say nothing of one another, labels must.** On the correlation-free "
        f"grammar T1 errs on {_span([FREE], T1)} and random features on "
        f"{_span([FREE], ['readout_only'])}; T2 errs on {_span([FREE], T2)}, backprop on "
        f"{_span([FREE], ['backprop'])}.",
        "**On sparse and mixed grammars nothing learns well here.** Backprop errs on "
        f"{_span([SPARSE], ['backprop'])} and {_span([MIXED], ['backprop'])}, where 0% is "
        f"possible, T2 on {_span([SPARSE], T2)} and {_span([MIXED], T2)}, and T1 is at most "
        f"{100 * most:.0f} points better than random features.",
    ]
    lines = [
        f"![{FIGURE.title}: a panel for the plain grammar and for each of eight variants. On Zipf "
        "grammars all but random features lie near zero; on sparse and mixed ones all lie far to "
        "the right. On the others, layerwise rules lie near backprop if they compare inputs of a "
        "class in every layer, and near random features if they compare siblings."
        "](../../results/variants/other_kinds.svg)", "",
        "## Answer", "", *(f"- {sentence}" for sentence in answer), "",
        "So the order of rules with an output error does not depend on equal rules and clean "
        "strings. The success of VICReg and LPL does not depend on them either, as long as labels "
        "choose the pairs in every layer. CLAPP, with the same pairs, fails on three kinds. "
        "Learning from siblings does depend on them. With this much data and training it works if "
        "rules are unequal, but not with noise, sparsity or trees of varying shape.", "",
        "## The numbers", "",
        *_table(("backprop", "no masks", "DFA", "random features"), WITH_ERROR), "",
        *_table(("CLAPP T1", "VICReg T1", "LPL T1", "CLAPP T2", "VICReg T2", "LPL T2"), T1 + T2),
        "",
        "Mean test errors with their 95% interval over ten grammars. A star: errs more than "
        "backprop, paired by grammar; of these at most one in 20 is expected to be wrong.",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _table(heads: Sequence[str], names: Sequence[str]) -> list[str]:
    lines = [f"| grammar | best possible | {' | '.join(heads)} |", "|---" * (len(heads) + 2) + "|"]
    for head, words in KINDS.items():
        cells = [at(head, name) for name in names]
        said = [elsewhere.interval_of(c) + STARS[str(c["beside"])] for c in cells]
        best = error_of(float(cells[0]["bayes_error"]))
        lines.append(f"| {words} | {best} | {' | '.join(said)} |")
    return lines
