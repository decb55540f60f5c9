"""The variants of the Random Hierarchy Model, put together in one object: `TreeGrammar`.

Where the rules come from is a *source*; what else makes the variant are *dials* on it.
"""

from synaptree.grammar.family.dials import Noise, Sparse, Zipf
from synaptree.grammar.family.own_rules import OwnRules
from synaptree.grammar.family.sources import CorrelationFree, MixedRules
from synaptree.grammar.family.tree_grammar import TreeGrammar

__all__ = [
    "CorrelationFree",
    "MixedRules",
    "Noise",
    "OwnRules",
    "Sparse",
    "TreeGrammar",
    "Zipf",
]
