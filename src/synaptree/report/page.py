"""The report: one self-contained HTML page, drawn from a folder of results and nothing else."""

import base64
import hashlib
import html
import io
from collections.abc import Callable, Sequence
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup

from synaptree.analysis.data_curves import foremost, learned_at
from synaptree.analysis.settings import apart, short_views
from synaptree.analysis.statistics import mean_interval
from synaptree.claims.base import Outcome
from synaptree.grammar.draw import synonyms, tree_svg
from synaptree.grammar.exact import describe, fact_text
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.report.figures import efficiency, laboratory, locality, signal
from synaptree.report.figures import errors as figures
from synaptree.report.tables.runs import COLUMNS, as_csv, as_json, table
from synaptree.results.columns import asked, by_kind
from synaptree.results.frame import load
from synaptree.results.sessions import sessions
from synaptree.safely import plain_cell, write
from synaptree.study.progress import duration


def write_report(folder: Path, outcomes: Sequence[Outcome]) -> Path:
    """Write ``report.html`` into a folder of results, whole or not at all, and return its path.

    Raises SynaptreeError where the folder holds no results or cannot be written.
    """
    page = render(load(folder), outcomes, sessions(folder))
    return write(folder, "report.html", page)


def render(
    frame: pd.DataFrame, outcomes: Sequence[Outcome], made: Sequence[dict[str, Any]] = ()
) -> str:
    """The page for the runs of `load`'s frame, the outcomes of the claims on them, and the sessions
    that made them."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    frame = apart(frame)
    template, script = (
        resources.files("synaptree.report").joinpath(name).read_text("utf-8")
        for name in ("page.html.j2", "page.js")
    )
    done = frame[frame["status"] == "done"]
    compared = foremost(done)  # panels side by side: of the others the table and the curves tell
    rows = table(frame)
    page = environment.from_string(template).render(
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        outcomes=outcomes,
        answer=answer(outcomes, compared),
        figures=[f for each in FIGURES if (f := _figure(done, compared, *each))],
        errors=_by_grammar(error_rows(compared)),
        needs=_by_grammar(efficiency.needs_rows(done)),
        growth=_by_grammar(efficiency.growth_rows(done)),
        columns=COLUMNS,
        runs_json=Markup(as_json(rows)),
        runs_link=_data("text/csv", as_csv(rows)),
        health=_by_grammar(health_rows(compared)),
        failures=frame[frame["status"] == "failed"][["label", "seed", "error"]].to_dict("records"),
        grammars=[_grammar(runs) for _, runs in by_kind(frame.assign(P=0))],
        settings=_settings(frame),
        made=[_session(each) for each in made],
        commands=list(dict.fromkeys(each["command"] for each in made if each.get("command"))),
        versions=", ".join(sorted({str(c) for c in frame["code_version"].dropna()})) or "–",
        runs=len(done),
        rows=len(rows),
        percent=_percent,
    )
    return figures.UNPRINTABLE.sub("", page)


def _session(about: dict[str, Any]) -> dict[str, str]:
    """What a session says of itself, for a reader."""
    told = {k.replace("_", " "): fact_text(v) for k, v in about.items() if v is not None}
    wall = about.get("wall_s")
    if isinstance(wall, int | float):
        told["wall time"] = f"{duration(wall)} on {about.get('workers') or 'a cluster of'} workers"
        told.pop("wall s", None)
    return told


def answer(outcomes: Sequence[Outcome], compared: pd.DataFrame) -> str:
    """One paragraph that says what the data say: who learned what, on the two kinds of grammar with
    the largest P, and the verdicts; every word of it follows from the runs and the outcomes."""
    verdicts = [
        f"{verdict}: {', '.join(_held(o) for o in outcomes if o.verdict == verdict)}"
        for verdict in dict.fromkeys(o.verdict for o in outcomes)
    ]
    asked = "Of the claims, each asked of every rule and kind of grammar,"
    said = f"{asked} {'; '.join(verdicts)}." if outcomes else "No claim was judged."
    return " ".join([*learned(compared)[:2], said])


def _held(outcome: Outcome) -> str:
    """A claim's number and, of one that is not reproduced throughout, how far it holds."""
    if outcome.verdict == "reproduced" or not outcome.evidence:
        return str(outcome.number)
    held = sum(e.holds is True for e in outcome.evidence)
    return f"{outcome.number} ({held} of {len(outcome.evidence)} hold)"


def learned(compared: pd.DataFrame) -> list[str]:
    """Who learned what, a sentence for each kind of grammar on which backprop and rules of both
    families were run, the largest P first: the best rule of a family, and what is in its middle."""
    said: list[str] = []
    for grammar, runs in reversed(list(by_kind(compared))):
        means = runs.groupby("label")["test_error"].mean().sort_values()
        rule = runs.groupby("label")["rule"].first()[means.index]
        backprop, random = (means[rule == name].min() for name in ("backprop", "readout_only"))
        each = {
            family: means[rule.map(figures.family) == family]
            for family in ("direct feedback", "layerwise")
        }
        if np.isnan(backprop) or any(errors.empty for errors in each.values()):
            continue
        floor = "" if np.isnan(random) else f", untrained layers {_percent(random)}"
        rest = [f"{family} {_best_and_middle(errors)}" for family, errors in each.items()]
        said.append(
            f"At {grammar} backprop errs on {_percent(backprop)}{floor}; {'; '.join(rest)}."
        )
    return said


def _best_and_middle(errors: pd.Series) -> str:
    best = f"{_percent(errors.iloc[0])} ({errors.index[0]})"
    if len(errors) == 1:
        return best
    return (
        f"{best} at best, {_percent(float(errors.median()))} in the middle of {len(errors)} rules"
    )


SIDE_BY_SIDE = ("error_by_rule", "learning_curves", "probe_matrices", "sensitivity_matrices",
                "budget_and_probe", "alignment")  # fmt: skip
OF_RUN = ("label", "v", "n", "m", "s", "L", "P", "seed")  # columns of each figure's data
OF_VIEWS = ("label", "views", *OF_RUN[1:])
FIGURES = (
    (
        "error_by_rule", figures.error_by_rule, "Which rules learn",
        "Test error of every rule. Dots are replicas (each a grammar of its own), the bar is their "
        "mean, the line its 95% interval. Colours tell the families apart.",
        [*OF_RUN, "test_error"],
    ),
    (
        "error_against_P", efficiency.error_against_P, "How much data",
        "Test error against the number of training strings, mean and 95% interval over grammars. "
        "Dotted: a tenth of chance error, where the task counts as learned.",
        [*OF_VIEWS, "test_error"],
    ),
    (
        "needs_beside_backprop", efficiency.needs_beside_backprop, "Data, beside backprop",
        "P*, where the error first falls to a tenth of chance, over that of backprop at its best "
        "on the same grammars, with 95% intervals of a bootstrap over grammars.",
        efficiency.needs_table,
    ),
    (
        "growth", efficiency.growth, "How the need for data grows",
        "P* against the number of synonyms and of levels. Grey: how theory says that it grows with "
        "labels, n·m**L, and where siblings are compared, v·m³, whatever L.",
        efficiency.growth_table,
    ),
    (
        "learning_curves", figures.learning_curves, "Learning curves",
        "Test error while learning: the mean over replicas, and from the lowest to the highest.",
        [*OF_RUN, "curve_step", "curve_test_error"],
    ),
    (
        "probe_matrices", figures.probe_matrices, "The hidden hierarchy, linearly read",
        "Accuracy of a linear reader of the latents of each level from each layer. A rule that "
        "finds the hierarchy reads level l from layer l: the framed diagonal. Compare with "
        "readout_only, whose layers are random: what it has, no rule can claim.",
        [*OF_RUN, "probe"],
    ),
    (
        "sensitivity_matrices", figures.sensitivity_matrices, "Synonym sensitivity",
        "How far a layer moves when all synonyms of a level are exchanged, relative to two "
        "unrelated inputs. A layer that stands for level l does not move under exchanges below it.",
        [*OF_RUN, "sensitivity"],
    ),
    (
        "budget_and_probe", signal.budget_and_probe, "The signal budget",
        "What a view offers a layer, exactly: the mutual information of the patch that the layer "
        "reads with what the view sets beside it; and what became of it: how well the latents of "
        "the layer's own level are read from it. Marks are views, numbers layers; pointed at, "
        "a mark says its rule. Dotted: random layers. Left out are halves of a layer's units.",
        signal.budget_table,
    ),
    (
        "locality", locality.locality, "What each synapse must know",
        "Found by changing one thing at a time in a trained network and comparing each layer's "
        "update bit for bit. Blank: there is no such thing for the rule. Rules that can learn from "
        "one input after the other are there in that form too.",
        locality.locality_table,
    ),
    (
        "ladder", laboratory.ladder, "Where masks begin to matter",
        "Test error against the number of synonyms, from shallow to deep: backprop, backprop with "
        "another input's masks, without masks, and direct feedback alignment. P is another at "
        "each step: the more there is to learn, the more strings.",
        laboratory.ladder_table,
    ),
    (
        "phase_diagram", laboratory.phase_diagram, "Right weights or right masks",
        "Mean test error of backprop's chain over two dials: how like the forward weights the "
        "feedback weights are, and at which fraction of the units above the true masks are kept.",
        laboratory.phase_table,
    ),
    (
        "masks_above", laboratory.masks_above, "How far up masks matter",
        "Test error when each layer's signal keeps the masks of the next layers above alone.",
        laboratory.masks_above_table,
    ),
    (
        "alignment", laboratory.alignment, "The angle with backprop",
        "The cosine of each layer's update with backprop's, while learning; the number is the "
        "layer. Grey: the null, direct feedback with fresh random weights.",
        [*OF_RUN, "curve_step", "curve_alignment",
         "curve_null"],
    ),
)  # fmt: skip


def _figure(
    done: pd.DataFrame,
    compared: pd.DataFrame,
    name: str,
    draw: Any,
    title: str,
    caption: str,
    data: list[str] | Callable[[pd.DataFrame], pd.DataFrame],
) -> Any:
    drawn = compared if name in SIDE_BY_SIDE else done
    figure = draw(drawn) if len(drawn) else None
    if figure is None:
        return None
    text = figures.svg(figure, name)
    values = io.StringIO()
    shown = drawn[data] if isinstance(data, list) else data(drawn)
    shown.map(_rounded).map(plain_cell).to_csv(values, index=False)
    label = html.escape(f"{title}. {caption}", quote=True)
    return {
        "name": name,
        "title": title,
        "caption": caption,
        "svg": Markup(text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)),
        "csv_link": _data("text/csv", values.getvalue()),
    }


def _rounded(value: Any) -> Any:
    """Numbers of curves and matrices to 5 digits: all 17 would be most of a large page."""
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return round(value, 5) if isinstance(value, float) else value


def _data(kind: str, text: str) -> Markup:
    return Markup(f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}")


def error_rows(done: pd.DataFrame) -> list[dict[str, Any]]:
    """One row a rule and grammar: mean test error, interval, replicas, steps, seconds a replica."""
    found: list[dict[str, Any]] = []
    for grammar, runs in by_kind(done):
        for label, family in figures.labels(runs):
            of_rule = runs[runs["label"] == label].sort_values("seed")
            mean, low, high = mean_interval(of_rule["test_error"].tolist())
            found.append(
                {
                    "grammar": grammar,
                    "label": label,
                    "family": family,
                    "views": short_views(of_rule["views"].iloc[0]),
                    "mean": mean,
                    "interval": (max(low, 0.0), min(high, 1.0)) if len(of_rule) > 1 else None,
                    "each": of_rule["test_error"].tolist(),
                    "train": of_rule["train_error"].mean(),
                    "steps": int(of_rule["steps"].max()),
                    "learned_at": steps_to_learn(of_rule),
                    "seconds": (of_rule["wall_s"] / of_rule["replicas"]).mean(),
                }
            )
    return found


def steps_to_learn(runs: pd.DataFrame) -> float:
    """The median over replicas of `learned_at`; infinite where half of them, or more, never got
    there."""
    found = learned_at(runs)
    return float(np.median(found)) if found else np.inf


def _by_grammar(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Rows under the grammars they stand for, in their order."""
    return [(name, list(same)) for name, same in groupby(rows, lambda row: str(row["grammar"]))]


def health_rows(done: pd.DataFrame) -> list[dict[str, Any]]:
    """One row a rule and grammar: per layer the effective rank, the spread and dead units."""
    found: list[dict[str, Any]] = []
    for grammar, runs in by_kind(done[done["rank"].notna()]):
        for label, family in figures.labels(runs):
            of_rule = runs[runs["label"] == label]
            row: dict[str, Any] = {"grammar": grammar, "label": label, "family": family}
            for name in ("rank", "spread", "dead"):
                row[name] = figures.mean_there(of_rule[name].tolist()).tolist()
            lost = [set(layers) for layers in of_rule["collapsed"] if isinstance(layers, list)]
            row["collapsed"] = sorted(set[int]().union(*lost))
            found.append(row)
    return found


def _grammar(runs: pd.DataFrame) -> dict[str, Any]:
    first = runs.sort_values("seed").iloc[0]
    model = RandomHierarchyModel(*(int(first[k]) for k in ("v", "n", "m", "s", "L", "seed")))
    facts = describe(model)
    bits = facts.pop("bits")
    small = model.d <= 64  # a wider tree is no picture any more
    x = model.sample(1, seed=0, replace=True).x[0]
    return {
        "facts": {k.replace("_", " "): fact_text(v) for k, v in facts.items()},
        "bits": [{k.replace("_", " "): fact_text(v) for k, v in row.items()} for row in bits],
        "tree": Markup(tree_svg(model, x)) if small else None,
        "synonyms": synonyms(model, x) if small else [],
        "depth": model.L if small else 0,
        "seed": int(first["seed"]),
        "seeds": sorted({int(s) for s in runs["seed"]}),
    }


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}%"


def _settings(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Each program once: every setting of its spec but the seeds, exactly."""
    names = asked(frame)
    return [
        {k: fact_text(row[k]) for k in names}
        for row in frame[names].drop_duplicates().to_dict("records")
    ]
