"""The audit for a reader at a terminal, and for programs."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from synaptree.audit.matrix import Audit, Need
from synaptree.audit.quantities import QUANTITIES

SIGNS: Mapping[Need, str] = {
    "yes": "●", "vector": "v", "scalar": "s", "no": "·", "unclear": "?", "none": "",
}  # fmt: skip
MEANINGS = {
    "●": "needs it", "v": "as one broadcast vector", "s": "as one broadcast number",
    "·": "does not", "?": "cannot be told from the rule's second pass",
    "blank": "has no such thing",
}  # fmt: skip
VERDICTS = {
    "labels": "labels", "weight_transport": "weight transport",
    "error_network": "an error network of its own layers", "downstream_masks": "downstream masks",
    "other_samples": "other samples",
}  # fmt: skip


def matrix(audits: Sequence[Audit]) -> Table:
    """Rules × quantities."""
    title = "What a synapse must know"
    table = Table(box=SIMPLE_HEAD, padding=0, show_edge=False, title=title, title_justify="left")
    table.add_column("rule", min_width=20, overflow="fold")  # 80 columns in all
    for quantity in QUANTITIES:
        table.add_column(quantity.mark, justify="center", no_wrap=True)
    for each in audits:
        table.add_row(each.label, *(SIGNS[each.needs[q.key]] for q in QUANTITIES))
        if each.learning:
            signs = (SIGNS[each.learning.get(q.key, "none")] for q in QUANTITIES)
            table.add_row("└ its own weights", *signs, style="dim")
    return table


def legend() -> str:
    """What heads and signs mean."""
    heads = "; ".join(f"{q.mark} {q.title}" for q in QUANTITIES)
    signs = "; ".join(f"{sign} {meaning}" for sign, meaning in MEANINGS.items())
    return f"{heads}.\n{signs}."


def verdict(each: Audit) -> str:
    """The sentence of a rule, and what it needs of what is hard for a brain to have."""
    needs = [words for name, words in VERDICTS.items() if each.found[name]]
    said = f"{each.label}: {each.sentence}. Needs {', '.join(needs) or 'none of the above'}."
    lies = [VERDICTS[name] for name in each.lies]
    return said + (f" ITS FACTS SAY OTHERWISE of {', '.join(lies)}." if lies else "")


def as_json(each: Audit) -> dict[str, Any]:
    """An audit of plain types."""
    return {
        "rule": each.label,
        "needs": dict(each.needs),
        "layers": {key: list(found) for key, found in each.layers.items()},
        "declared": each.declared,
        "found": each.found,
        "contradicted": each.lies,
        "second_pass": each.second_pass,
        "others": {"matter": each.others[0], "of": each.others[1]},
        "sentence": each.sentence,
        "learning_of_own_parameters": dict(each.learning),
    }
