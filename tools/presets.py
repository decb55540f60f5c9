"""Write the presets of the second registration from the winners of its searches.

    python tools/presets.py    # reads the winners that tools/keep.py has kept

`LAPTOP` and `QUICK` below say which winner is run on which grammars, and with which P. The settings
are those of the searches, unchanged. tests/test_registration.py holds the presets to them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from synaptree.study.write import flow

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results"
PRESETS = ROOT / "src" / "synaptree" / "study" / "presets"
GRAMMAR = ("v", "n", "m", "s", "L", "P")
# What a search sets for itself; a preset has the defaults of a run.
OF_SEARCH = ("evaluations", "tests")
SEEDS = "200-219"
DEFAULTS = {"s": 2, "lr_schedule": "cosine"}
Fields = dict[str, Any]
Seeds = str | dict[str, list[int]]


@dataclass(frozen=True)
class Winner:
    """The best settings of a rule on a kind of grammar.

    kind: its name in the search.  grammar: v, n, m, L and P.  label: the rule with its options, as
    ``dfa error=sign``.  run: the rule and its settings.
    """

    kind: str
    grammar: Fields
    label: str
    run: Fields


def winners(search: str) -> list[Winner]:
    """The winners of a search, in its order."""
    file = yaml.safe_load((RESULTS / f"registration-2-{search}" / "winners.yaml").read_text())
    found: list[Winner] = []
    for run, facts in zip(file["runs"], file["anchors"]["winners"], strict=True):
        own = {k: v for k, v in run.items() if k not in (*GRAMMAR, *OF_SEARCH)}
        grammar = {k: run[k] for k in GRAMMAR if k in run and k != "s"}
        found.append(Winner(facts["kind"], grammar, label(run), own))
    return found


def label(run: Mapping[str, Any]) -> str:
    """The rule of a run, with what else the tables below tell it apart by."""
    rule = {"name": run["rule"]} if isinstance(run["rule"], str) else run["rule"]
    options = {k: v for k, v in rule.items() if k not in ("name", "dims")}
    options |= {k: run[k] for k in ("connectivity",) if k in run}
    return " ".join([rule["name"], *(f"{k}={v}" for k, v in options.items())])


@dataclass(frozen=True)
class Part:
    """Winners of one search, run on some grammars.

    title: the comment above them.  search: whose winners.  seeds: the grammars, or each of the
    three seeds.  only, but: labels of the rules that are run, or are not.  change: settings in
    place of the winners' own.
    """

    title: str
    search: str
    seeds: Seeds = "200-219"
    only: Collection[str] = ()
    but: Collection[str] = ()
    change: Fields = field(default_factory=dict[str, Any])

    def runs(self, label: str) -> bool:
        """Whether the rule with this label is run."""
        return label not in self.but and (not self.only or label in self.only)


@dataclass(frozen=True)
class Fixed:
    """Runs whose settings no search has chosen, on the grammars of one."""

    title: str
    search: str
    seeds: Seeds
    runs: Sequence[Fields]


# Rules that no claim is about: half the grammars are enough.
REFERENCES = (
    *("sign_symmetry", "greedy_local", "kolen_pollack", "end_to_end_ssl", "oja", "soft_hebb"),
    *("masking masks=other_input", "least_squares_feedback"),
    *("global_error_vector signal=gradient",),
)
FLOOR = {"rule": "readout_only", "steps": 1000}
FLOORS = [FLOOR, {**FLOOR, "parametrisation": "mean_field"}]
LOCAL = {**FLOOR, "connectivity": "local"}
AUTHORS = {
    "rule": "backprop",
    "parametrisation": "mean_field",
    "optimizer": "sgd",
    "lr": 0.1,
    "lr_schedule": "constant",
    "steps": 20000,
    "stop_loss": 0.001,
}
CURVE = [724, 1024, 1448, 2048, 2896, 4096, 5793]
EACH = "Every rule"
CLAIMS = "The claims' own rules"
REST = "References and controls"
QUARTER = "Backprop with a quarter of the strings"
FEATURES = "Random features"
HALF = "200-209"  # grammars where ten are enough
BACKPROP = ("backprop",)
FEW = ("backprop", "dfa", "feedback_alignment")
SEVERAL = (*FEW, "masking", "clapp", "lpl")
# Two more networks on five of the grammars, with the same strings.
NETWORKS: list[Seeds] = [
    {"grammar": [seed], "data": [seed], "network": [seed + 1, seed + 2]} for seed in range(200, 205)
]
LAPTOP = (
    # Trees whose parts are independent.
    Part(EACH, "search-uniform", but=REFERENCES),
    Part(REST, "search-uniform", HALF, only=REFERENCES),
    Part(QUARTER, "search-uniform", only=BACKPROP, change={"P": 3240}),
    Fixed(FEATURES, "search-uniform", HALF, FLOORS),
    # A deeper tree, in which siblings say something of each other.
    Part(EACH, "search-deep", but=REFERENCES),
    Part(REST, "search-deep", HALF, only=REFERENCES),
    Part(QUARTER, "search-deep", only=BACKPROP, change={"P": 2048}),
    Fixed(FEATURES, "search-deep", HALF, [*FLOORS, LOCAL]),
    *(Part("Other networks", "search-deep", seeds, only=SEVERAL) for seeds in NETWORKS),
    # Three levels to learn.
    Part(CLAIMS, "search-deeper", HALF),
    Part(QUARTER, "search-deeper", HALF, only=BACKPROP, change={"P": 8192}),
    Fixed(FEATURES, "search-deeper", HALF, FLOORS),
    Part("How much data", "search-scarce", HALF, change={"P": CURVE}),
    Fixed("Backprop as the RHM authors train it", "search-scarce", HALF, [AUTHORS | {"P": CURVE}]),
)
FULL = tuple(replace(part, seeds=SEEDS) if part.seeds == HALF else part for part in LAPTOP)
# What a run of ten minutes decides, and a rehearsal on seeds 0-9 decided.
QUICK_CLAIMS = ["1a", "2b", "2c", "3"]
QUICK = (
    Part("One or two rules of each family", "search-deep", HALF, only=(*FEW, "clapp", "lpl")),
    Part(QUARTER, "search-deep", HALF, only=BACKPROP, change={"P": 2048}),
    Fixed(FEATURES, "search-deep", HALF, FLOORS[:1]),
    Part("Backprop with and without masks", "search-uniform", HALF, only=("backprop", "masking")),
    Fixed(FEATURES, "search-uniform", HALF, FLOORS[1:]),
)
HEAD = {
    "laptop": "at most 4 hours on 2 cores.",
    "quick": "at most 10 minutes on 2 cores: a part of the laptop preset.",
    "full": "the laptop preset with twenty grammars everywhere.",
}
PARTS = {"laptop": LAPTOP, "quick": QUICK, "full": FULL}
SAID = """\
# `synaptree reproduce --preset {name}`: {head}
# Written by tools/presets.py. Settings were chosen on grammar seeds 0-3
# (studies/registration-2) and committed before any of these grammars was used.
"""


def written(name: str, parts: Iterable[Part | Fixed]) -> str:
    """The text of a preset's study file."""
    kinds: dict[str, Fields] = {}
    runs: list[str] = []
    for part in parts:
        here = winners(part.search)
        kinds |= {winner.kind: winner.grammar for winner in here}
        names = " and ".join(dict.fromkeys(winner.kind for winner in here))
        runs.append(f"  # {part.title} ({names})\n")
        if isinstance(part, Fixed):
            chosen = [(winner, run) for winner in here[:1] for run in part.runs]
        else:
            chosen = [(w, w.run | part.change) for w in here if part.runs(w.label)]
        runs += [_entry(winner.kind, run, part.seeds) for winner, run in chosen]
    anchors = [f"  - &{kind} {flow(grammar)}\n" for kind, grammar in kinds.items()]
    head = SAID.format(name=name, head=HEAD[name])
    common = f"seeds: {SEEDS}\ndefaults: {flow(DEFAULTS)}\n"
    common += f"claims: {flow(QUICK_CLAIMS)}\n" if name == "quick" else ""
    return "".join([head, common, "\nanchors:\n", *anchors, "\nruns:\n", *runs])


def _entry(kind: str, run: Fields, seeds: Seeds) -> str:
    own = {k: v for k, v in run.items() if DEFAULTS.get(k) != v}
    own |= {"seeds": seeds} if seeds != SEEDS else {}
    return f"  - {{<<: *{kind}, {flow(own)[1:-1]}}}\n"


if __name__ == "__main__":
    for name, parts in PARTS.items():
        (PRESETS / f"{name}.yaml").write_text(written(name, parts))
