"""The job of a judgement: does for a stranger's rule all that was done for the committed ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from synaptree.audit.matrix import Audit
from synaptree.claims import second
from synaptree.claims.base import Audits
from synaptree.claims.judge import verdicts_of
from synaptree.claims.second.cells import cells
from synaptree.claims.second.study import Study
from synaptree.errors import SynaptreeError
from synaptree.judgement.asked import Asked, Reference, asked
from synaptree.judgement.beside import beside_of
from synaptree.judgement.model import checked
from synaptree.judgement.page import Shown, first_page
from synaptree.judgement.plan import Plan
from synaptree.report.first_page import FirstPage
from synaptree.report.inputs import board_of
from synaptree.report.page import write_report
from synaptree.report.row_names import OWN
from synaptree.results.frame import load_beside
from synaptree.rules.facts import label_tier
from synaptree.study.check import check_process, check_study, folder_named
from synaptree.study.rounds import telling
from synaptree.study.run import Options, run_study
from synaptree.study.update import Update
from synaptree.training.process import prepare
from synaptree.training.spec import RunSpec


@dataclass(frozen=True)
class Judgement:
    """What a judgement says.

    pages: the first page of each rule.  frame: the runs of the judged rules and of the committed
    ones, as `load` gives them.  runs: the ids of those of the judged rules.  board: the scoreboard
    of all.  report: the path of report.html.
    """

    pages: Sequence[FirstPage]
    frame: pd.DataFrame
    runs: Sequence[str]
    board: pd.DataFrame
    report: Path


def judge(
    rules: Reference | Sequence[Reference],
    folder: str | Path,
    *,
    beside: str | Path | None = None,
    quick: bool = False,
    settings: Mapping[str, Any] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    device: str = "cpu",
    retry: bool = False,
    progress: Callable[[Update], None] | bool | None = None,
) -> Judgement:
    """Judge rules of your own: check, audit, train, and report them beside the committed ones.

    Called again with the same folder it goes on: finished runs are never trained twice.

        if __name__ == "__main__":
            found = judge("my_rules.py:MyRule", "runs/mine", quick=True)
            print(found.pages[0].headline, found.pages[0].warnings)

    rules: one or several, as ``my_rules.py:MyRule(gain=5)``, a class or an instance.
    folder: where the runs and the report are kept.
    beside: a folder of results that the rules stand beside, in place of the committed ones.
    quick: few grammars, the kinds that cost least, settings of committed rules: at most 5 minutes
    on two cores that have nothing else to do.  So few grammars decide no claim.
    settings: fixes settings by hand, as ``{"lr": 0.01}``; then none are searched.
    The other arguments are those of `run_study`.

    Raises SynaptreeError, in one line, for a rule that does not keep to the contract, and as
    `run_study` does.
    """
    check_process(scheduler)
    plan = plan_of(rules, folder, beside=beside, quick=quick, settings=settings)
    with telling(progress) as tell:
        options: Options = {
            "workers": workers,
            "scheduler": scheduler,
            "device": device,
            "retry": retry,
            "progress": tell,
        }
        if tell is not None and plan.warnings:
            tell(Update((), message="; ".join(plan.warnings)))
        return carry_out(plan, options)


def plan_of(
    rules: Reference | Sequence[Reference],
    folder: str | Path,
    *,
    beside: str | Path | None = None,
    quick: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Plan:
    """What `judge` would train: the rules are checked and audited, nothing is trained yet."""
    folder = folder_named(folder)
    fixed = checked(settings or {})
    prepare()
    judged = asked(rules)
    there = beside_of(beside)
    if folder.resolve() == there.folder.resolve():
        raise SynaptreeError(f"out: {str(folder)!r} given, and beside too; expected another folder")
    plan = Plan(judged, there, folder, quick, fixed)
    for rule in plan.rules:  # which says what cannot be trained before anything is
        if plan.searches:
            plan.search_of(rule)
        plan.runs(rule)
    return plan


def carry_out(plan: Plan, options: Options) -> Judgement:
    """Search, train, judge, and write the report."""
    first = [plan.runs(rule)[0] for rule in plan.rules]
    check_study(plan.folder, options.get("device", "cpu"), first, options.get("scheduler"))
    runs: dict[str, RunSpec] = {}
    of_rules: list[list[str]] = []
    for rule in plan.rules:
        specs = {spec.run_id: spec for spec in plan.runs(rule, plan.searched(rule, options))}
        runs |= specs
        of_rules.append(list(specs))
    run_study(list(runs.values()), plan.folder, curves=False, **options)
    frame = load_beside(plan.folder, runs.keys(), plan.beside.folder)
    shown: list[Shown] = []
    for rule, ids in zip(plan.rules, of_rules, strict=True):
        frame = _named(frame, rule, ids)
        shown.append(_shown(plan, rule, frame[frame["run_id"].isin(ids)]))
    return _concluded(plan, frame, shown, list(runs))


def _named(frame: pd.DataFrame, rule: Asked, ids: Sequence[str]) -> pd.DataFrame:
    """The frame in which a rule with options has a name of its own, and the tier that it has
    whatever its facts say."""
    own = frame["run_id"].isin(ids)
    found, context = rule.audit.found["labels"], rule.rule.declared.top_context
    tiers = [
        label_tier(tuple(filter(None, views.split(","))), found, context)
        for views in frame.loc[own, "views"]
    ]
    frame.loc[own, "tier"] = pd.Series(tiers, frame.index[own], dtype=object)
    name = str(frame.loc[own, "rule"].iloc[0])
    if name in set(frame.loc[~own, "rule"]):  # the same rule with other options
        frame.loc[own, "rule"] = frame.loc[own, "label"]
    return frame


def _shown(plan: Plan, rule: Asked, runs: pd.DataFrame) -> Shown:
    models = plan.models(rule)
    left = ""
    if plan.quick:
        kinds = f"{len(models)} of {len(plan.beside.places)} kinds"
        left = f"; --quick leaves out other grammars and P, and takes {kinds}"
    if few := plan.undecided(rule):
        left += f". {few}"
    failed = runs[runs["status"] == "failed"]
    return Shown(
        rule,
        name=str(runs["rule"].iloc[0]),
        label=str(runs["label"].iloc[0]),
        options=str(runs["rule_options"].iloc[0]),
        places=[model.place for model in models],
        settings=plan.settings_said(rule),
        left=left,
        failed=[" ".join(str(reason).split())[:200] for reason in failed["error"]],
    )


def _concluded(
    plan: Plan, frame: pd.DataFrame, shown: Sequence[Shown], runs: Sequence[str]
) -> Judgement:
    """The verdicts and the report.  The claims of the study are those of the rules beside."""
    beside = plan.beside
    audits: dict[tuple[str, str], Audit] = dict(beside.audits)
    for each in shown:
        audits[each.name, each.options] = replace(each.asked.audit, label=f"{each.label}{OWN}")
    every: Audits = audits
    study = Study(cells(frame, beside.seeds), every)
    pages = [first_page(each, beside, study, every) for each in shown]
    outcomes = verdicts_of(beside.frame, beside.audits)
    anew = verdicts_of(beside.frame, beside.audits, second.CLAIMS, beside.seeds)
    report = write_report(plan.folder, outcomes, every, frame, anew, pages)
    return Judgement(pages, frame, runs, board_of(frame, every), report)
