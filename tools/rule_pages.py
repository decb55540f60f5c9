"""Write docs/rules/NAME.md: the rule's own words, its facts, and what the audit found.

python tools/rule_pages.py
"""

import inspect
from pathlib import Path

import yaml

from synaptree import rules
from synaptree.audit.matrix import Audit, audit
from synaptree.audit.quantities import QUANTITIES
from synaptree.audit.text import VERDICTS

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "rules"
READINGS = yaml.safe_load((ROOT / "tools" / "readings.yaml").read_text("utf-8"))
WORDS = {
    "yes": "**needs it**", "vector": "as one broadcast vector", "scalar": "as one broadcast number",
    "no": "does not", "unclear": "cannot be told from its second pass", "none": "–",
}  # fmt: skip


def page(name: str) -> str:
    """The page of one rule."""
    rule = rules.get(name)
    facts, found = rule.facts, [audit(rule)]
    if name in rules.ONLINE:
        found.append(audit(rules.get(name, **rules.ONLINE[name])))
    module = inspect.getdoc(inspect.getmodule(type(rule))) or ""
    options = [f for f in type(rule).model_fields if f != "name"]
    lines = [
        f"# `{name}`: {facts.title}",
        "",
        "<!-- written by tools/rule_pages.py from the rule's own file and the audit -->",
        f"{facts.citation}. Family: {facts.family}. "
        f"Code: [`rules/{name}.py`](../../src/synaptree/rules/{name}.py).",
        "",
        "```text",
        module,
        "```",
        "",
        f"**Differences from the paper.** {facts.differences[0].upper()}{facts.differences[1:]}.",
        "",
    ]
    if options:
        given = ", ".join(f"`{f}={getattr(rule, f)}`" for f in options)
        lines += [
            f"**Options.** {given}",
            "",
            inspect.getdoc(type(rule)) or "",
            "",
        ]
    lines += ["## What a synapse must know", "", *table(found), ""]
    lines += [f"`{each.label}`: {each.sentence}. {needed(each)}\n" for each in found]
    if name in READINGS:
        lines += ["## The factors and their biological reading", "", reading(name), ""]
    return "\n".join(lines).rstrip() + "\n"


def table(found: list[Audit]) -> list[str]:
    """The audit's rows, quantities downwards."""
    columns = {f"`{each.label}`": each.needs for each in found}
    columns |= {
        f"`{each.label}`: its own weights": each.learning for each in found if each.learning
    }
    lines = [f"| quantity | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for quantity in QUANTITIES:
        cells = " | ".join(WORDS[needs.get(quantity.key, "none")] for needs in columns.values())
        lines.append(f"| {quantity.title} | {cells} |")
    return lines


def needed(each: Audit) -> str:
    """The verdict, which is what the facts declare: a test holds them to each other."""
    names = [words for key, words in VERDICTS.items() if each.found[key]]
    return (
        f"Needs {', '.join(names)}." if names else "Needs none of what is hard for a brain to have."
    )


def reading(name: str) -> str:
    """`rule.factors(...)` in words."""
    factors = READINGS[name]
    return "\n".join(
        [
            "`rule.factors(...)` returns these as numbers; their product is the update.",
            "",
            f"- **modulator**: {factors['modulator']}",
            f"- **dendrite**: {factors['dendrite']}",
            "- **post**: the unit's own gate φ'(h), whether it was active.",
            "- **pre**: the activity that the synapse reads.",
        ]
    )


if __name__ == "__main__":
    PAGES.mkdir(exist_ok=True)
    for each in rules.names():
        (PAGES / f"{each}.md").write_text(page(each), "utf-8")
