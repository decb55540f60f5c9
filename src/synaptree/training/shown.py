"""A result as a person reads it: in a terminal, in a notebook, and as a figure."""

import html
from typing import TYPE_CHECKING

from synaptree.safely import printable

if TYPE_CHECKING:
    from synaptree.plots import Sheet
    from synaptree.training.result import Result


def facts(result: "Result") -> dict[str, str]:
    """What a result is and what it measured, a line each."""
    spec = result.spec
    sizes = " ".join(f"{name}={getattr(spec, name)}" for name in "vnmsL")
    views = f" with views {','.join(spec.views)}" if spec.views else ""
    ended = "diverged" if result.diverged else "stopped early" if result.stopped else ""
    found = {
        "rule": printable(spec.rule.label) + views,
        "trained on": f"{spec.P} strings of {sizes}, grammar seed {spec.grammar_seed}",
        "steps": f"{result.steps} of {spec.steps}" + (f", {ended}" if ended else ""),
        "test error": f"{result.test_error:.4f} (guessing: {1 - 1 / spec.n:.4f})",
        "training error": f"{result.train_error:.4f}",
    }
    if result.collapsed:
        found["collapsed"] = "layers " + ", ".join(map(str, result.collapsed))
    return found


def text(result: "Result") -> str:
    """A result in a terminal."""
    lines = [f"{name:>14}  {value}" for name, value in facts(result).items()]
    if result.portrait is not None:
        lines.append(f"{'probes':>14}  accuracy by layer, levels 1 to {result.spec.L}")
        for layer, accuracies in enumerate(result.portrait.probe, start=1):
            lines.append(f"{f'layer {layer}':>14}  {'  '.join(f'{a:.3f}' for a in accuracies)}")
    return "\n".join(lines)


def page(result: "Result") -> str:
    """A result in a notebook."""
    rows = "".join(
        f'<tr><th style="text-align:left">{html.escape(name)}</th>'
        f'<td style="text-align:left">{html.escape(value)}</td></tr>'
        for name, value in facts(result).items()
    )
    return f"<table>{rows}</table>{figure(result).html()}"


def figure(result: "Result") -> "Sheet":
    """The learning curve of a result, and what its layers represent where that was measured."""
    from synaptree.plots import draw_run  # matplotlib takes a second

    curve, portrait = result.curve, result.portrait
    errors = {"test": curve.test_error, "minibatches": curve.train_error}
    matrices = {}
    if portrait is not None:
        matrices = {"Probe accuracy": portrait.probe, "Synonym sensitivity": portrait.sensitivity}
    return draw_run(curve.step, errors, 1 - 1 / result.spec.n, matrices)
