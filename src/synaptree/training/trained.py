"""What a run has made: its network, what its rule holds, and all that training goes on from."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from synaptree.network.saved import NETWORK
from synaptree.network.tree import TreeNet
from synaptree.rules import State
from synaptree.rules.base import Tensors
from synaptree.training.snapshot import Snapshot

STATE = "state."  # begins the names of a rule's tensors


@dataclass(frozen=True)
class Trained:
    """What a run has made, beside what is measured of it.

    network: the one replica whose errors are in the result.  state: the rule's own tensors at the
    last step.  snapshot: what training goes on from; None for a run that has stopped.
    """

    network: TreeNet
    state: State
    snapshot: Snapshot | None

    def tensors(self) -> dict[str, Tensor]:
        """The tensors of network and state, by name."""
        return network_tensors(self.network) | state_tensors(self.state)


def network_tensors(net: TreeNet) -> dict[str, Tensor]:
    """The tensors of a network by the names that they have in files."""
    return {f"{NETWORK}{name}": t for name, t in net.named().items()}


def state_tensors(state: State) -> dict[str, Tensor]:
    """The tensors of a rule by name; that of layer l ends in l."""
    kinds: Mapping[str, Tensors] = {
        "learned": state.learned,
        "feedback": state.feedback,
        "running": state.running,
        "fixed": state.fixed,
    }
    named = {
        f"{STATE}{kind}.{name}.{l}": t
        for kind, tensors in kinds.items()
        for name, layers in tensors.items()
        for l, t in enumerate(layers, start=1)
        if t is not None
    }
    return named | {f"{STATE}whole.{name}": t for name, t in state.whole.items()}
