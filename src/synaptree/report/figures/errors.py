"""Figures: pure functions from the frame of `load` to a matplotlib Figure.

The same frame gives the same bytes of SVG. Colours (Okabe & Ito) tell the families apart for
colour-blind readers too. Runs that failed are left out.
"""

import io
import re
import textwrap
import warnings
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from synaptree.analysis.statistics import mean_interval
from synaptree.results.columns import by_kind
from synaptree.rules import names, rule_class

COLOURS = {
    "reference": "#555555",
    "control": "#E69F00",
    "direct feedback": "#D55E00",
    "layerwise": "#0072B2",
    "own": "#009E73",
}
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "text.parse_math": False,  # labels are anybody's, and a $ is a $
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


ACROSS = 3  # panels beside each other
CROWDED = 12  # curves in a panel: of more, families have panels of their own
TIP = "tip:"  # a gid that begins with it becomes the title of its element: what hovering shows
LONG = re.compile(r"-?\d+\.\d{5,}")  # a place in a figure, in its tags
UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML


def family(rule: str) -> str:
    """The family of a rule by its name; `own` for a rule that is none of the package's."""
    return rule_class(rule).facts.family if rule in names() else "own"


def labels(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Each label with its family: families in the order of COLOURS, labels as rules are listed."""
    order = list(COLOURS)
    known = names()
    pairs = frame[["label", "rule"]].drop_duplicates().itertuples(index=False)
    found = {str(p.label): str(p.rule) for p in pairs}

    def rank(label: str) -> tuple[int, int, str]:
        rule = found[label]
        place = known.index(rule) if rule in known else len(known)
        return order.index(family(rule)), place, label

    return [(label, family(found[label])) for label in sorted(found, key=rank)]


def error_by_rule(frame: pd.DataFrame) -> Figure:
    """Test error of every rule, a panel for each grammar: replicas as dots, mean, 95% interval."""
    panels = list(by_kind(frame))
    rows = labels(frame[frame["status"] == "done"])
    across, down = arranged(len(panels))
    with mpl.rc_context(STYLE):
        size = (max(4.0 * across, 5) + 1.6, down * (0.3 * len(rows) + 1.5))
        figure = Figure(figsize=size, layout="constrained")
        grid = _grid(figure, down, across, sharey=True)
        axes = list(grid.flat)
        for axis, (name, runs) in zip(axes, panels, strict=False):
            chance = 1 - 1 / float(runs["n"].iloc[0])
            axis.axvline(chance, color="#999999", linestyle=":", linewidth=1)
            axis.text(
                chance, -0.75, "chance", color="#666666", ha="center", va="bottom", fontsize=9
            )
            for place, (label, kind) in enumerate(rows):
                own = runs[runs["label"] == label].sort_values("seed")
                if len(own):
                    _replicas(axis, place, own, COLOURS[kind], f"{label}, {name}")
            axis.set_title(name, fontsize=10, loc="left", pad=18)
            axis.set_xlim(-0.03, 1.0)
            axis.set_xlabel("test error")
            axis.grid(axis="x", color="#dddddd", linewidth=0.6)
            axis.set_axisbelow(True)
            axis.tick_params(axis="y", length=0)
        for axis in axes[len(panels) :]:
            axis.set_axis_off()
        axes[0].set_ylim(len(rows) - 0.5, -0.8)
        for first in grid[:, 0]:
            first.set_yticks(range(len(rows)), [label for label, _ in rows])
            for tick, (_, kind) in zip(first.get_yticklabels(), rows, strict=True):
                tick.set_color(COLOURS[kind])
    return figure


def _replicas(axis: Axes, place: int, runs: pd.DataFrame, colour: str, name: str) -> None:
    errors = runs["test_error"].to_numpy()
    mean, low, high = mean_interval(errors)
    said = f"{name}: {mean:.4f}"
    if np.isfinite(low):
        bounds = [max(low, 0), min(high, 1)]
        said += f" [{bounds[0]:.4f}, {bounds[1]:.4f}]"
        axis.plot(bounds, [place, place], color=colour, linewidth=2, alpha=0.45)
    look: Any = {"color": colour, "markersize": 4, "alpha": 0.55, "mew": 0}
    if len(errors) > 50:  # too many to point at
        axis.plot(errors, [place] * len(errors), "o", **look)
    else:
        for seed, error in zip(runs["seed"], errors, strict=True):
            (dot,) = axis.plot([error], [place], "o", **look)
            tip(dot, f"{name}, seed {seed}: {error:.4f}")
    (bar,) = axis.plot([mean], [place], "|", color=colour, markersize=15, mew=2.4)
    tip(bar, said)


def tip(artist: Artist, text: str) -> None:
    """What hovering over a part of a figure shows."""
    artist.set_gid(TIP + text)


def learning_curves(frame: pd.DataFrame) -> Figure:
    """Test error against steps, a panel for each grammar (of many rules: for each family): mean
    over replicas, lowest to highest."""
    panels = [panel for name, runs in by_kind(frame) for panel in _by_family(name, runs)]
    rows = labels(frame[frame["status"] == "done"])
    across, down = arranged(len(panels))
    with mpl.rc_context(STYLE):
        legend = 0.19 * -(-len(rows) // 3)
        size = (max(4.6 * across, 5), 3.5 * down + legend)
        figure = Figure(figsize=size, layout="constrained")
        axes = list(_grid(figure, down, across, sharey=True).flat)
        styles = ["-", "--", ":", "-."]
        handles: dict[str, Any] = {}
        used: dict[str, int] = {}
        for label, kind in rows:  # the lines of a family share its colour, not its dashes
            dash = styles[used.get(kind, 0) % len(styles)]
            used[kind] = used.get(kind, 0) + 1
            for axis, (name, runs) in zip(axes, panels, strict=False):
                steps, errors = _curves(runs[runs["label"] == label])
                if not len(steps):
                    continue
                mean = mean_there(errors)
                (line,) = axis.plot(steps, mean, dash, color=COLOURS[kind], linewidth=1.6)
                tip(line, f"{label}, {name}: {mean[-1]:.4f} after {steps[-1]} steps")
                axis.fill_between(
                    steps,
                    np.fmin.reduce(errors),
                    np.fmax.reduce(errors),
                    color=COLOURS[kind],
                    alpha=0.12,
                    linewidth=0,
                )
                handles.setdefault(label, line)
        for axis, (name, _) in zip(axes, panels, strict=False):
            axis.set_title(name, fontsize=10, loc="left")
            axis.set_xlabel("steps")
            axis.set_ylim(0, 1)
            axis.set_ylabel("test error")
            axis.grid(color="#dddddd", linewidth=0.6)
        for axis in axes[len(panels) :]:
            axis.set_axis_off()
        if handles:
            figure.legend(
                list(handles.values()), list(handles), loc="outside lower center", ncols=3,
                frameon=False, fontsize=9,
            )  # fmt: skip
    return figure


def _by_family(name: str, runs: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    found = labels(runs)
    if len(found) <= CROWDED:
        return [(name, runs)]
    return [
        (f"{name}\n{kind}", runs[runs["label"].isin([label for label, of in found if of == kind])])
        for kind in dict.fromkeys(kind for _, kind in found)
    ]


def _curves(runs: pd.DataFrame) -> tuple[Any, Any]:
    """Steps that all replicas reached, and their errors (replicas, steps)."""
    runs = runs[runs["curve_step"].notna() & runs["curve_test_error"].notna()]
    steps, errors = list(runs["curve_step"]), list(runs["curve_test_error"])
    shared = min((len(each) for each in steps), default=0)
    return np.array(steps[0][:shared] if shared else []), np.array(
        [e[:shared] for e in errors], float
    )


def probe_matrices(frame: pd.DataFrame) -> Figure:
    """Accuracy of a linear reader, layers × latent levels, for each rule and grammar; the mean."""
    return _matrices(frame, "probe", "Blues", "level read")


def sensitivity_matrices(frame: pd.DataFrame) -> Figure:
    """Synonym sensitivity, layers × level exchanged, for each rule and grammar; the mean."""
    return _matrices(frame, "sensitivity", "Oranges", "level exchanged")


def _matrices(frame: pd.DataFrame, column: str, colours: str, xlabel: str) -> Figure:
    across = 5
    panels = [(name, runs[runs[column].notna()]) for name, runs in by_kind(frame)]
    panels = [(name, runs) for name, runs in panels if len(runs)]
    downs = [-(-len(labels(runs)) // across) for _, runs in panels]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.85 * across, 2.2 * sum(downs) + 0.4), layout="constrained")
        if not panels:
            return figure
        parts = figure.subfigures(len(panels), 1, squeeze=False, height_ratios=downs)[:, 0]
        for part, (name, runs), down in zip(parts, panels, downs, strict=True):
            part.suptitle(name, fontsize=10, weight="bold", x=0.01, ha="left")
            grid = part.subplots(down, across, squeeze=False)
            for axis in grid.flat:
                axis.set_axis_off()
            for place, (label, kind) in enumerate(labels(runs)):
                mean = mean_there(runs[runs["label"] == label][column].tolist())
                _matrix(grid.flat[place], mean, colours, f"{label}, {name}, {xlabel}")
                grid.flat[place].set_title(folded(label), fontsize=9, color=COLOURS[kind])
                grid.flat[place].set_xlabel(xlabel, fontsize=8)
                grid.flat[place].set_ylabel("layer", fontsize=8)
    return figure


def folded(label: str) -> str:
    """A label in lines as wide as a small panel."""
    return textwrap.fill(label, 24, break_long_words=False, break_on_hyphens=False)


def _shortened(number: re.Match[str]) -> str:
    # Halves lie on the edge of what is rounded up, and the layout has many: a little beside them.
    return f"{float(number[0]) + 1.7e-5:.4f}".rstrip("0").rstrip(".")


def mean_there(values: Any) -> Any:
    """The mean over the first axis of the values that are there; NaN only where none is."""
    numbers = np.array(values, float)
    count = np.isfinite(numbers).sum(0)
    total = np.where(np.isfinite(numbers), numbers, 0).sum(0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _matrix(axis: Axes, values: Any, colours: str, name: str) -> None:
    """One matrix with its numbers; layer 1 at the bottom, as in the network."""
    layers, levels = values.shape
    axis.set_axis_on()
    axis.imshow(values, cmap=colours, vmin=0, vmax=1.15, origin="lower", aspect="equal")
    for l in range(layers):
        for k in range(levels):
            value = values[l, k]
            text = "–" if np.isnan(value) else f"{value:.2f}"
            dark = value > 0.72
            cell = axis.text(k, l, text, ha="center", va="center", fontsize=8,
                             color="white" if dark else "#222222",
                             weight="bold" if k == l else "normal")  # fmt: skip
            tip(cell, f"{name} {k + 1}, layer {l + 1}: {value:.4f}")
    for k in range(min(layers, levels)):
        axis.add_patch(Rectangle((k - 0.5, k - 0.5), 1, 1, fill=False, ec="#111111"))
    axis.set_xticks(range(levels), [str(k + 1) for k in range(levels)], fontsize=8)
    axis.set_yticks(range(layers), [str(l + 1) for l in range(layers)], fontsize=8)
    axis.tick_params(length=0)
    for side in axis.spines.values():
        side.set_visible(False)


def arranged(number: int) -> tuple[int, int]:
    """How many panels stand beside each other, and how many rows of them; at least one."""
    return min(max(number, 1), ACROSS), -(-max(number, 1) // ACROSS)


def _grid(figure: Figure, down: int, across: int, sharey: bool) -> Any:
    return figure.subplots(down, across, squeeze=False, sharey=sharey)


def svg(figure: Figure, name: str) -> str:
    """A figure as an SVG element. Bytes and ids depend on the figure and its name alone.

    name: makes the ids of this figure differ from those of others in one page.
    """
    out = io.StringIO()
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        # Text stays text: the reader's fonts may have what ours lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(
            out, format="svg", metadata={"Date": None, "Creator": None}, transparent=True
        )
    text = UNPRINTABLE.sub("", out.getvalue())
    tips = rf"""<g id=(["']){TIP}(.*?)\1>"""  # quoted with what the text does not have
    text = re.sub(tips, r'<g class="tip"><title>\2</title>', text)
    # The last digits of a layout are chance: they are in places, and in the names of clips.
    text = re.sub(r"<[a-zA-Z][^>]*>", lambda tag: LONG.sub(_shortened, tag[0]), text)
    numbers: dict[str, str] = {}
    text = re.sub(
        r'(\bid="|url\(#)(p[0-9a-f]{10})(?=[")])',
        lambda clip: clip[1] + numbers.setdefault(clip[2], f"p{len(numbers) + 1}"),
        text,
    )
    # matplotlib counts its ids from 1 in every figure; one page holds several.
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text[text.index("<svg") :])
