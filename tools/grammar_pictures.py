"""Write docs/grammar/NAME.svg: one string of each variant of docs/grammar.md, drawn as a tree.

python tools/grammar_pictures.py
"""

from pathlib import Path

from synaptree.grammar.family import (
    CorrelationFree,
    MixedRules,
    Noise,
    OwnRules,
    Sparse,
    TreeGrammar,
    Zipf,
)
from synaptree.grammar.family.draw import draw_posterior, draw_tree
from synaptree.grammar.rhm import RandomHierarchyModel

PICTURES = Path(__file__).parent.parent / "docs" / "grammar"
PLAIN = RandomHierarchyModel(v=8, n=8, m=4, s=2, L=3, seed=0)
SMALL = RandomHierarchyModel(v=8, n=8, m=4, s=2, L=2, seed=0)
MIXED = MixedRules(v=8, n=8, m=(3, 3), s=(2, 3), L=2, seed=0)
VARIANTS = {
    "plain": TreeGrammar(PLAIN),
    "zipf": TreeGrammar(PLAIN, Zipf(a=1.0)),
    "sparse": TreeGrammar(SMALL, sparse=Sparse(s0=1)),
    "mixed": TreeGrammar(MIXED),
    "packed": TreeGrammar(MIXED, layout="packed"),
    "noise": TreeGrammar(PLAIN, noise=Noise(tokens=0.15, rules=0.15)),
    "correlation-free": TreeGrammar(CorrelationFree(v=8, n=8, b=4, s=2, L=3, seed=0)),
    "own": TreeGrammar(
        OwnRules([[[[0, 1], [1, 1]], [[1, 0], [0, 0]]], [[[0, 1]], [[1, 1, 0]]]], tokens=2)
    ),
}
ROWS = {"mixed": 1, "packed": 1, "noise": 2}  # samples that show what the variant does


def svg(name: str) -> str:
    """The picture of a variant, or of what a string tells."""
    if name == "posterior":
        grammar = VARIANTS["zipf"]
        x = grammar.sample(1, seed=0).x[0].astype(int)
        x[[1, 4, 5, 7]] = -1
        return draw_posterior(grammar, x).svg()
    grammar, row = VARIANTS[name], ROWS.get(name, 0)
    return draw_tree(grammar, grammar.sample(row + 1, seed=0), row).svg()


NAMES = (*VARIANTS, "posterior")

if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for picture in NAMES:
        (PICTURES / f"{picture}.svg").write_text(svg(picture), "utf-8")
