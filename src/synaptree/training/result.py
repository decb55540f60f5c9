"""What a run leaves behind, and what is reported while it trains."""

from dataclasses import dataclass

from synaptree.measures.portrait import Portrait
from synaptree.training.spec import RunSpec


@dataclass(frozen=True)
class LearningCurve:
    """The learning curve of a run: one entry for each evaluation.

    test_error: on up to 2048 of the test strings.  train_loss, train_error: means over the
    minibatches since the last evaluation.  alignment: for each layer the cosine of the rule's
    update with backprop's on the last minibatch.  null: that of direct feedback with fresh random
    weights; a cosine has to be read beside it.
    """

    step: list[int]
    test_error: list[float]
    train_loss: list[float]
    train_error: list[float]
    alignment: list[list[float]]
    null: list[list[float]]


@dataclass(frozen=True)
class Result:
    """The measurements of a finished run.  Errors are fractions of wrong classes.

    steps: updates made.  stopped: whether there are fewer than asked for because the training loss
    fell below ``spec.stop_loss``.  diverged: whether the weights are no longer finite; the errors
    are then those of guessing.  train_error: on up to `tests` of the strings trained on.
    portrait: None where it was not asked for.  wall_s: seconds that all `replicas` took together.
    switches: the steps after which the next layer began to learn, where layers take turns.
    collapsed: the layers (from 1) that ended with an effective rank below 2, so that their activity
    carries one thing at most; None without a portrait.
    """

    spec: RunSpec
    steps: int
    stopped: bool
    diverged: bool
    test_error: float
    train_error: float
    curve: LearningCurve
    portrait: Portrait | None
    wall_s: float
    replicas: int
    switches: list[int]
    collapsed: list[int] | None


@dataclass(frozen=True)
class Progress:
    """How far replicas are: `step` of `steps`, and the mean test error so far (or None).

    doing: what takes long beside the steps, as a sentence for a person; usually empty.
    """

    step: int
    steps: int
    test_error: float | None
    doing: str = ""
