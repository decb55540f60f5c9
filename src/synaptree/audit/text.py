"""The audit for a reader at a terminal."""

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from synaptree.audit.compare import Need
from synaptree.audit.matrix import Audit
from synaptree.audit.quantities import QUANTITIES
from synaptree.audit.settling import SETTLING

SIGNS: Mapping[Need, str] = {
    "yes": "●", "vector": "v", "scalar": "s", "no": "·", "unclear": "?", "none": "",
}  # fmt: skip
MEANINGS = {
    "●": "needs it", "v": "as one broadcast vector", "s": "as one broadcast number",
    "·": "does not", "?": "cannot be told from the rule's second pass",
    "blank": "has no such thing",
}  # fmt: skip
BROADCAST = (
    "Broadcast: the whole layer is sent the same few numbers, and the teaching signal follows from "
    "them alone, as in B·e or B·sign(e). If y or e has ●, other things of the input count too.\n"
    "A rule needs labels if it needs y or e: the error contains the label."
)
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
    for audit in audits:
        table.add_row(audit.label, *(SIGNS[audit.needs[q.key]] for q in QUANTITIES))
        if audit.learning:
            signs = (SIGNS[audit.learning.get(q.key, "none")] for q in QUANTITIES)
            table.add_row("└ its own weights", *signs, style="dim")
    return table


def legend() -> str:
    """The meanings of the table's heads, signs and words."""
    heads = "; ".join(f"{q.mark} {q.title}" for q in QUANTITIES)
    signs = "; ".join(f"{sign} {meaning}" for sign, meaning in MEANINGS.items())
    return f"{heads}.\n{signs}.\n{BROADCAST}"


def needed(audit: Audit) -> list[str]:
    """Which of these things a rule needs, in words; of rules that settle, those of this too."""
    settling = [q.title for q in SETTLING if audit.needs.get(q.key) == "yes"]
    return [words for name, words in VERDICTS.items() if audit.found[name]] + settling


def verdict(audit: Audit) -> str:
    """The sentence of a rule, and which of the things it needs that a brain can hardly have."""
    needs = ", ".join(needed(audit)) or "none of the above"
    text = f"{audit.label}: {audit.sentence}. Needs {needs}."
    lies = [VERDICTS[name] for name in audit.lies]
    return text + (f" ITS FACTS SAY OTHERWISE of {', '.join(lies)}." if lies else "")
