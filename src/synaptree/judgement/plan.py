"""What a judgement trains: the search of each rule's settings, and the runs that are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from synaptree.analysis.settings import short_views
from synaptree.analysis.shares import clopper_pearson
from synaptree.judgement.asked import Asked
from synaptree.judgement.beside import Beside, Place
from synaptree.judgement.model import Model, model_of, runs_like
from synaptree.judgement.registered import Registered, registered
from synaptree.study.run import Options, cores, estimate
from synaptree.study.search.contest import Search
from synaptree.study.search.outcomes import outcomes_in
from synaptree.study.search.race import Decisions, Winner
from synaptree.study.search.search import estimate_search, search
from synaptree.training.spec import RunSpec

SETTINGS = "settings"  # the folder of searches, in that of the judgement
QUICK_SECONDS = 200.0  # of a core: 5 minutes on 2 cores, on a machine that is half as fast
QUICK_GRAMMARS = 3


@dataclass(frozen=True, eq=False)
class Plan:
    """What is trained for rules, beside which results, into which folder.

    quick: on few grammars of the kinds that cost least, with settings of committed rules.
    fixed: settings that are fixed by hand; with some there is no search.
    """

    rules: Sequence[Asked]
    beside: Beside
    folder: Path
    quick: bool = False
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def searches(self) -> bool:
        """Whether settings are searched."""
        return not self.quick and not self.fixed

    @property
    def warnings(self) -> list[str]:
        """What is missing from the facts of a rule, and what so few grammars cannot decide, in a
        sentence each, before anything is trained."""
        few = dict.fromkeys(map(self.undecided, self.rules))
        return [*filter(None, few), *self._unnamed]

    @property
    def _unnamed(self) -> list[str]:
        return [
            f"{rule.name}: the facts name no subfamily, so that no claim of the study will be "
            f"asked of this rule; expected subfamily={' or '.join(map(repr, rule.subfamilies))}"
            for rule in self.rules
            if rule.subfamilies
        ]

    def models(self, rule: Asked) -> list[Model]:
        """The committed cells that a rule is trained like, one of each kind where it is judged."""
        every = self._models[id(rule)]
        if not self.quick:
            return every
        affordable = QUICK_SECONDS / len(self.rules)
        chosen: list[Model] = []
        for model in sorted(every, key=self._cost):
            affordable -= self.grammars(model) * self._cost(model)
            if chosen and affordable < 0:
                break
            chosen.append(model)
        return [model for model in every if model in chosen]

    @cached_property
    def _models(self) -> dict[int, list[Model]]:
        places = self.beside.places
        return {id(r): [model_of(self.beside, p, r.rule) for p in places] for r in self.rules}

    def _cost(self, model: Model) -> float:
        return self.beside.seconds(model.cell)

    def grammars(self, model: Model) -> int:
        """On how many grammars of a kind the rule is judged."""
        there = len(self.beside.seeds_of(model.cell))
        return min(there, QUICK_GRAMMARS) if self.quick else there

    def undecided(self, rule: Asked) -> str:
        """Why no claim can be decided on so few grammars, as a phrase; empty where one can be."""
        most = max(map(self.grammars, self.models(rule)))
        low, _ = clopper_pearson(most, most)
        if low > 0.5:
            return ""
        who = "1 grammar a kind decides" if most == 1 else f"{most} grammars a kind decide"
        text = (
            f"{who} no claim, since even {most} of {most} solved has the "
            f"95% interval {low:.0%}–100%, which is not above one half"
        )
        counts = [len(self.beside.seeds_of(model.cell)) for model in self._models[id(rule)]]
        if not self.quick or max(counts) == most:
            return text
        there = " to ".join(map(str, sorted({min(counts), max(counts)})))
        return f"{text}; without --quick there are {there}"

    def sizes(self, place: Place) -> tuple[int, ...]:
        """At which P of a kind rules are judged."""
        return (place.P,) if self.quick else place.sizes

    @cached_property
    def registered(self) -> Registered:
        """The search that committed rules had."""
        return registered(self.beside.folder)

    def search_of(self, rule: Asked) -> Search:
        """The search of a rule's settings, on each of its kinds."""
        bases = [
            (model.place.head, runs_like(self.beside, model.cell, rule.rule, {})[0])
            for model in self.models(rule)
        ]
        return self.registered.search(rule.rule, bases)

    def searched_in(self, rule: Asked) -> Path:
        """The folder of a rule's search."""
        place = next(number for number, each in enumerate(self.rules, 1) if each is rule)
        return self.folder / SETTINGS / (str(place) if len(self.rules) > 1 else "")

    def runs(self, rule: Asked, winners: Mapping[str, Winner] | None = None) -> list[RunSpec]:
        """The runs that are shown: on the grammars and with the inputs of the committed rule.

        winners: the settings that the search has found, by kind; without any, the committed ones.
        """
        found: list[RunSpec] = []
        for model in self.models(rule):
            for P in self.sizes(model.place):
                cell = model.cells.get(P, model.cell)
                changed = dict(self.fixed)
                if winners is not None:
                    changed = _settings(winners[model.place.head])
                count = self.grammars(model) if self.quick else None
                specs = runs_like(self.beside, cell, rule.rule, changed, count)
                if winners is not None:
                    best = winners[model.place.head].specs[0].rule
                    specs = [spec.model_copy(update={"rule": best}) for spec in specs]
                found += [spec.model_copy(update={"P": P}) for spec in specs]
        return found

    def settings_said(self, rule: Asked) -> str:
        """Where the settings of a rule come from, in a sentence."""
        models = self.models(rule)
        like = "; ".join(f"{m.place.head}: {_like(m)}" for m in models)
        if self.searches:
            asked = self.search_of(rule)
            seeds = sorted({value for each in asked.seeds for value in each.values()})
            return (
                f"the best of {asked.settings} settings on each kind, from the space "
                f"{asked.contests[0].space.name}, on grammar seeds {seeds[0]}–{seeds[-1]}; all "
                f"others as of committed rules ({like})"
            )
        if self.fixed:
            by_hand = " ".join(f"{name}={value}" for name, value in self.fixed.items())
            return f"fixed by hand: {by_hand}; all others as of committed rules ({like})"
        return f"not searched (--quick): those of committed rules ({like})"

    def seconds(self, options: Options) -> tuple[int, float]:
        """How many runs are left, and about how many seconds they take."""
        left, seconds = 0, 0.0
        workers, device = options.get("workers"), options.get("device", "cpu")
        for rule in self.rules if self.searches else ():
            asked, folder = self.search_of(rule), self.searched_in(rule)
            guess = estimate_search(asked, folder, workers=workers, device=device)
            left, seconds = left + guess.left, seconds + guess.seconds
        shown = [spec for rule in self.rules for spec in self.runs(rule, self._known(rule))]
        retry = options.get("retry", False)
        guess = estimate(shown, self.folder, workers=workers, device=device, retry=retry)
        return left + guess.left, seconds + guess.seconds

    def _known(self, rule: Asked) -> dict[str, Winner] | None:
        """The best settings of a rule by kind, where its search is over."""
        if not self.searches:
            return None
        decisions = Decisions(self.search_of(rule), outcomes_in(self.searched_in(rule)))
        try:
            for _ in decisions:  # each round reads the outcomes of the one before
                pass
            return {winner.contest.kind: winner for winner in decisions.winners()}
        except KeyError:
            return None

    def workers(self, options: Options) -> int:
        """How many workers train."""
        return options.get("workers") or cores()

    def searched(self, rule: Asked, options: Options) -> dict[str, Winner] | None:
        """The best settings of a rule by kind, once they are searched; None without a search."""
        if not self.searches:
            return None
        winners = search(self.search_of(rule), self.searched_in(rule), **options)
        return {winner.contest.kind: winner for winner in winners}


def _settings(winner: Winner) -> dict[str, Any]:
    """The settings of a winner that are fields of a run."""
    spec = winner.specs[0]
    names = {axis.name for part in winner.contest.space.parts for axis in part}
    fields = {name: getattr(spec, name) for name in names if not name.startswith("rule.")}
    return fields | {"steps": spec.steps}


def _like(model: Model) -> str:
    views = short_views(",".join(model.cell.views))
    return f"{model.cell.rule}, {views}" if views else model.cell.rule
