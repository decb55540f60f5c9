"""`synaptree grammar`: draw a tree of a grammar, or show what is known exactly about it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synaptree.cli.words import AS_JSON, DEPTH, PLACE, SEED, WHOLE, M, N, S, V
from synaptree.errors import SynaptreeError

if TYPE_CHECKING:
    from synaptree.grammar.rhm import RandomHierarchyModel


MOST_STRINGS = 10_000  # of which one is drawn


def grammar_show(
    v: V = 8,
    n: N = 8,
    m: M = 4,
    s: S = 2,
    depth: DEPTH = 3,
    seed: SEED = 0,
    string: Annotated[int, typer.Option(help="Which string to show: 0, 1, 2, …", **WHOLE)] = 0,
    svg: Annotated[
        Path | None, typer.Option(help="Write the tree to this SVG file.", **PLACE)
    ] = None,
) -> None:
    """Draw one string with its hidden tree, in the terminal or as SVG."""
    from synaptree.grammar.draw import tree_svg, tree_text

    grammar = _grammar(v, n, m, s, depth, seed)
    if not 0 <= string < MOST_STRINGS:
        raise SynaptreeError(f"string: {string} given; expected 0 to {MOST_STRINGS - 1}")
    x = grammar.sample(string + 1, seed=seed, replace=True).x[string]
    if svg is None:
        print(tree_text(grammar, x))
        return
    try:
        svg.write_text(tree_svg(grammar, x), encoding="utf-8")
    except OSError as fault:
        raise SynaptreeError(
            f"svg: {str(svg)!r} cannot be written ({(fault.strerror or '').lower()}); expected a "
            "file in a folder that you may write to"
        ) from None
    print(f"wrote {svg}")


def grammar_info(
    v: V = 8,
    n: N = 8,
    m: M = 4,
    s: S = 2,
    depth: DEPTH = 3,
    seed: SEED = 0,
    as_json: AS_JSON = False,
) -> None:
    """Show what is known exactly: sizes, predicted sample complexity, the bits of each view."""
    from synaptree.grammar.exact import describe, fact_text
    from synaptree.views.budget import SHOWN, signal_budget

    grammar = _grammar(v, n, m, s, depth, seed)
    facts = describe(grammar)
    budget = {view: signal_budget(grammar, view) for view in SHOWN}
    if as_json:
        facts["budget"] = budget
        print(json.dumps(facts))
        return
    bits = facts.pop("bits")
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        print(f"{name.replace('_', ' '):{width}}  {fact_text(value)}")
    print(
        "\nmutual information in bits, mean over nodes: of the class with a node's patch, and of a"
    )
    print("node's patch with what each view sets beside it (a layer's signal budget)")
    print("".join(f"{name:>15}" for name in ("level", "nodes", "class patch", *budget)))
    for row, *views in zip(bits, *budget.values(), strict=True):
        values = [row["level"], row["nodes"], row["class_patch"], *views]
        print("".join(f"{fact_text(value):>15}" for value in values))


def _grammar(v: int, n: int, m: int, s: int, L: int, seed: int) -> "RandomHierarchyModel":
    from synaptree.grammar.rhm import RandomHierarchyModel

    return RandomHierarchyModel(v, n, m, s, L, seed)
