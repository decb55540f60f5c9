"""`synaptree rules` and `synaptree audit`: what the rules are, and what each must know."""

import json
from typing import Annotated

import typer

from synaptree.cli.words import AS_JSON, FOUND_FAULTS, assignment, show, terminal


def rules_command(
    name: Annotated[
        str | None,
        typer.Argument(help="A rule, or my_rules.py:MyRule; shows its citation and equations."),
    ] = None,
) -> None:
    """List the rules and what each needs to know, or show one rule's citation and equations."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    from synaptree import rules

    console = terminal()
    if name is not None:
        console.print(_rule_page(name), highlight=False, markup=False, soft_wrap=True)
        return
    title = "What each rule says it needs"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0)  # 80 columns wide
    heads = {
        "labels": "labels",
        "weight_transport": "weight\ntransport",
        "error_network": "error\nnetwork",
        "downstream_masks": "masks\nabove",
        "other_samples": "other\ninputs",
    }
    table.add_column("rule", no_wrap=True)
    table.add_column("family", no_wrap=True)
    for head in heads.values():
        table.add_column(head, justify="center", no_wrap=True)
    for rule in rules.names():
        facts = rules.rule_class(rule).facts
        needs = ["yes" if getattr(facts, need) else "·" for need in heads]
        table.add_row(rule, escape(facts.family), *needs)
    show(table, console)


def option_hint(fault: typer.TyperException) -> str:
    """A hint for an unknown option such as `--negative`: which rules have it, and how to set it."""
    command = getattr(getattr(fault, "ctx", None), "command", None)
    takes_options = any(param.name == "option" for param in getattr(command, "params", []))
    name = getattr(fault, "option_name", "").lstrip("-").replace("-", "_")
    if not name or not takes_options:
        return ""
    from synaptree import rules

    having = [rule for rule in rules.names() if name in rules.rule_class(rule).model_fields]
    return f"; an option of {', '.join(having)}, as --option {name}=VALUE" if having else ""


def audit_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RULE]...", help="Rules, or my_rules.py:MyRule (default: all)."),
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="An option of the rule, such as negative=previous.")
    ] = None,
    as_json: AS_JSON = False,
) -> None:
    """Find out what each synapse must know, by changing one thing at a time."""
    from synaptree import rules
    from synaptree.audit import text
    from synaptree.audit.matrix import audit
    from synaptree.training.process import prepare

    options = dict(assignment(words) for words in option or [])
    audited = [rules.named(name, **options) for name in names or rules.names()]
    if not names and not options:  # the online forms beside the others
        audited += filter(None, map(rules.online_form, rules.names()))
    prepare()
    audits = [audit(rule) for rule in audited]
    if as_json:
        print(json.dumps([one.to_json() for one in audits]))
        return
    console = terminal()
    show(text.matrix(audits), console)
    console.print(text.legend(), highlight=False, style="dim")
    for one in audits:
        console.print()
        console.print(text.verdict(one), highlight=False, markup=False)


def check_command(
    names: Annotated[list[str], typer.Argument(metavar="RULE...", help="As my_rules.py:MyRule.")],
    option: Annotated[
        list[str] | None, typer.Option(help="Any option of the rule, as negative=previous.")
    ] = None,
) -> None:
    """Whether rules keep to the contract: a line for each fault, which says what to write."""
    from synaptree import rules
    from synaptree.check.rule import check_rule
    from synaptree.training.process import prepare

    options = dict(assignment(words) for words in option or [])
    prepare()
    console, sound = terminal(), True
    for name in names:
        bare, own = rules.parted(name)
        given = own | options
        faults = check_rule(rules.get(bare, **given) if given else rules.find(bare))
        sound = sound and not faults
        for fault in faults or ["no fault found"]:
            line = f"{name}: {fault}"
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    if not sound:
        raise typer.Exit(FOUND_FAULTS)


def _rule_page(name: str) -> str:
    import inspect
    import textwrap

    from synaptree import rules

    rule = rules.named(name)
    facts, passes = rule.facts, rule.passes
    module = inspect.getdoc(inspect.getmodule(type(rule))) or ""
    fields = [f"{k} = {getattr(rule, k)!r}" for k in type(rule).model_fields if k != "name"]
    parts = [
        f"{facts.title}  ({facts.family})",
        f"citation     {facts.citation}",
        f"equation     {facts.equation}",
        f"differences  {facts.differences}",
        f"phases       {facts.phases} forward or backward passes an update",
        f"passes       {passes:g} through the network's weights for each input",
        f"options      {', '.join(fields) or 'none'}",
    ]
    return "\n".join(parts) + "\n\n" + textwrap.indent(module, "  ")
