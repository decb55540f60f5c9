"""The grammars of a report: a drawing, and what is known exactly about each kind."""

from typing import Any

import pandas as pd
from markupsafe import Markup

from synaptree.grammar.draw import synonyms, tree_svg
from synaptree.grammar.exact import describe, fact_text
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.report.inputs import Inputs
from synaptree.report.style import kinds
from synaptree.results.columns import plain

WIDEST = 64  # tokens; a wider tree is no picture any more


def grammars(inputs: Inputs) -> list[dict[str, Any]]:
    """One entry for each kind of grammar, of its first seed."""
    return [_grammar(runs) for _, runs in kinds(plain(inputs.runs).assign(P=0))]


def _grammar(runs: pd.DataFrame) -> dict[str, Any]:
    first = runs.sort_values("seed").iloc[0]
    model = RandomHierarchyModel(*(int(first[k]) for k in ("v", "n", "m", "s", "L", "seed")))
    facts = describe(model)
    bits = facts.pop("bits")
    small = model.d <= WIDEST
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
