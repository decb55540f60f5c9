"""P* in numbers: how many strings each rule needs."""

from collections.abc import Iterator
from itertools import groupby

from synaptree.analysis.data_curves import DataCurve, needs_said, ratio_said
from synaptree.analysis.settings import short_views
from synaptree.report.inputs import Inputs
from synaptree.report.tables.base import Row, Table


def rows(inputs: Inputs) -> Iterator[Row]:
    """A row a rule and kind of grammar that was run at several P; who needs least stands first."""
    places = {kind: i for i, kind in enumerate(dict.fromkeys(c.name for c in inputs.curves))}

    def order(curve: DataCurve) -> tuple[int, float]:
        return places[curve.name], curve.needs().value

    for kind, curves in groupby(sorted(inputs.curves, key=order), lambda c: c.name):
        for curve in curves:
            yield _row(kind, curve, inputs)


def _row(kind: str, curve: DataCurve, inputs: Inputs) -> Row:
    theory = ", ".join(f"{name} = {value}" for name, value in curve.predicted.items())
    reference = inputs.references.get(tuple(curve.kind.values()))
    beside = reference is not None and reference is not curve
    cells = (
        str(len(curve.errors)),
        f"{curve.sizes[0]} – {curve.sizes[-1]}",
        needs_said(curve),
        ratio_said(curve, reference) if reference is not None and beside else "",
    )
    return Row(f"{kind}: {theory}", curve.label, cells, note=short_views(curve.views))


TABLE = Table(
    "needs",
    "P* in numbers",
    "P* is the number of strings at which the mean error first falls to a tenth of chance. It "
    "stands here also over that of backprop at its best, with 95% intervals of a bootstrap over "
    "grammars: with ten grammars they cover the truth in 93 to 97 of 100 studies, with five in "
    "about 90, in fewer where grammars differ by more than a quarter. >: more than was tried. "
    "≤: the least that was tried was enough. ?: no bound.",
    ("Rule", "Grammars", "P tried", "P*", "Over backprop's"),
    rows,
    beside="error_against_P",
)
