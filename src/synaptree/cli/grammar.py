"""`synaptree grammar`: draw a tree of a grammar, or show what is known exactly about it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synaptree.cli.words import AS_JSON, DEPTH, NUMBER, PLACE, SEED, WHOLE, M, N, S, V, numbers
from synaptree.errors import SynaptreeError, shown

if TYPE_CHECKING:
    from synaptree.grammar.family import TreeGrammar
    from synaptree.grammar.picture import Picture
    from synaptree.grammar.rhm import RandomHierarchyModel


MOST_STRINGS = 10_000  # of which one is drawn


def _places(text: str) -> list[int]:
    """The places in 0-3 or 1,4."""
    try:
        return numbers(text)
    except typer.BadParameter:
        raise typer.BadParameter(f"{shown(text)} given; expected places, as 0-3 or 1,4") from None


ZIPF = Annotated[
    float | None,
    typer.Option(help="Rank the rules: the k-th has probability ∝ k^−(1+a).", **NUMBER),
]
SPARSE = Annotated[
    int | None, typer.Option(help="Uninformative places for each informative one.", **WHOLE)
]
NOISE = Annotated[float, typer.Option(help="Probability with which a token is replaced.", **NUMBER)]
BROKEN = Annotated[float, typer.Option(help="Probability with which a rule is broken.", **NUMBER)]
MIXED = Annotated[
    bool, typer.Option("--mixed", help="Rules of s and of s+1 features, m of each size.")
]
PACKED = Annotated[bool, typer.Option("--packed", help="Tokens follow one another, without gaps.")]
RULES = Annotated[Path | None, typer.Option(help="Rules of your own, from a JSON file.", **PLACE)]
HIDE = Annotated[
    Any,
    typer.Option(
        help="Hide these places, as 0-3 or 1,4, and draw what the rest tells of every node.",
        parser=_places,
        metavar="PLACES",
    ),
]


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
    zipf: ZIPF = None,
    sparse: SPARSE = None,
    noise: NOISE = 0.0,
    broken: BROKEN = 0.0,
    mixed: MIXED = False,
    packed: PACKED = False,
    rules: RULES = None,
    hide: HIDE = None,
) -> None:
    """Draw one string with its hidden tree, in the terminal or as SVG; also of the variants of
    docs/grammar.md."""
    if not 0 <= string < MOST_STRINGS:
        raise SynaptreeError(f"string: {string} given; expected 0 to {MOST_STRINGS - 1}")
    given = (zipf, sparse, rules, hide)
    if noise or broken or mixed or packed or any(each is not None for each in given):
        from synaptree.grammar.family import MixedRules, Noise, OwnRules, Sparse, TreeGrammar, Zipf

        if mixed and rules is not None:
            raise SynaptreeError("mixed: given with --rules; expected one of the two")
        if rules is not None:
            source = OwnRules.from_json(rules)
        elif mixed:
            source = MixedRules(v, n, (m, m), (s, s + 1), depth, seed)
        else:
            source = _grammar(v, n, m, s, depth, seed)
        grammar = TreeGrammar(
            source,
            None if zipf is None else Zipf(zipf),
            sparse=None if sparse is None else Sparse(sparse),
            noise=Noise(noise, broken) if noise or broken else None,
            layout="packed" if packed else "aligned",
        )
        _put(_variant(grammar, string, seed, hide), svg)
    else:
        from synaptree.grammar.draw import draw_string

        model = _grammar(v, n, m, s, depth, seed)
        _put(draw_string(model, model.sample(string + 1, seed=seed, replace=True).x[string]), svg)


def _variant(grammar: "TreeGrammar", string: int, seed: int, hide: Any) -> "Picture":
    """The tree of a string of a variant, or what it tells where places are hidden."""
    from synaptree.grammar.family.draw import draw_posterior, draw_tree

    samples = grammar.sample(string + 1, seed)
    if hide is None:
        return draw_tree(grammar, samples, string)
    if max(hide) >= grammar.d:
        raise SynaptreeError(f"hide: place {max(hide)}; expected places 0 to {grammar.d - 1}")
    x = samples.x[string].astype(int)
    x[[place for place in hide if x[place] < grammar.v]] = -1
    return draw_posterior(grammar, x)


def _put(picture: "Picture", svg: Path | None) -> None:
    """Print a picture, or write it to a file."""
    if svg is None:
        print(picture.text())
        return
    try:
        svg.write_text(picture.svg(), encoding="utf-8")
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
