"""What `synaptree train` prints: a table with a row for each seed, or one JSON object."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from synaptree.cli.words import cell, show
from synaptree.results.columns import state
from synaptree.results.row import Row
from synaptree.training.solved import chance_error, solved_at
from synaptree.training.spec import RunSpec


def training_json(spec: RunSpec, rows: Sequence[Row]) -> dict[str, Any]:
    """The JSON object of `train --json`; its lists have one entry a seed.

    Of a run that diverged the errors are those of guessing, and the probes are null; they are null
    without a portrait, too.
    """
    matrices = [_probes(row) for row in rows]
    return {
        "rule": spec.rule.name,
        "rule_options": spec.rule.model_dump(mode="json", exclude={"name"}),
        "views": list(spec.views),
        **{name: getattr(spec, name) for name in ("v", "n", "m", "s", "L", "P")},
        "variant": spec.variant,
        "data": str(spec.data),
        "seed": spec.grammar_seed,
        "replicas": len(rows),
        "steps": spec.steps,
        "steps_made": [row["steps"] for row in rows],
        **{name: [row[name] for row in rows] for name in ("diverged", "stopped", "collapsed")},
        "test_error": [row["test_error"] for row in rows],
        "train_error": [row["train_error"] for row in rows],
        "bayes_error": [row["bayes_error"] for row in rows],
        # How well the latents of a layer's own level are read from each layer.
        "probe": [[layer[l] for l, layer in enumerate(matrix)] for matrix in matrices],
        "probe_matrix": matrices,
        "run_id": [row["run_id"] for row in rows],
        "wall_s": max(row["wall_s"] for row in rows),
        "code_version": rows[0]["code_version"],
    }


def print_training(rows: Sequence[Row], console: Console) -> None:
    """Print errors and probes of runs that differ in their seeds, and what became of them."""
    table = Table(title=cell(rows[0]["label"]), title_justify="left")
    depth = rows[0]["spec"]["L"]
    own, variant = rows[0]["spec"]["data"], rows[0]["spec"]["variant"]
    # Of data of one's own no hidden tree is known, but each layer may be asked for the class.
    heads = [f"{'class' if own else f'level {k}'}\nin layer {k}" for k in range(1, depth + 1)]
    errors = {"test_error": "test\nerror", "train_error": "train\nerror"}
    if variant:
        errors["bayes_error"] = "Bayes\nerror"
    for name in ("seed", "steps", *errors.values(), *heads):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        probe = [_number(layer[-1 if own else l], 3) for l, layer in enumerate(_probes(row))]
        numbers = [_number(row[name], 4) for name in errors]
        table.add_row(str(row["spec"]["grammar_seed"]), str(row["steps"]), *numbers, *probe)
    show(table, console)
    n = rows[0]["spec"]["n"]
    solved = "" if own else f"; a grammar is solved at {solved_at(n):.4f} or less"
    console.print(f"Guessing errs on {chance_error(n):.4f}{solved}.", soft_wrap=True)
    for row in rows:
        if (became := state(row)) != "done":
            console.print(f"seed {row['spec']['grammar_seed']}: {became}", soft_wrap=True)


def _probes(row: Row) -> list[list[float | None]]:
    """The probes of each level on each layer; None where they were not measured."""
    depth = row["spec"]["L"]
    return row["portrait"]["probe"] if row["portrait"] else [[None] * depth] * depth


def _number(value: float | None, digits: int) -> str:
    """A number for a table; a dash for what was not measured, or diverged."""
    return "–" if value is None else f"{value:.{digits}f}"
