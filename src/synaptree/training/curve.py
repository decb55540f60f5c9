"""The learning curve of a run."""

from dataclasses import dataclass, fields


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

    def copy(self) -> "LearningCurve":
        """A curve of its own, to go on with."""
        return LearningCurve(*(list(getattr(self, each.name)) for each in fields(self)))
