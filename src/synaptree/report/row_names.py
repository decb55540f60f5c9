"""Which rules share a row of the scoreboard, and what a row is called."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from synaptree import rules

OWN = " (own rule)"  # behind the name of a rule from outside the package
MASKING, SYMMETRIC = "masking", "symmetric_direct"
# Names for readers where a rule's title is long, or says what its options do not.
TITLES = {
    "readout_only": "Random features",
    "end_to_end_ssl": "End-to-end self-supervised",
    "dfa": "Direct feedback alignment (DFA)",
    "dfa (error=sign)": "DFA with the error's sign",
    "drtp": "Random target projection (DRTP)",
    "forward_dfa": "Forward DFA",
    "error_broadcast": "Error broadcast (EBD)",
    "global_error_vector": "Error-vector broadcast (GEVB)",
    "global_error_vector (signal=gradient)": "Gradient of vector units",
    "symmetric_direct (feedback=mean_jacobian)": "Mean Jacobian, sent directly",
    "nt_xent": "NT-Xent",
    "infonce": "InfoNCE",
    "barlow_twins": "Barlow Twins",
    "scff": "Self-contrastive (SCFF)",
}


@cache
def row_name(rule: str, options: str) -> tuple[str, str]:
    """The name of a rule's row, and its title.

    Numbers among its options are settings; words make another rule of it.  A mask or a weight in
    between, on the dials of the masking laboratory, has no row.
    """
    if rule not in rules.names(former=True):
        return f"{rule}{OWN}", f"{rule}{OWN}"
    given: dict[str, Any] = json.loads(options)
    words = {k: value for k, value in given.items() if isinstance(value, str | bool)}
    if rule == SYMMETRIC and words.get("feedback", "weights") == "weights":
        rule, words = MASKING, {}  # its former name
    if rule == MASKING and _on_a_dial(words):
        return "", ""
    own = rules.get(rule, **words)
    if rule == MASKING:
        return own.label, own.label[0].upper() + own.label[1:]
    title = TITLES.get(own.name) or re.sub(r" \([^)]*\)", "", own.facts.title)
    return own.label, TITLES.get(own.label) or own.label.replace(own.name, title, 1)


def usual_name(title: str) -> str:
    """A title's abbreviation, where there is a usual one."""
    short = re.search(r"\((\w+)\)$", title)
    return short[1] if short else title


def _on_a_dial(words: Mapping[str, Any]) -> bool:
    """Whether a masking rule is none of those without masks or with those of other inputs."""
    weights, masks = words.get("weights", "transpose"), words.get("masks", "none")
    if words.get("own_gate", True) is not True or ":" in weights or ":" in masks:
        return True
    return masks == "true"  # backprop and feedback alignment under other names
