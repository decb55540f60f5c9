"""How many strings a deep network needs to learn a grammar, where theory says it.

All are orders of magnitude; prefactors are the learner's. Each reduces to n·m**L, the law of the
plain grammar (arXiv 2307.02129), where its variant is plain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import ArrayLike

from synaptree.errors import SynaptreeError, checked_integer
from synaptree.grammar.exact import predicted_sample_complexity
from synaptree.grammar.family.dials import Zipf
from synaptree.grammar.family.level_rules import Probabilities, checked_probabilities
from synaptree.grammar.family.sources import CorrelationFree, MixedRules
from synaptree.grammar.family.tree_grammar import TreeGrammar
from synaptree.grammar.rhm import RandomHierarchyModel


def sparse_sample_complexity(n: int, m: int, L: int, s0: int, shared: bool = False) -> int:
    """(s0+1)**L·n·m**L for locally connected networks; `shared`: (s0+1)**2·n·m**L for those that
    share weights over positions.

    Tomasini & Wyart, arXiv 2404.10727, for form A with jitter. The paper argues for the first; the
    second is what it measures, and is said there to remain to be understood.
    """
    return (checked_integer("predicted s0", s0, 0) + 1) ** (2 if shared else L) * n * m**L


def rule_sample_complexity(
    n: int, probabilities: Sequence[ArrayLike], level: int = 1
) -> Probabilities:
    """For each rule of a level, the strings after which its tuple shows in the class: (m,).

    It is n / (f_k·Π Σ_j f_j²), with f_k the rule's probability, and the product over the levels
    above. A rule is learned when its effect on the correlation of tuple and class stands out from
    sampling noise: the argument of Cagnetta, Kang & Wyart, arXiv 2505.07067. There one level is
    ranked; that each level above divides the correlation by 1/Σ f² is our calculation, which the
    tests compare with exact joint distributions. With f = 1/m it is n·m**(L-level+1).

    Args:
        n: classes, equally likely.
        probabilities: of the rules of a feature, the same for all features of a level: an array
            (m,) for each of the levels 1..L.
        level: whose rules.
    """
    given = [np.asarray(each, np.float64) for each in probabilities]
    if not given or any(each.ndim != 1 or not each.size for each in given):
        raise SynaptreeError("predicted probabilities: expected one row of them for each level")
    rows = [checked_probabilities("predicted probabilities", each, each.shape) for each in given]
    checked_integer("predicted level", level, 1, len(rows))
    kept = np.prod([(row**2).sum() for row in rows[level:]])
    with np.errstate(divide="ignore"):  # a rule that is never used is never learned
        return n / (rows[level - 1] * kept)


def zipf_sample_complexity(n: int, m: int, L: int, zipf: Zipf, level: int = 1) -> Probabilities:
    """`rule_sample_complexity` of a plain grammar whose rules are ranked by `zipf`.

    The rules that are not yet learned after P strings are used with a probability that falls as
    P**(-a/(1+a)), so the error falls so too.
    """
    ranked = zipf.levels or range(1, L + 1)
    uniform = Zipf(-1)
    rows = [(zipf if each in ranked else uniform).probabilities(m) for each in range(1, L + 1)]
    return rule_sample_complexity(n, rows, level)


def mixed_sample_complexity(v: int, m2: int, m3: int, L: int, share2: float) -> float:
    """(share2²/2)**(1-L)·v·m3·m2**(L-1), for rules of sizes 2 and 3, packed, of v classes.

    Parley, Cagnetta & Wyart, arXiv 2602.06065: a bound O(·), which we have from a summary of the
    paper and have not derived. m2, m3: rules of each size; share2: how often a rule has size 2. At
    L = 1 it is the plain law of the larger rules, v·m3.
    """
    if not 0 < share2 <= 1:
        raise SynaptreeError(f"predicted share2: {share2}; expected a probability above 0")
    return (share2**2 / 2) ** (1 - L) * v * m3 * m2 ** (L - 1)


@dataclass(frozen=True)
class Predicted:
    """Orders of magnitude, in strings, where theory has them; None where it has none.

    `supervised`: for locally connected networks. `supervised_shared`: for networks that share
    weights, where these need another number. `by_rule`: of a grammar that is ranked by `Zipf`, for
    each of levels 1..L, for each rank (`zipf_sample_complexity`); `supervised` is then that of the
    last rule to be learned. `error_exponent`: where one level is so ranked, the error falls in the
    end as P**-exponent, with exponent a/(1+a) (arXiv 2505.07067). `latent_from_siblings`:
    v·m**3/(1 - m/v**(s-1)) (arXiv 2605.27734); inf where siblings are independent.
    """

    supervised: float | None = None
    supervised_shared: float | None = None
    latent_from_siblings: float | None = None
    error_exponent: float | None = None
    by_rule: tuple[tuple[float, ...], ...] | None = None


def predicted(grammar: TreeGrammar) -> Predicted:
    """What theory says of this grammar; nothing of noise, priors, own rules and given
    probabilities, nor of two dials at once."""
    source, zipf, sparse = grammar.source, grammar.probabilities, grammar.sparse
    if grammar.noise is not None or grammar.prior is not None:
        return Predicted()
    if isinstance(source, MixedRules):
        return _mixed(grammar, source)
    if not isinstance(source, RandomHierarchyModel | CorrelationFree):
        return Predicted()
    n, m, L = source.n, source.m, source.L
    if isinstance(zipf, Zipf) and sparse is None and isinstance(source, RandomHierarchyModel):
        rules = [zipf_sample_complexity(n, m, L, zipf, level) for level in range(1, L + 1)]
        one_level = zipf.a > 0 and (L == 1 or len(zipf.levels or ()) == 1)
        return Predicted(
            max(float(each.max()) for each in rules),
            error_exponent=zipf.a / (1 + zipf.a) if one_level else None,
            by_rule=tuple(tuple(each.tolist()) for each in rules),
        )
    if zipf is not None:
        return Predicted()
    if sparse is not None:
        if sparse.form == "B" or not sparse.jitter:
            return Predicted()
        local = sparse_sample_complexity(n, m, L, sparse.s0)
        return Predicted(local, sparse_sample_complexity(n, m, L, sparse.s0, shared=True))
    law = predicted_sample_complexity(source.v, n, m, source.s, L)
    free = isinstance(source, CorrelationFree)
    return Predicted(law.supervised, None, inf if free else law.latent_from_siblings)


def _mixed(grammar: TreeGrammar, source: MixedRules) -> Predicted:
    plain = grammar.probabilities is None and grammar.sparse is None and grammar.length is None
    if not plain or source.s != (2, 3) or source.n != source.v or grammar.layout != "packed":
        return Predicted()
    m2, m3 = source.m
    share2 = m2 / (m2 + m3) if source.shares is None else source.shares[0]
    if not share2:
        return Predicted()
    return Predicted(mixed_sample_complexity(source.v, m2, m3, source.L, share2))
