"""A result as a person reads it: in a terminal, in a notebook, and as a figure."""

import html
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from synaptree.errors import SynaptreeError, shown
from synaptree.safely import printable
from synaptree.training.solved import chance_error

if TYPE_CHECKING:
    from synaptree.plots import Sheet
    from synaptree.training.result import Result
    from synaptree.training.spec import RunSpec


def facts(result: "Result") -> dict[str, str]:
    """What a result is and what it measured, a line each."""
    spec = result.spec
    views = f" with views {','.join(spec.views)}" if spec.views else ""
    ended = "diverged" if result.diverged else "stopped early" if result.stopped else ""
    found = {
        "rule": printable(spec.rule.label) + views,
        "trained on": _inputs(spec),
        "steps": f"{result.steps} of {spec.steps}" + (f", {ended}" if ended else ""),
        "test error": f"{result.test_error:.4f} (guessing: {chance_error(spec.n):.4f})",
        "training error": f"{result.train_error:.4f}",
    }
    if result.collapsed:
        found["collapsed"] = "layers " + ", ".join(map(str, result.collapsed))
    return found


def _inputs(spec: "RunSpec") -> str:
    """What a run is trained on."""
    if spec.data:
        sizes = f"n={spec.n} s={spec.s} L={spec.L}"
        return f"{spec.P} inputs of {printable(spec.data)} ({sizes}), data seed {spec.data_seed}"
    sizes = " ".join(f"{name}={getattr(spec, name)}" for name in "vnmsL")
    variant = f" {spec.variant}" if spec.variant else ""
    return f"{spec.P} strings of {sizes}{variant}, grammar seed {spec.grammar_seed}"


def text(result: "Result") -> str:
    """A result in a terminal."""
    lines = [f"{name:>14}  {value}" for name, value in facts(result).items()]
    if result.portrait is not None:
        lines.append(f"{'probes':>14}  accuracy by layer, levels 1 to {result.spec.L}")
        for layer, accuracies in enumerate(result.portrait.probe, start=1):
            said = ("  –  " if math.isnan(a) else f"{a:.3f}" for a in accuracies)
            lines.append(f"{f'layer {layer}':>14}  {'  '.join(said)}")
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
    return draw_run(curve.step, errors, chance_error(result.spec.n), matrices)


def movie(results: "Sequence[Result]", path: str | Path, seconds: float = 0.5) -> Path:
    """A run while it learns, as an animated GIF: the figure of each result, in their order.

    results: of one run, each trained further than the one before, as ``train(…, resume=before)``
    gives them.  seconds: how long each is shown.
    """
    from synaptree.plots import animate
    from synaptree.training.result import Result

    listed = list(results) if isinstance(results, Sequence) else []  # pyright: ignore[reportUnnecessaryIsInstance]
    path = Path(path)
    if path.suffix.lower() != ".gif":
        raise SynaptreeError(
            f"movie: {shown(str(path))} given; expected a file name ending in .gif"
        )
    if not listed or not all(isinstance(each, Result) for each in listed):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SynaptreeError(
            f"movie: {shown(results)} given; expected a list of results, as of train(…)"
        )
    sheets = [each.plot() for each in listed]
    for sheet in sheets:
        sheet.axes[0].set_xlim(0, max(each.steps for each in listed))
    path.parent.mkdir(parents=True, exist_ok=True)
    animate(sheets, path, seconds)
    return path
