"""What `synaptree train` prints: a table with a row for each seed, or one JSON object."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from synaptree.cli.words import cell
from synaptree.results.row import Row
from synaptree.training.spec import RunSpec


def training_json(spec: RunSpec, rows: Sequence[Row]) -> dict[str, Any]:
    """The JSON object of `train --json`; its lists have one entry a seed."""
    matrices = [row["portrait"]["probe"] for row in rows]
    return {
        "rule": spec.rule.name,
        "rule_options": spec.rule.model_dump(mode="json", exclude={"name"}),
        "views": list(spec.views),
        **{name: getattr(spec, name) for name in ("v", "n", "m", "s", "L", "P")},
        "seed": spec.grammar_seed,
        "replicas": len(rows),
        "steps": spec.steps,
        "steps_made": [row["steps"] for row in rows],
        "test_error": [row["test_error"] for row in rows],
        "train_error": [row["train_error"] for row in rows],
        # How well the latents of a layer's own level are read from each layer.
        "probe": [[layer[l] for l, layer in enumerate(matrix)] for matrix in matrices],
        "probe_matrix": matrices,
        "run_id": [row["run_id"] for row in rows],
        "wall_s": max(row["wall_s"] for row in rows),
        "code_version": rows[0]["code_version"],
    }


def print_training(rows: Sequence[Row], console: Console) -> None:
    """Print the errors and the probes of runs that differ in their seeds."""
    table = Table(title=cell(rows[0]["label"]), title_justify="left")
    depth = len(rows[0]["portrait"]["probe"])
    heads = [f"level {k}\nin layer {k}" for k in range(1, depth + 1)]
    for name in ("seed", "steps", "test\nerror", "train\nerror", *heads):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        probe = [f"{row['portrait']['probe'][k][k]:.3f}" for k in range(depth)]
        errors = [f"{row[name]:.4f}" for name in ("test_error", "train_error")]
        table.add_row(str(row["spec"]["grammar_seed"]), str(row["steps"]), *errors, *probe)
    console.print(table)
    for row in rows:
        if row["collapsed"]:
            layers = ", ".join(map(str, row["collapsed"]))
            seed = row["spec"]["grammar_seed"]
            console.print(f"seed {seed}: collapsed (effective rank below 2) in layer {layers}")
