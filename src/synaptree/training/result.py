"""What a run leaves behind, and what is reported while it trains."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from synaptree.errors import SynaptreeError
from synaptree.measures.portrait import Portrait
from synaptree.network.tree import TreeNet
from synaptree.rules import State
from synaptree.training import shown
from synaptree.training.curve import LearningCurve as LearningCurve
from synaptree.training.spec import RunSpec
from synaptree.training.trained import Trained

if TYPE_CHECKING:
    from synaptree.plots import Sheet


@dataclass(frozen=True, repr=False)
class Result:
    """The measurements of a finished run.  Errors are fractions of wrong classes.

    steps: updates made.  stopped: whether there are fewer than asked for because the training loss
    fell below ``spec.stop_loss``.  diverged: whether the weights are no longer finite; the errors
    are then those of guessing.  train_error: on up to `tests` of the strings trained on.
    portrait: None where it was not asked for.  wall_s: seconds that all `replicas` took together.
    switches: the steps after which the next layer began to learn, where layers take turns.
    collapsed: the layers (from 1) that ended with an effective rank below 2, so that their activity
    carries one thing at most; None without a portrait.
    bayes_error: the error of the best possible answers, between bayes_low and bayes_high (95%); the
    three are equal where it is exact, and None for data of one's own, where nobody knows it.
    trained: the network and all that training goes on from, where it was kept; no measurement.
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
    bayes_error: float | None = None
    bayes_low: float | None = None
    bayes_high: float | None = None
    trained: Trained | None = field(default=None, repr=False, compare=False)

    @property
    def network(self) -> TreeNet:
        """The trained network, with one replica: that of the evaluation with the lowest validation
        error, where strings were held back."""
        return self.kept.network

    @property
    def state(self) -> State:
        """The rule's own tensors at the last step."""
        return self.kept.state

    @property
    def kept(self) -> Trained:
        """What was trained.  Raises SynaptreeError where it was not kept."""
        if self.trained is None:
            raise SynaptreeError(
                "result: its network was not kept; expected one of train(…), or of "
                "train_replicas(…, keep=True)"
            )
        return self.trained

    def plot(self) -> "Sheet":
        """A matplotlib figure: the learning curve, and probes and synonym sensitivity by layer and
        level where the portrait was asked for."""
        return shown.figure(self)

    def __repr__(self) -> str:
        return shown.text(self)

    def _repr_html_(self) -> str:
        return shown.page(self)


@dataclass(frozen=True)
class Progress:
    """How far replicas are: `step` of `steps`, and the mean test error so far (or None).

    doing: what takes long beside the steps, as a sentence for a person; usually empty.  warning:
    that a checkpoint could not be used, or written.
    """

    step: int
    steps: int
    test_error: float | None
    doing: str = ""
    warning: str = ""
