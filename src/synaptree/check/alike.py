"""Whether a rule does the same again: with the same seeds, and with each replica alone."""

from collections.abc import Iterator

import torch
from torch import Tensor

from synaptree.check.trial import REPLICAS, Trial, attempt, same, seen
from synaptree.errors import in_one_line
from synaptree.training.precision import arithmetic
from synaptree.training.replicas import Replicas
from synaptree.training.spec import RunSpec

STEPS = 10  # of training, alone and in company
ALIKE = 1e-9  # of the largest entry, in float64: what a replica may owe to its company


def faults_of_repeating(spec: RunSpec, company: Trial) -> Iterator[str]:
    """Whether the same seeds give the same bits, whatever the process has drawn before."""
    for drew in company.drew:
        yield f"{drew}; write generator=generators[r] for replica r, as draw_normal does"
    if company.drew or company.raised:
        return
    for elsewhere in (0, 1):
        again = attempt(spec, range(REPLICAS), elsewhere=elsewhere)
        for (name, a), (_, b) in zip(seen(company), seen(again), strict=False):
            if not same(a, b):
                yield (
                    f"{name} has other numbers when the same run is repeated; draw random numbers "
                    "from generators[r], and keep nothing outside State"
                )
                return


def faults_of_company(spec: RunSpec, company: Trial) -> Iterator[str]:
    """Whether a replica alone is taught as in company."""
    for r in range(REPLICAS):
        alone = attempt(spec, [r])
        if alone.raised:
            yield f"with one replica, {alone.raised}; expected R = 1 as any other number"
            return
        for (name, a), (_, b) in zip(seen(company), seen(alone), strict=False):
            if not company.drew and len(a) == REPLICAS and len(b) == 1 and not _alike(a[r], b[0]):
                sums = "" if name.startswith("init") else "sum over no axis 0, and "
                yield (
                    f"{name} of replica {r} has other numbers when it is alone; {sums}draw for "
                    "replica r from generators[r], as draw_normal does"
                )
                return


def _alike(a: Tensor, b: Tensor) -> bool:
    if same(a, b) or a.shape != b.shape or not a.is_floating_point():
        return same(a, b)
    size = float(a.abs().max())
    return torch.allclose(a, b, rtol=0.0, atol=ALIKE * size, equal_nan=True)


def faults_of_training(spec: RunSpec) -> Iterator[str]:
    """Whether some steps of training go well, and are those of a replica alone."""
    specs = spec.replicate(REPLICAS)
    with arithmetic(spec.precision):
        company, alone = Replicas(specs), Replicas([specs[1]])
        for step in range(1, STEPS + 1):
            for replicas in (company, alone):
                try:
                    replicas.step()
                except Exception as fault:
                    cause = fault.__cause__ or fault  # of what is said of a rule from a file
                    yield f"training: step {step} raises {in_one_line(cause)}"
                    return
            if not bool(company.net.finite().all()):
                yield (
                    f"training: weights are NaN or infinite after {step} steps; expected numbers, "
                    "of the size of the gradient of a mean over the batch"
                )
                return
        for a, b in zip(company.net.parameters(), alone.net.parameters(), strict=True):
            if not torch.allclose(a[1], b[0], rtol=1e-6, atol=1e-9):
                yield (
                    f"training: after {STEPS} steps a replica has other weights alone than in "
                    "company; keep what teach remembers in State(running=…)"
                )
                return
