"""Write docs/rules/NAME.md: a rule's own docstrings, its facts, and what the audit found.

python tools/rule_pages.py
"""

import inspect
import re
from pathlib import Path

from synaptree import rules
from synaptree.audit.matrix import Audit, audit
from synaptree.audit.quantities import QUANTITIES
from synaptree.audit.settling import SETTLING
from synaptree.audit.text import VERDICTS
from synaptree.audit.text import needed as needed_things
from synaptree.claims.second.base import SUBFAMILIES
from synaptree.rules import Facts, Reading, Rule

PAGES = Path(__file__).parent.parent / "docs" / "rules"
WORDS = {
    "yes": "**needs it**", "vector": "as one broadcast vector", "scalar": "as one broadcast number",
    "no": "does not", "unclear": "cannot be told from its second pass", "none": "–",
}  # fmt: skip


def page(name: str) -> str:
    """The page of one rule."""
    rule, online = rules.get(name), rules.online_form(name)
    facts, audits = rule.facts, [audit(rule), *([audit(online)] if online else [])]
    module = inspect.getdoc(inspect.getmodule(type(rule))) or ""
    options = [field for field in type(rule).model_fields if field != "name"]
    lines = [
        f"# `{name}`: {facts.title}",
        "",
        "<!-- written by tools/rule_pages.py from the rule's own file and the audit -->",
        f"{facts.citation}. Family: {facts.family}{subfamily(facts)}. "
        f"Code: [`rules/{name}.py`](../../src/synaptree/rules/{name}.py).",
        "",
        "```text",
        module,
        "```",
        "",
        f"**Differences from the paper.** {facts.differences[0].upper()}{facts.differences[1:]}.",
        "",
    ]
    lines += [f"**Passes through the network's weights, for each input.** {rule.passes:g}.", ""]
    if options:
        defaults = ", ".join(f"`{option}={getattr(rule, option)}`" for option in options)
        lines += [f"**Options.** {defaults}", "", linked(inspect.getdoc(type(rule)) or ""), ""]
    lines += ["## What a synapse must know", "", *table(audits), ""]
    lines += [f"`{each.label}`: {each.sentence}. {needed(each)}\n" for each in audits]
    lines += [*views_said(rule), sharing_said(facts), ""]
    if facts.reading:
        lines += ["## The factors and their biological reading", "", *reading(facts.reading), ""]
    if facts.open_in_biology:
        lines += ["## What biology leaves open", "", *numbered(facts.open_in_biology), ""]
    return "\n".join(lines).rstrip() + "\n"


def linked(text: str) -> str:
    """A docstring that says "as in VICReg", with a link to that rule's page."""
    places = {rules.rule_class(name).__name__: name for name in rules.names()}

    def link(found: re.Match[str]) -> str:
        title = found[1]
        return f"as in [{title}]({places[title]}.md)" if title in places else found[0]

    return re.sub(r"\bas in (\w+)(?!\+)\b", link, text)


def subfamily(facts: Facts) -> str:
    """The subfamily, where it says more than the family."""
    return f" ({facts.subfamily})" if facts.subfamily not in ("", facts.family) else ""


def table(audits: list[Audit]) -> list[str]:
    """The needs that the audits found, a row a quantity."""
    columns = {f"`{each.label}`": each.needs for each in audits}
    own = "to learn its own parameters"
    columns |= {f"`{each.label}`, {own}": each.learning for each in audits if each.learning}
    lines = [f"| quantity | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    settling = [q for q in SETTLING if any(q.key in needs for needs in columns.values())]
    for quantity in (*QUANTITIES, *settling):
        cells = " | ".join(WORDS[needs.get(quantity.key, "none")] for needs in columns.values())
        cells = cells.replace("second pass", "settling") if settling else cells
        lines.append(f"| {quantity.title} | {cells} |")
    return lines


def needed(found: Audit) -> str:
    """What the rule needs. Its facts declare the same: a test compares the two."""
    names = needed_things(found)
    return (
        f"Needs {', '.join(names)}."
        if names
        else f"Needs none of these: {', '.join(VERDICTS.values())}."
    )


def views_said(rule: Rule) -> list[str]:
    """What the audit of a rule that compares views does not show: how the pairs were chosen."""
    how = "Views of one class (`same_class`, `trace:K`) are pairs that were chosen by their labels."
    return [how, ""] if rule.needs_views else []


def sharing_said(facts: Facts) -> str:
    """What the audit's table does not count: positions share their weights, or each has its own."""
    said = (
        "Positions of a layer share their forward weights by default. The table does not count "
        "this, although a shared weight learns from the activity at all positions. With "
        "`connectivity: local` each position has weights of its own "
        "([networks](../networks.md#how-positions-are-connected))."
    )
    judged = " [Is a layerwise rule local?](../findings/local.md) says which were run in this way."
    return said + judged if facts.subfamily in SUBFAMILIES else said


def numbered(text: str) -> list[str]:
    """A text, or its parts as a list if they are numbered, as in ``(1) Who? (2) How?``."""
    parts = [part.strip() for part in re.split(r"\(\d\) ", text) if part]
    return [f"{place}. {part}" for place, part in enumerate(parts, 1)] if parts[1:] else parts


def reading(factors: Reading) -> list[str]:
    """`rule.factors(...)` in words."""
    return [
        "`rule.factors(...)` returns these as numbers; their product is the update.",
        "",
        f"- **modulator**: {factors.modulator}",
        f"- **dendrite**: {factors.dendrite}",
        "- **post**: the unit's own gate φ'(h), whether it was active.",
        "- **pre**: the activity that the synapse reads.",
    ]


if __name__ == "__main__":
    PAGES.mkdir(exist_ok=True)
    for rule_name in rules.names():
        (PAGES / f"{rule_name}.md").write_text(page(rule_name), "utf-8")
