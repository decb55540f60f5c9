"""RunSpec: everything that decides a run, and nothing else. It is frozen, and its hash names it."""

import hashlib
import json
from typing import Annotated, Any, ClassVar, Literal, Self, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from synaptree.errors import SynaptreeError, checked_integer, shown, squeezed
from synaptree.grammar.clips import clip_starts
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.network.tree import Connectivity, Parametrisation
from synaptree.rules import Rule
from synaptree.rules.facts import members
from synaptree.rules.shared.strict import Strict
from synaptree.sources.base import Source
from synaptree.sources.dataset import NO_DATA, Dataset
from synaptree.sources.dials import PLAIN, Variant, variant
from synaptree.sources.own import OwnInputs
from synaptree.sources.plain import PlainStrings
from synaptree.sources.variants import VariantStrings
from synaptree.training.checks import check_batch, check_readout_steps, check_source, completed
from synaptree.training.names import SYNONYMS, as_rule, refuse_options
from synaptree.training.precision import Precision
from synaptree.views.base import View
from synaptree.views.registry import canonical, parse_view, per_layer

MOST_REPLICAS = 1_000_000
LAST_SEED = 2**63 - 1  # which tables of results can hold
SIZES = ("v", "n", "m", "s", "L", "P")
SEEDS = ("grammar_seed", "data_seed", "network_seed")


class RunSpec(Strict):
    """One run: a rule on a grammar, from its seeds to its stopping.

    Values may be spelled as people write them, see `rules.shared.strict`; equal runs have equal
    ids.  A wrong value is a SynaptreeError of one line.

    rule: an instance, or a name.  v, n, m, s, L, P: the grammar and the size of the training set.
    variant: dials that change the grammar, as in ``zipf=1,noise=0.05`` or a mapping; empty for the
    plain one.  With own rules (``rules=FILE``), v, n, m, s and L follow from them.  data: data of
    one's own in place of a grammar's strings, as a `Dataset` or the path of its file; v, n, m, s, L
    and P then follow from them.
    views: for layerwise rules, one name for each layer, as a tuple or as in
    ``"sibling,same_class"``; a shorter list is completed, see `views.registry.per_layer`.
    lr: SGD in the mean-field parametrisation multiplies it by the width; default 1e-3, for SGD 0.1.
    weight_decay: weights lose this times lr of themselves in a step (Adam: decoupled; SGD: before
    the momentum).
    schedule: all layers learn ``together``, or one after the other from below, as in critical
    periods.  ``sequential``: each layer learns for an equal share of the steps.  ``plateau``: each
    learns until the mean of its loss over 200 steps no longer falls by 1%, and the last one to the
    end, or until the readout alone learns.
    readout_steps: for so many steps at the end the readout alone learns, on frozen layers.
    batch: inputs in a step, all views counted.
    stop_loss: a run ends once its mean training loss over an epoch (or over 200 steps, where an
    epoch is longer) is below this; 0 never ends it.
    validation: the part of the P strings that is held back from training. The weights of the
    evaluation with the lowest error on them are kept (early stopping); 0 keeps the last weights.
    tests: how many fresh strings, never in the training set, the error is measured on.
    precision: ``bfloat16`` makes matrix products of such numbers and adds them up in float32;
    everything else is then float32.
    grammar_seed, data_seed, network_seed: independent of each other and of every other run.
    """

    synonyms: ClassVar[Any] = SYNONYMS
    rule: Annotated[SerializeAsAny[Rule], BeforeValidator(as_rule)]
    v: int = Field(ge=1)
    n: int = Field(ge=2)
    m: int = Field(ge=1)
    s: int = Field(default=2, ge=2)
    L: int = Field(ge=1)
    P: int = Field(ge=1)
    variant: Variant = PLAIN
    data: Dataset = NO_DATA
    views: tuple[str, ...] = ()
    width: int = Field(default=128, ge=1)
    parametrisation: Parametrisation = "standard"
    connectivity: Connectivity = "shared"
    optimizer: Literal["adam", "sgd"] = "adam"
    lr: float = Field(default=1e-3, gt=0, allow_inf_nan=False)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    lr_schedule: Literal["constant", "cosine"] = "constant"
    weight_decay: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    batch: int = Field(default=128, ge=1)
    steps: int = Field(default=2000, ge=1)
    readout_steps: int = Field(default=0, ge=0)
    schedule: Literal["together", "sequential", "plateau"] = "together"
    stop_loss: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    evaluations: int = Field(default=20, ge=1)
    validation: float = Field(default=0.0, ge=0, lt=1)
    tests: int = Field(default=8192, ge=1)
    precision: Precision = "float32"
    grammar_seed: int = Field(default=0, ge=0, le=LAST_SEED)
    data_seed: int = Field(default=0, ge=0, le=LAST_SEED)
    network_seed: int = Field(default=0, ge=0, le=LAST_SEED)

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, fields: Any) -> Any:
        """SGD's lr, so that equal runs have equal ids; the sizes of own data or own rules."""
        if not isinstance(fields, dict):
            return fields
        optimizer = fields.get("optimizer")
        if isinstance(optimizer, str) and squeezed(optimizer) == "sgd":
            fields = {"lr": 0.1} | fields
        if data := Dataset.given(fields.get("data")):
            return completed(fields | {"data": data}, data)
        if "variant" in fields and (rules := Variant.given(fields["variant"]).dials.rules).held:
            return {**rules.sizes, **fields}
        return fields

    @field_validator("views", mode="before")
    @classmethod
    def _listed(cls, views: object) -> object:
        if isinstance(views, str):
            views = views.split(",") if views.strip() else ()
        if isinstance(views, list | tuple):
            names = cast(list[object] | tuple[object, ...], views)
            return tuple(canonical(name) if isinstance(name, str) else name for name in names)
        raise SynaptreeError(
            f"views: {shown(views)} given; expected a valid list of names, as sibling,same_class"
        )

    @field_validator("views")
    @classmethod
    def _one_a_layer(cls, views: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        if not views or "L" not in others.data:
            return views
        rule: Rule | None = others.data.get("rule")
        if rule is not None and not rule.needs_views:
            for view in views:
                parse_view(view)  # words that are no views are refused as such
            return views  # the rule itself refuses views
        return per_layer(views, others.data["L"])

    @field_serializer("rule", mode="wrap")
    def _with_source(self, rule: Rule, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A rule's options; for a rule from outside the package also the hash of its code."""
        dumped = serialize(rule)
        source = rule.source
        return dumped if source is None else dumped | {"name": rule.name, "source": source.sha256}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_source(self)
        self.rule.check(self)
        check_batch(self)
        check_readout_steps(self)
        return self

    @property
    def layer_views(self) -> list[View]:
        """The view of each layer; empty without views."""
        return [parse_view(view) for view in self.views]

    @property
    def members(self) -> int:
        """How many inputs of one object a batch holds next to each other."""
        return members(self.views)

    @property
    def trained(self) -> int:
        """How many of the P strings are trained on: those that are not held back for validation.

        Clips are held back whole."""
        count = self.P - (max(1, round(self.validation * self.P)) if self.validation else 0)
        if count == self.P or not self.frames:
            return count
        starts = clip_starts(self.P, self.frames)
        return int(starts[starts <= count].max())

    @property
    def clips(self) -> View | None:
        """The view that has a training set of its own, if there is one."""
        return next((view for view in self.layer_views if view.frames), None)

    @property
    def grammar(self) -> RandomHierarchyModel:
        """The plain grammar of this run.  Raises SynaptreeError where its source is another."""
        if self.data or self.variant:
            what = f"data {self.data}" if self.data else f"variant {self.variant}"
            raise SynaptreeError(f"grammar: {what} given; expected a run on the plain grammar")
        return RandomHierarchyModel(self.v, self.n, self.m, self.s, self.L, self.grammar_seed)

    @property
    def source(self) -> Source:
        """Where the inputs of this run come from."""
        if self.data:
            return OwnInputs(self.data)
        if self.variant:
            sizes = (self.v, self.n, self.m, self.s, self.L)
            return VariantStrings(variant(self.variant, *sizes, self.grammar_seed))
        return PlainStrings(self.grammar)

    @property
    def places(self) -> int:
        """How many places a unit reads: s, or more where a variant has blank places."""
        return self.variant.dials.places(self.s)

    @property
    def numbers(self) -> int:
        """How many numbers the network reads at a place: v, and one more if there are blanks."""
        return self.v + self.variant.dials.has_blank

    @property
    def frames(self) -> int:
        """How many frames a clip has; 0 where no clips are compared."""
        if self.clips is None:
            return 0
        return self.clips.frames if self.data.held is None else self.data.held.frames

    @property
    def run_id(self) -> str:
        """The hash of the canonical form: equal ids, equal runs.

        Settings at their defaults are left out. So a setting that is added later and does nothing
        by default leaves the ids of old results as they are. Defaults never change. Nobody
        promises this of a rule from outside the package: all its options are in the id, and the
        hash of its code.
        """
        settings = self.model_dump(mode="json", exclude_defaults=True)
        rule = {"name": self.rule.name} | settings["rule"]
        if self.rule.source is not None:
            rule = self.rule.model_dump(mode="json") | rule
        settings["rule"] = rule
        if self.data:
            settings["data"] = self.data.sha256  # whatever its file is called
        if self.variant:
            settings["variant"] = self.variant.identity
        canonical = json.dumps(settings, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    @property
    def group(self) -> str:
        """The same text for runs that differ in their seeds alone, and so can train together."""
        return json.dumps(self.model_dump(mode="json", exclude=set(SEEDS)), sort_keys=True)

    def on(self, data: object) -> Self:
        """This run on data of one's own, with their sizes: a `Dataset`, or the path of its file."""
        settings: dict[str, Any] = {
            name: value for name, value in self if name not in (*SIZES, "variant", "data")
        }
        return type(self)(data=Dataset.given(data), **settings)

    def replicate(self, replicas: int) -> list[Self]:
        """This run with all three seeds counted up, 0 … replicas - 1."""
        count = checked_integer("replicas", replicas, 1, MOST_REPLICAS)
        first = {name: getattr(self, name) for name in SEEDS}
        checked_integer("replicas: the last seed", max(first.values()) + count - 1, 0, LAST_SEED)
        # Seeds that are counted up are valid; of many replicas, checking each takes long.
        copy: Any = BaseModel.model_copy
        return [copy(self, update={name: first[name] + r for name in SEEDS}) for r in range(count)]


def make_spec(**settings: Any) -> RunSpec:
    """A RunSpec from keywords; `seed` stands for all three seeds that are not given.

    Raises SynaptreeError in one line for the first fault.
    """
    if "seed" in settings:
        settings = dict.fromkeys(SEEDS, settings.pop("seed")) | settings
    refuse_options(settings, RunSpec.model_fields)
    return RunSpec(**settings)
