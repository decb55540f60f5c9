"""The second registration: ten claims, each with its thresholds in its file.

Written after the outcomes of the first registration were known, and judged on grammar seeds that
nothing has touched, 200–219.  A grammar is *solved* where the test error is at most a tenth of
chance error.  A rule solves a kind of grammar where the 95% interval of Clopper and Pearson of its
share of solved grammars lies above one half, and fails where it lies below.

Rules are compared at one P a kind: of those at which backprop solves the kind, the P at which most
rules were run.  A kind is not asked where backprop solves it at no P, where its effective depth is
known to be below 2, or where random features solve it.

Power: of 20 grammars 15 lie above one half; of 10, 9; of 6, all; five of five decide nothing.
With Holm's correction over the 22 primary endpoints the first to be decided needs 18 of 20
grammars, or 10 of 10; 6 grammars decide a question that is asked alone (`Outcome.alone`).
``docs/claims.md`` has what each claim asks for, and where the code departs from what was written.
"""

from synaptree.claims.second import (
    appetite,
    data,
    deep_data,
    direct_feedback,
    hierarchy,
    layerwise,
    masks_necessary,
    masks_sufficient,
    plasticity,
    weights_and_masks,
)
from synaptree.claims.second.base import REGISTERED as REGISTERED

CLAIMS = (
    direct_feedback.CLAIM,
    appetite.CLAIM,
    weights_and_masks.CLAIM,
    masks_necessary.CLAIM,
    masks_sufficient.CLAIM,
    layerwise.CLAIM,
    data.CLAIM,
    deep_data.CLAIM,
    hierarchy.CLAIM,
    plasticity.CLAIM,
)
