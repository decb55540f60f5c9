"""The contract of a learning rule.

All rules share the three-factor synapse, ``ΔW_l ∝ −Σ (T_l ⊙ φ'(h_l)) ⊗ x_l``, and differ only in
the **teaching signal** ``T_l``. So a rule is a small file that returns teaching signals; the
synapse is in `network.synapse`, the optimiser and the loop are in `training`.

A rule of your own is a subclass of `Rule` with `facts`, `teach` and, if it needs weights of its
own, `init`. Write it in a file and name it as ``my_rules.py:MyRule`` wherever a rule is asked for.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from synaptree.network.synapse import updates
from synaptree.network.tree import Activity, TreeNet
from synaptree.rules.conditions import Settings, check
from synaptree.rules.facts import Facts as Facts
from synaptree.rules.facts import Reading as Reading
from synaptree.rules.shared.factors import Factors as Factors
from synaptree.rules.shared.factors import of_states
from synaptree.rules.shared.strict import Strict
from synaptree.rules.source import Source, source_of

# By name, one tensor for each layer (layer l at index l - 1), or None for a layer without one. A
# list with an entry more than layers has the readout's at its end.
Tensors = Mapping[str, Sequence[Tensor | None]]
Term = tuple[Tensor, Tensor]  # modulator and dendrite, see `Factors`


@dataclass(frozen=True)
class Batch:
    """What a rule may use in one step. R replicas, B inputs, N_l positions, H units, n classes.

    activity: the forward pass on all B inputs.  labels: (R, B).
    error: ``e = (softmax(o) − onehot(y)) / B``, (R, B, n): the gradient of the mean loss.
    contexts: for layer l (index l - 1) the activity that its view sets beside its own, shaped as
    it, (R, B, N_l, H), made when it is first read; None where the run has no views.  second_view:
    the same for any tensor of a layer l = 1..L, (R, B, N_l, H).  crossed: whether a layer's context
    comes from another position.  members: how many inputs an object has; they are neighbours, so
    that input ``b`` belongs to object ``b // members`` of this batch.
    """

    activity: Activity
    labels: Tensor
    error: Tensor
    contexts: Sequence[Tensor | None]
    members: int = 1
    second_view: Callable[[int, Tensor], Tensor] = lambda layer, t: t
    crossed: Sequence[bool] = ()

    def plain(self) -> "Batch":
        """This batch place by place: for it a rule of this package sums no signal over places.

        For those who go on calculating with the signals of another rule.
        """
        activity, contexts = self.activity.place_by_place(), list(self.contexts)
        return replace(self, activity=activity, contexts=contexts)


@dataclass(frozen=True)
class State:
    """A rule's own tensors, by name and layer (see `Tensors`); the first axis is the replica axis.

    Feedback weights are called ``B`` (from the output to layer l, at index l - 1) or ``F`` (in
    place of W_l, at index l - 1; in place of W_out, at index L). Lateral weights to interneurons of
    a layer are called ``Q``, with biases ``q``, and those back from them ``P``.

    learned: trained beside the network, with gradients from `Teaching.own`.  feedback: the same at
    the learning rate of the network's weights, which the parametrisation may change; for weights
    that must learn as fast as these.  running: moved by `teach` itself, in place (averages).
    fixed: never change.  whole: fixed tensors that belong to no layer.
    """

    learned: Tensors = field(default_factory=dict[str, Sequence[Tensor | None]])
    feedback: Tensors = field(default_factory=dict[str, Sequence[Tensor | None]])
    running: Tensors = field(default_factory=dict[str, Sequence[Tensor | None]])
    fixed: Tensors = field(default_factory=dict[str, Sequence[Tensor | None]])
    whole: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])

    def layers(self, name: str) -> list[Tensor]:
        """The tensors of a name, where every layer has one.  Raises KeyError for another name."""
        for tensors in (self.learned, self.feedback, self.running, self.fixed):
            if name in tensors:
                return [t for t in tensors[name] if t is not None]
        raise KeyError(name)

    def trained(self) -> list[tuple[str, int, Tensor]]:
        """Name, index and tensor of all that is trained: `learned`, then `feedback`."""
        return [
            (name, index, t)
            for tensors in (self.learned, self.feedback)
            for name, layers in tensors.items()
            for index, t in enumerate(layers)
            if t is not None
        ]

    def select(self, keep: Tensor) -> "State":
        """The state of the replicas `keep` (indices)."""

        def of(tensors: Tensors) -> dict[str, list[Tensor | None]]:
            return {
                name: [None if t is None else t[keep] for t in layers]
                for name, layers in tensors.items()
            }

        whole = {name: t[keep] for name, t in self.whole.items()}
        return State(of(self.learned), of(self.feedback), of(self.running), of(self.fixed), whole)


@dataclass(frozen=True)
class Teaching:
    """What a rule returns.

    signals: T_l for l = 1..L, (R, B, N_l, H), as the gradient of a mean over the batch would be;
    None for a layer that does not learn.  T_1 may be summed as `TreeNet.down` sums it, and where
    `Activity.distinct` knows a layer's rows, T_l over the places of each row, (R, K, H).
    own: the gradient of each trained tensor of the rule's `State`, under its name and index.
    loss: for rules that have one, the loss of each layer, (R, L).
    gated: whether the synapse multiplies T_l by its own gate φ'(h_l).  masked: T_l contain this
    gate already, as in rules that need the product anyway.  pre: the presynaptic activity x_l for
    l = 1..L, where it is not that of the batch's forward pass (rules with a second phase).
    biases: whether they learn too.  shrink: the part of itself that each unit's weights lose, as a
    gradient: (R, H), or (R, N_l, H) where weights are not shared; or what all weights lose, shaped
    as W_l.
    states: of how many states of the network the update is the sum. The inputs of one state come
    after those of another, (R, states·B, N_l, H), in signals and pre; then `gated` is false.
    ones: in how many of them, the first ones, a bias reads 1; all, where it is None. In a state
    that is a difference of two it reads 0.
    terms: for rules that broadcast a number, T_l of each layer as a sum of products of modulator
    and dendrite, shaped as in `Factors`.  Only the audit reads them, so they may be made then.
    """

    signals: Sequence[Tensor | None]
    own: Tensors = field(default_factory=dict[str, Sequence[Tensor | None]])
    loss: Tensor | None = None
    gated: bool = True
    masked: bool = False
    pre: Sequence[Tensor] | None = None
    biases: bool = True
    shrink: Sequence[Tensor] | None = None
    states: int = 1
    ones: int | None = None
    terms: Sequence[Sequence[Term]] | None = None

    def updates(self, net: TreeNet, activity: Activity, error: Tensor) -> list[Tensor | None]:
        """The gradients of all weights, in the order of `TreeNet.parameters`."""
        return updates(
            net,
            activity,
            self.signals,
            error,
            pre=self.pre,
            gated=self.gated,
            biases=self.biases,
            shrink=self.shrink,
            ones=1.0 if self.ones is None else self.ones / self.states,
        )


class Rule(Strict):
    """A learning rule: its options are its fields, its equations are `init` and `teach`.

    network: the class of network that it trains.  online_options: options with which the rule
    learns from one object at a time.  end_to_end: whether `end_to_end_ssl` can use its loss at the
    top layer.
    """

    sizes: ClassVar[tuple[float, float]] = (2.0**-126, 3.4e38)  # the normal numbers of float32
    facts: ClassVar[Facts]
    network: ClassVar[type[TreeNet]] = TreeNet
    online_options: ClassVar[Mapping[str, Any]] = {}
    end_to_end: ClassVar[bool] = False
    name: str

    @classmethod
    def kind(cls) -> str:
        return f"rule {cls.model_fields['name'].default}"

    @property
    def source(self) -> Source | None:
        """The file of a rule outside the package; None for the package's own."""
        return source_of(type(self))

    @property
    def declared(self) -> Facts:
        """The facts of the rule with its options: an online form needs no other samples."""
        return replace(self.facts, other_samples=False) if self.online else self.facts

    @property
    def label(self) -> str:
        """The rule's name in tables and figures, with the options that were changed."""
        fields = type(self).model_fields
        changed = [f"{k}={v}" for k, v in self if k != "name" and v != fields[k].default]
        return f"{self.name} ({', '.join(changed)})" if changed else self.name

    @property
    def passes(self) -> float:
        """How often a signal goes through the network's weights, up or down, for each input.

        Feedback weights in place of the network's own count as these do; direct feedback does not
        count. For rules that settle: the most, which it is where no input stops earlier.
        """
        return self.declared.passes

    @property
    def least_inputs(self) -> int:
        """The fewest inputs that a batch may have."""
        return 1

    @property
    def online(self) -> bool:
        """Whether the rule, with its options, can learn from one object at a time."""
        options = self.online_options
        return bool(options) and all(getattr(self, k) == value for k, value in options.items())

    @property
    def compares_top(self) -> bool:
        """Whether two views are compared at the top layer alone."""
        return False

    @property
    def needs_same_units(self) -> bool:
        """Whether the rule compares two views unit by unit, or with what it remembers of a unit, so
        that a view must not set other units beside a unit."""
        return self.online

    @property
    def needs_decay(self) -> bool:
        """Whether the rule works only with weight decay."""
        return False

    @property
    def needs_digits(self) -> bool:
        """Whether the rule takes differences that are lost in bfloat16."""
        return False

    @property
    def needs_views(self) -> bool:
        """Whether the rule compares two views (the layerwise family)."""
        return self.facts.family == "layerwise"

    def check(self, spec: Settings) -> None:
        """Raise SynaptreeError where a run's settings do not suit the rule."""
        check(self, spec)

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
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
        """The update of each layer in the textbook form, as a list of terms.

        One term, with the mean over the batch as modulator and T_l as dendrite, except for rules
        that broadcast a number and so return `Teaching.terms`.
        """
        batch = batch.plain()
        activity = batch.activity
        taught = self.teach(net, state, batch, generators)
        layers: list[list[Factors]] = []
        for l, T in enumerate(taught.signals):
            if T is None:
                layers.append([])
                continue
            if taught.states > 1:  # one term for each state, with its own presynaptic activity
                layers.append(of_states(T, (taught.pre or activity.x)[l], taught.states))
                continue
            z = activity.z[l]
            post = torch.ones_like(z)
            if taught.gated or taught.masked:
                post = net.gate(post, z)
            pre = (activity.x if taught.pre is None else taught.pre)[l]
            B = z.shape[1]
            mean = z.new_full((*z.shape[:3], 1), 1 / B)
            terms = [(mean, T * B)] if taught.terms is None else taught.terms[l]
            layers.append([Factors(m, d, post, pre) for m, d in terms])
        return layers
