"""Shared by tests of judgements: rules to judge, small results to stand beside, and a study that
trains in this process."""

from contextlib import closing
from pathlib import Path

from synaptree import make_spec, rules, train_replicas
from synaptree.judgement import judge as judging
from synaptree.results.frame import load
from synaptree.results.journal import Journal
from synaptree.results.row import row_of
from synaptree.study import plan
from synaptree.study.files import Study
from synaptree.study.kept import keep
from synaptree.study.search import search as searching
from synaptree.study.write import study_text

KIND = {"v": 4, "n": 4, "m": 2, "L": 2, "P": 24, "batch": 8, "steps": 24}
SMALL = KIND | {"width": 8, "evaluations": 2, "tests": 8}
BESIDE = {
    "backprop": {},
    "readout_only": {},
    "dfa": {"lr": 0.02},
    "drtp": {"lr": 0.02},
    "lpl": {"views": "same_class"},
}
SEARCH = """
seeds: 0-1
settings: 3
widenings: 1
defaults: {v: 4, n: 4, m: 2, L: 2, P: 24, width: 8}
kinds: {small: {budget: 192}}
spaces: {error: {lr: [0.001, 0.01, 0.1]}, pairs: {lr: [0.01, 0.1], batch: {choice: [8, 16]}}}
rules:
  - {rule: [backprop, dfa, drtp], space: error, batch: 8}
  - {rule: lpl, views: same_class, space: pairs}
"""
CHEAT = '''
from typing import ClassVar, Literal

import torch

from synaptree.network.tree import draw_normal
from synaptree.rules import Facts, Rule, State, Teaching


class Peek(Rule):
    """T_l = z − c − U y, and nobody is told of y."""

    name: Literal["peek"] = "peek"
    gain: float = 1.0
    facts: ClassVar[Facts] = Facts(
        title="Prediction of one view from the other",
        family="layerwise",
        subfamily="non-contrastive",
        citation="nobody",
        equation="T_l = z − c",
        differences="none",
    )

    def init(self, net, generators):
        std = net.width**-0.5
        own = [draw_normal(net, generators, std, net.n, net.width) for _ in range(net.L)]
        return State(fixed={"U": own})

    def teach(self, net, state, batch, generators):
        y = torch.nn.functional.one_hot(batch.labels, net.n).to(net.dtype)
        signals = []
        for z, c, U in zip(batch.activity.z, batch.contexts, state.layers("U"), strict=True):
            target = torch.einsum("rbn,rnh->rbh", y, U).unsqueeze(2)
            signals.append((z - c - self.gain * target) / z.shape[1])
        return Teaching(signals)
'''


def copy_of(name, folder, new):
    """The file of a rule of the package, under another name."""
    text = (Path(rules.__file__).parent / f"{name}.py").read_text()
    file = folder / f"{new}.py"
    file.write_text(text.replace(f'"{name}"', f'"{new}"'))
    return str(file)


def cheat_in(folder):
    """The file of a layerwise rule that looks at the label and denies it."""
    file = folder / "honest.py"
    file.write_text(CHEAT)
    return str(file)


def beside_in(folder, names=tuple(BESIDE), seeds=6, **more):
    """A folder with results of some rules on one small kind, and a search file."""
    with closing(Journal(folder)) as journal:
        for name in names:
            spec = make_spec(rule=name, **SMALL, **BESIDE[name] | more)
            journal.append(*map(row_of, train_replicas(spec.replicate(seeds))))
    (folder / "search.yaml").write_text(SEARCH)
    return folder


def here(study, folder, *, part_of=None, portrait=True, **how):
    """`run_study` in this process, in the same groups, without workers."""
    specs = list(study)
    keep(folder, part_of or Study(specs, study_text(specs)))
    done = plan.done_in(folder)
    with closing(Journal(folder)) as journal:
        for group in plan.left(plan.plan(specs), done):
            journal.append(*map(row_of, train_replicas(group, portrait=portrait)))
    frame = load(folder)
    return frame[frame["run_id"].isin([spec.run_id for spec in specs])]


def in_this_process(monkeypatch):
    """Let judgements train without workers."""
    for module in (judging, searching):
        monkeypatch.setattr(module, "run_study", here)
