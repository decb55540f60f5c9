"""The long parts of the reference, made while the site is built, and never by hand.

Each function returns the Markdown of a part.  On a page of `docs/reference` the part stands as an
empty fence with its name, such as ``{commands}``.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any, get_args

import typer
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import synaptree
from docs_site.equations import mathml
from docs_site.tables import cell, code, table
from synaptree import rules
from synaptree.cli import app
from synaptree.rules.facts import Family

PARTS = {
    "Train and measure": ("make_spec", "RunSpec", "train", "train_replicas", "Result", "save"),
    "Grammars and data": ("RandomHierarchyModel", "Dataset"),
    "Studies": (
        *("run_study", "load", "Update", "search", "Winner", "needs", "needs_of", "DataNeeds"),
        *("reproduce", "conclude", "Conclusion"),
    ),
    "Rules": ("rules", "audit", "check_rule", "judge", "Judgement"),
    "Networks and measures": (
        *("TreeNet", "load_network", "measure", "Measures", "signal_to_noise", "SignalRow"),
        *("label_map", "LabelRow", "figures"),
    ),
    "Errors": ("SynaptreeError",),
}
# What `synaptree.rules` lets others use, beside the class `Rule`.
OF_RULES = ("get", "names", "find", "rule_class")
# What docs/grammar.md uses, by its place in `synaptree.grammar`.
OF_GRAMMARS = {
    "The grammar and its strings": {
        "family": ("TreeGrammar", "Zipf", "Sparse", "Noise"),
        "derivation": ("Samples",),
        "family.invariances": ("shift", "synonym"),
    },
    "Where rules come from": {"family": ("MixedRules", "CorrelationFree", "OwnRules")},
    "Exact answers": {
        "family.posterior": ("posterior", "Posterior", "log_probability", "sample_posterior"),
        "family.bayes": ("bayes_error", "BayesError"),
        "family.laws": ("joint", "siblings", "budget"),
        "family.predictions": (
            *("predicted", "Predicted", "rule_sample_complexity"),
            *("sparse_sample_complexity", "mixed_sample_complexity"),
        ),
    },
    "Tasks and data sets": {
        "family.tasks": (
            *("Task", "class_of_string", "latent_of_node", "masked_tokens", "last_token"),
            *("next_token", "inputs_and_targets"),
        ),
        "family.data": ("TreeDataset", "FreshBatches", "Split", "card", "grammar_of"),
        "family.layout": (
            *("save_npz", "load_npz", "save_parquet", "load_parquet"),
            *("rules_from_top", "trees_from_top", "samples_from_top"),
        ),
    },
    "Pictures": {"family.draw": ("draw_tree", "draw_posterior")},
}


# The command line


def commands() -> str:
    """Every command, with its arguments and options."""
    return "\n\n".join(_command(words, each) for words, each in every_command())


def every_command() -> Iterator[tuple[str, Any]]:
    """Each command that does something, with the words to type."""
    yield from _below("synaptree", typer.main.get_command(app))


def _below(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words, command
    else:
        for name, each in inner.items():
            yield from _below(f"{words} {name}", each)


def _command(words: str, command: Any) -> str:
    context: Any = typer.Context(command)
    usage = " ".join([words, *command.collect_usage_pieces(context)])
    records = [(p, p.get_help_record(context)) for p in command.params]
    rows = [(code(record[0]), cell(record[1])) for _, record in records if record]
    parts = [f"## {words}", cell_text(command.help), f"```text\n{usage}\n```"]
    if rows:
        parts.append(table(("argument or option", "meaning"), iter(rows)))
    return "\n\n".join(parts)


def cell_text(text: str | None) -> str:
    """A help text as paragraphs."""
    return "\n\n".join(cell(each) for each in (text or "").split("\n\n"))


# Rules


def rule_index() -> str:
    """All rules by family, each with its equation and a link to its page."""
    parts: list[str] = []
    for family in get_args(Family):
        names = [name for name in rules.names() if rules.rule_class(name).facts.family == family]
        rows = (_rule(name) for name in names)
        parts.append(
            f"## {family.capitalize()}\n\n{table(('rule', 'what a synapse learns from'), rows)}"
        )
    return "\n\n".join(parts)


def _rule(name: str) -> tuple[str, str]:
    facts = rules.rule_class(name).facts
    group = f"<br>{facts.subfamily}" if facts.subfamily not in ("", facts.family) else ""
    equations = "<br>".join(mathml(part) for part in facts.equation.split(";  "))
    return f"[{facts.title}](rules/{name}.md){group}", equations


# Python


def public_names() -> str:
    """Every public name with its signature and its docstring."""
    parts: list[str] = []
    for title, names in PARTS.items():
        parts += [f"## {title}", *map(_documented, names)]
    return "\n\n".join(parts)


def _documented(name: str) -> str:
    if name == "figures":
        lines = [
            f".. autofunction:: synaptree.figures.{each}" for each in synaptree.figures.__all__
        ]
    elif name == "rules":
        lines = [f".. autofunction:: synaptree.rules.{each}" for each in OF_RULES]
        lines += [".. autoclass:: synaptree.rules.Rule\n   :members:"]
    elif name == "audit":
        lines = [".. autofunction:: synaptree.audit.matrix.audit"]
    elif isinstance(getattr(synaptree, name), type):
        lines = [f".. autoclass:: synaptree.{name}\n   :members:"]
    else:
        lines = [f".. autofunction:: synaptree.{name}"]
    return "```{eval-rst}\n" + "\n\n".join(lines) + "\n```"


def grammar_names() -> str:
    """What `synaptree.grammar.family` lets others use, with signatures and docstrings."""
    parts: list[str] = []
    for title, modules in OF_GRAMMARS.items():
        parts.append(f"## {title}")
        for module, names in modules.items():
            home = import_module(f"synaptree.grammar.{module}")
            parts += [_of_grammar(home, name) for name in names]
    return "\n\n".join(parts)


def _of_grammar(home: ModuleType, name: str) -> str:
    kind = "class" if isinstance(getattr(home, name), type) else "function"
    members = "\n   :members:" if kind == "class" else ""
    return f"```{{eval-rst}}\n.. auto{kind}:: {home.__name__}.{name}{members}\n```"


# Their places on pages


def _directive(part: Callable[[], str]) -> type[SphinxDirective]:
    class Part(SphinxDirective):
        """A part of the reference, in place of a fence."""

        def run(self) -> list[nodes.Node]:
            return self.parse_text_to_nodes(part(), allow_section_headings=True)

    return Part


DIRECTIVES = {
    "commands": _directive(commands),
    "rule-index": _directive(rule_index),
    "public-names": _directive(public_names),
    "grammar-names": _directive(grammar_names),
}
