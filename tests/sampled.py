"""An exact joint distribution held against samples."""

import numpy as np

from synaptree.grammar.exact import mutual_information


def agree(joint, first, second):
    """Chi-square of counts against a joint: mean dof, variance 2·dof; 5 deviations allowed."""
    counts = np.bincount(first.astype(np.int64) * joint.shape[1] + second, minlength=joint.size)
    counts, expected = counts.reshape(joint.shape), joint * len(first)
    assert (counts[joint == 0] == 0).all()
    # Rules drawn from one parent leave many cells exactly proportional: dof is at most cells - 1.
    cells = joint > 0
    chi2 = ((counts - expected)[cells] ** 2 / expected[cells]).sum()
    dof = cells.sum() - 1
    assert chi2 < dof + 5 * (2 * dof) ** 0.5
    # Plug-in information is biased upwards by (cells - rows - columns + 1) / 2P nats (Miller).
    rows, columns = (joint.sum(axis=1) > 0).sum(), (joint.sum(axis=0) > 0).sum()
    bias = (cells.sum() - rows - columns + 1) / (2 * len(first)) / np.log(2)
    measured, exact = mutual_information(counts / len(first)), mutual_information(joint)
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    density = np.log2(joint[cells] / independent[cells])
    spread = (joint[cells] * (density - exact) ** 2).sum() ** 0.5 / len(first) ** 0.5
    assert abs(measured - bias - exact) < 5 * spread + 5 * abs(bias) + 1e-12
