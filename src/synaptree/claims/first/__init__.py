"""The first registration: six claims, each with its thresholds in its file.

What each claim must show. Written down before the runs that it judges; the design's section 2.4.
Errors are fractions of wrong classes. A comparison holds where the whole 95% interval over
replicas lies on the right side of the threshold, and fails where it lies on the wrong side.

All claims but the fourth, which is about the amount of data, and the sixth, which is about the
rules themselves, are judged at the largest P of each kind of grammar at which the rules that they
are about were run.
"""

from synaptree.claims.first import (
    data,
    direct_feedback,
    hierarchy,
    layerwise,
    locality,
    masks,
)

CLAIMS = (
    direct_feedback.CLAIM,
    masks.CLAIM,
    layerwise.CLAIM,
    data.CLAIM,
    hierarchy.CLAIM,
    locality.CLAIM,
)
