"""The contract of a learning rule.

Every rule is the same three-factor synapse, ``ΔW_l ∝ −Σ (T_l ⊙ φ'(h_l)) ⊗ x_l``, and differs only
in where its **teaching signal** ``T_l`` comes from. So a rule is a small file that returns teaching
signals; the synapse is `TreeNet.updates`, the optimiser is in `program`, the loop in `training`.

A rule of your own is a subclass of `Rule` with `facts`, `teach` and, if it needs weights of its
own, `init`; hand an instance to ``train(RunSpec(rule=MyRule(), ...))``.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from synaptree.network.tree import Activity, TreeNet

Family = Literal["reference", "control", "direct feedback", "layerwise"]


@dataclass(frozen=True)
class Facts:
    """What a rule is and what it says it needs. The audit holds it to its word.

    equation: the teaching signal in the paper's symbols.  differences: what this package does
    otherwise than the paper.  phases: forward passes with different input or noise per update.
    """

    title: str
    family: Family
    citation: str
    equation: str
    differences: str
    labels: bool
    weight_transport: bool
    error_network: bool
    downstream_masks: bool
    other_samples: bool
    phases: int = 1


@dataclass(frozen=True)
class Batch:
    """What a rule may look at in one step. R replicas, B inputs, N_l positions, H units, n classes.

    activity: the forward pass on all B inputs.  labels: (R, B).
    error: ``e = (softmax(o) − onehot(y)) / B``, (R, B, n): the gradient of the mean loss.
    contexts: for layer l (index l - 1) the second view beside each activity, (R, B, N_l, H), or
    None where no view was asked for.  second_view: of layer l = 1..L, what of any (R, B, N_l, H)
    tensor stands where `contexts` has the second view's activity.  crossed: whether that is another
    position's.  members: inputs of one object stand next to each other, so that input ``b`` belongs
    to object ``b // members`` of this batch; 1 where inputs are single.
    """

    activity: Activity
    labels: Tensor
    error: Tensor
    contexts: Sequence[Tensor | None]
    members: int = 1
    second_view: Callable[[int, Tensor], Tensor] = lambda layer, t: t  # noqa: ARG005
    crossed: Sequence[bool] = ()


@dataclass(frozen=True)
class State:
    """A rule's own tensors; the first axis of each is the replica axis.

    learned: trained beside the network, with gradients from `Teaching.own`.  feedback: the same,
    but at the learning rate of the network's weights (which differs where the parametrisation has a
    rate of its own), as weights must be that are to follow these.  running: moved by the rule
    itself in `teach`, in place (running averages).  fixed: never change.
    """

    learned: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    feedback: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    running: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    fixed: dict[str, Tensor] = field(default_factory=dict[str, Tensor])

    def select(self, keep: Tensor) -> "State":
        """The state of the replicas `keep` (indices)."""
        kinds = (self.learned, self.feedback, self.running, self.fixed)
        return State(*({name: t[keep] for name, t in kind.items()} for kind in kinds))


@dataclass(frozen=True)
class Teaching:
    """What a rule returns.

    signals: T_l for l = 1..L, (R, B, N_l, H), as the gradient of a mean over the batch would be;
    None for a layer that does not learn.  T_1 may come summed, as `TreeNet.down` says.
    own: the gradient of each tensor in `State.learned` and `State.feedback`, by name.
    loss: for rules that have one, the loss of each layer, (R, L).
    gated: whether the synapse multiplies T_l by its own gate φ'(h_l).  masked: T_l hold it already,
    as rules that need the product anyway can give them.  pre: presynaptic activity
    x_l for l = 1..L where it is not that of the batch's forward pass (rules with a second phase).
    biases: whether they learn too.  shrink: how much each unit's weights lose of themselves, as a
    gradient: (R, H), or (R, N_l, H) where weights are not shared.
    terms: where the rule broadcasts numbers of its own, each layer's T_l as a sum over (modulator,
    dendrite) of their product, shaped as in `Factors`.
    """

    signals: Sequence[Tensor | None]
    own: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    loss: Tensor | None = None
    gated: bool = True
    masked: bool = False
    pre: Sequence[Tensor] | None = None
    biases: bool = True
    shrink: Sequence[Tensor] | None = None
    terms: Sequence[Sequence[tuple[Tensor, Tensor]]] | None = None

    def updates(self, net: TreeNet, activity: Activity, error: Tensor) -> list[Tensor | None]:
        """What the synapses make of it, `TreeNet.updates`: gradients in the order of parameters."""
        return net.updates(
            *(activity, self.signals, error),
            pre=self.pre,
            gated=self.gated,
            biases=self.biases,
            shrink=self.shrink,
        )


@dataclass(frozen=True)
class Factors:
    """One term of a layer's update in the textbook form, of which the update is the sum:

        ΔW_l ∝ −Σ  pre ⊗ (modulator · dendrite ⊙ post)

    modulator: one number for each input and position, broadcast, (R, B, N_l, 1).  dendrite: what
    each unit is told, (R, B, N_l, H).  post: its own gate, (R, B, N_l, H).  pre: x_l,
    (R, B, N_l, s·C).
    """

    modulator: Tensor
    dendrite: Tensor
    post: Tensor
    pre: Tensor

    @property
    def signal(self) -> Tensor:
        """What of the teaching signal this term is, (R, B, N_l, H)."""
        return self.modulator * self.dendrite


class Rule(BaseModel):
    """A learning rule: its options are its fields, its equations are `init` and `teach`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    facts: ClassVar[Facts]
    network: ClassVar[type[TreeNet]] = TreeNet  # what it teaches
    name: str

    @property
    def declared(self) -> Facts:
        """The rule's facts with the options that it has: online forms need no other samples."""
        return replace(self.facts, other_samples=False) if self.online else self.facts

    @property
    def label(self) -> str:
        """What tables and figures call the rule: its name, and the options that were changed."""
        fields = type(self).model_fields
        changed = [f"{k}={v}" for k, v in self if k != "name" and v != fields[k].default]
        return f"{self.name} ({', '.join(changed)})" if changed else self.name

    @property
    def least_inputs(self) -> int:
        """How many inputs a batch must hold for the rule to mean anything."""
        return 1

    @property
    def online(self) -> bool:
        """Whether a layerwise rule can learn from one object at a time."""
        return False

    @property
    def compares_top(self) -> bool:
        """Whether two views are compared at the top layer alone."""
        return False

    @property
    def needs_same_units(self) -> bool:
        """Whether a layerwise rule means nothing where a view sets other units beside a unit: it
        compares unit by unit, or with what it remembers of these units."""
        return self.online

    @property
    def needs_decay(self) -> bool:
        """Whether the rule means nothing without weight decay."""
        return False

    @property
    def needs_digits(self) -> bool:
        """Whether the rule takes differences that are lost in bfloat16."""
        return False

    @property
    def needs_views(self) -> bool:
        """Whether the rule compares two views (the layerwise family)."""
        return self.facts.family == "layerwise"

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:  # noqa: ARG002
        """The rule's own tensors; replica r draws from ``generators[r]`` alone."""
        return State()

    @abstractmethod
    def teach(
        self, net: TreeNet, state: State, batch: Batch, generators: Sequence[torch.Generator]
    ) -> Teaching:
        """The teaching signals of one step."""

    def factors(
        self, net: TreeNet, state: State, batch: Batch, generators: Sequence[torch.Generator]
    ) -> list[list[Factors]]:
        """The update of each layer in the textbook form, as the terms that it is the sum of.

        One term, whose modulator is the mean over the batch and whose dendrite is all of T_l, but
        for rules that broadcast a number of their own and so return `Teaching.terms`.
        """
        activity = replace(batch.activity, tables=None)  # every place's own signal
        taught = self.teach(net, state, replace(batch, activity=activity), generators)
        found: list[list[Factors]] = []
        for l, T in enumerate(taught.signals):
            if T is None:
                found.append([])
                continue
            z = activity.z[l]
            post = torch.ones_like(z)
            if taught.gated or taught.masked:
                post = net.gate(post, z)
            pre = (activity.x if taught.pre is None else taught.pre)[l]
            B = z.shape[1]
            mean = z.new_full((*z.shape[:3], 1), 1 / B)
            terms = [(mean, T * B)] if taught.terms is None else taught.terms[l]
            found.append([Factors(m, d, post, pre) for m, d in terms])
        return found
