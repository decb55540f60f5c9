"""RunSpec: everything that decides a run, and nothing else. Frozen, JSON, and named by its hash."""

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from synaptree import rules
from synaptree.errors import SynaptreeError, unknown
from synaptree.grammar.clips import clip_starts
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.network.tree import Connectivity, Parametrisation
from synaptree.rules import Rule
from synaptree.training.precision import Precision
from synaptree.views.base import View, parse_view, per_layer


def _as_rule(value: object) -> object:
    """A rule from its name, or from its dumped options."""
    if isinstance(value, str):
        return rules.get(value)
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        return rules.get(**value)
    return value


class RunSpec(BaseModel):
    """One run: a rule on a grammar, from its seeds to its stopping.

    v, n, m, s, L, P: the grammar and the training-set size.  views: for layerwise rules, one name
    for each layer, as a tuple or as in ``"sibling,same_class"`` (a shorter list is completed, see
    `grammar.views.per_layer`).  lr: multiplied by H for SGD in the mean-field parametrisation;
    default 1e-3, for SGD 0.1.  weight_decay: weights lose this times lr of themselves a step (Adam:
    decoupled; SGD: before the momentum).
    schedule: all layers learn ``together``, or one after the other from below, as in critical
    periods: ``sequential``, each for an equal share of the steps, or ``plateau``, each until the
    mean of its loss over 200 steps no longer falls by 1%; the last goes on to the end, or until the
    readout alone learns.
    readout_steps: how many of the steps, the last, only the readout learns in, on frozen layers.
    batch: inputs a step, all views counted.  stop_loss: a run ends once its mean training loss
    over an epoch (or 200 steps of a longer one) is below; 0 never does.
    validation: the part of the P strings that is held back from training to choose, among the
    evaluations, the one whose weights are kept (early stopping); 0 keeps the last.
    tests: fresh strings that the error is measured on, never in the training set.
    precision: ``bfloat16`` makes matrix products of such numbers, added up in float32; all else is
    float32 then.
    grammar_seed, data_seed, network_seed: independent of each other and of every other run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Annotated[SerializeAsAny[Rule], BeforeValidator(_as_rule)]
    v: int = Field(ge=2)
    n: int = Field(ge=2)
    m: int = Field(ge=1)
    s: int = Field(default=2, ge=2)
    L: int = Field(ge=1)
    P: int = Field(ge=1)
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
    grammar_seed: int = Field(default=0, ge=0)
    data_seed: int = Field(default=0, ge=0)
    network_seed: int = Field(default=0, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, given: Any) -> Any:
        """Views as on the command line, and SGD's lr, so that equal runs have equal ids."""
        if not isinstance(given, dict):
            return given
        views = given.get("views")
        if isinstance(views, str):
            given = given | {"views": tuple(views.split(",")) if views else ()}
        if given.get("optimizer") == "sgd":
            given = {"lr": 0.1} | given
        return given

    @field_validator("views")
    @classmethod
    def _one_a_layer(cls, views: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        return per_layer(views, others.data["L"]) if views and "L" in others.data else views

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        # The grammar has its own errors for sizes that do not fit together.
        size = RandomHierarchyModel(self.v, self.n, self.m, self.s, self.L, self.grammar_seed).size
        if size <= self.P:
            raise SynaptreeError(
                f"P: {self.P} given, but the grammar has P_max = {size} strings, and some must "
                f"be left to test on; expected at most {size - 1}"
            )
        self.rule.check(self)
        if self.readout_steps and (self.readout_steps >= self.steps or self.stop_loss):
            left = f"and stop_loss {self.stop_loss}" if self.stop_loss else f"of {self.steps} steps"
            raise SynaptreeError(
                f"readout_steps: {self.readout_steps} given, {left}; expected fewer than the "
                "steps, and no stop_loss"
            )
        if self.batch > self.trained:
            held = f", of which {self.P - self.trained} are held back" if self.validation else ""
            raise SynaptreeError(
                f"batch: {self.batch} given, but P is {self.P}{held}; expected at most "
                f"{self.trained if self.validation else 'P'}"
            )
        return self

    @property
    def members(self) -> int:
        """How many inputs of one object a batch holds next to each other."""
        return max((parse_view(view).members for view in self.views), default=1)

    @property
    def trained(self) -> int:
        """How many of the P strings are trained on, and not held back for validation (or, where
        these would begin within a clip, left out with it)."""
        count = self.P - (max(1, round(self.validation * self.P)) if self.validation else 0)
        if count == self.P or self.clips is None:
            return count
        starts = clip_starts(self.P, self.clips.frames)
        return int(starts[starts <= count].max())

    @property
    def clips(self) -> View | None:
        """The view that has a training set of its own, if there is one."""
        return next((v for v in map(parse_view, self.views) if v.frames), None)

    @property
    def grammar(self) -> RandomHierarchyModel:
        """The grammar of this run."""
        return RandomHierarchyModel(self.v, self.n, self.m, self.s, self.L, self.grammar_seed)

    @property
    def run_id(self) -> str:
        """The hash of the canonical form: equal ids, equal runs.

        Settings at their defaults are left out, so that a setting which is added later, and does
        nothing by default, leaves the ids of old results as they are. Defaults never change.
        """
        given = self.model_dump(mode="json", exclude_defaults=True)
        given["rule"] = {"name": self.rule.name} | given["rule"]
        canonical = json.dumps(given, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    @property
    def group(self) -> str:
        """What runs share that differ only in seeds, and so can train together as replicas."""
        seeds = {"grammar_seed", "data_seed", "network_seed"}
        return json.dumps(self.model_dump(mode="json", exclude=seeds), sort_keys=True)

    def replicate(self, replicas: int) -> list["RunSpec"]:
        """This run with all three seeds counted up, 0 … replicas - 1."""
        seeds = ("grammar_seed", "data_seed", "network_seed")
        return [
            self.model_copy(update={name: getattr(self, name) + r for name in seeds})
            for r in range(replicas)
        ]


def make_spec(**given: Any) -> RunSpec:
    """A RunSpec from keywords.  Raises SynaptreeError in one line for the first fault."""
    for name in given:
        if name not in RunSpec.model_fields:
            raise unknown("run", name, RunSpec.model_fields)
    try:
        return RunSpec(**given)
    except ValidationError as faults:
        first = faults.errors()[0]
        # A SynaptreeError raised inside a validator already is the sentence the user needs.
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, SynaptreeError):
            raise cause from None
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "missing":
            raise SynaptreeError(f"{where}: none given; expected a value") from None
        what = first["msg"].removeprefix("Input should be ")
        raise SynaptreeError(f"{where}: {first['input']!r} given; expected {what}") from None
