"""Which learning rules let local synapses find the tree hidden beneath high-dimensional data.

The public names. They load on first use, so that `synaptree --help` need not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synaptree import figures, rules
    from synaptree.audit.matrix import audit
    from synaptree.check.rule import check_rule
    from synaptree.data_needs.find import DataNeeds, needs, needs_of
    from synaptree.errors import SynaptreeError
    from synaptree.grammar.rhm import RandomHierarchyModel
    from synaptree.judgement.judge import Judgement, judge
    from synaptree.measures.modules import Measures, measure
    from synaptree.network.saved import load_network
    from synaptree.network.tree import TreeNet
    from synaptree.reproduction import Conclusion, conclude, reproduce
    from synaptree.results.frame import load
    from synaptree.sources.dataset import Dataset
    from synaptree.study.run import run_study
    from synaptree.study.search.race import Winner
    from synaptree.study.search.search import search
    from synaptree.study.update import Update
    from synaptree.training.label_map import LabelRow, label_map
    from synaptree.training.loop import Result, train, train_replicas
    from synaptree.training.saving import save
    from synaptree.training.signal import SignalRow, signal_to_noise
    from synaptree.training.spec import RunSpec, make_spec

__all__ = [
    "Conclusion",
    "DataNeeds",
    "Dataset",
    "Judgement",
    "LabelRow",
    "Measures",
    "RandomHierarchyModel",
    "Result",
    "RunSpec",
    "SignalRow",
    "SynaptreeError",
    "TreeNet",
    "Update",
    "Winner",
    "audit",
    "check_rule",
    "conclude",
    "figures",
    "judge",
    "label_map",
    "load",
    "load_network",
    "make_spec",
    "measure",
    "needs",
    "needs_of",
    "reproduce",
    "rules",
    "run_study",
    "save",
    "search",
    "signal_to_noise",
    "train",
    "train_replicas",
]

_HOME = {
    "Conclusion": "synaptree.reproduction",
    "DataNeeds": "synaptree.data_needs.find",
    "Dataset": "synaptree.sources.dataset",
    "Judgement": "synaptree.judgement.judge",
    "LabelRow": "synaptree.training.label_map",
    "Measures": "synaptree.measures.modules",
    "RandomHierarchyModel": "synaptree.grammar.rhm",
    "Result": "synaptree.training.loop",
    "RunSpec": "synaptree.training.spec",
    "SignalRow": "synaptree.training.signal",
    "SynaptreeError": "synaptree.errors",
    "TreeNet": "synaptree.network.tree",
    "Update": "synaptree.study.update",
    "Winner": "synaptree.study.search.race",
    "check_rule": "synaptree.check.rule",
    "conclude": "synaptree.reproduction",
    "judge": "synaptree.judgement.judge",
    "label_map": "synaptree.training.label_map",
    "load": "synaptree.results.frame",
    "load_network": "synaptree.network.saved",
    "make_spec": "synaptree.training.spec",
    "measure": "synaptree.measures.modules",
    "needs": "synaptree.data_needs.find",
    "needs_of": "synaptree.data_needs.find",
    "reproduce": "synaptree.reproduction",
    "run_study": "synaptree.study.run",
    "save": "synaptree.training.saving",
    "search": "synaptree.study.search.search",
    "signal_to_noise": "synaptree.training.signal",
    "train": "synaptree.training.loop",
    "train_replicas": "synaptree.training.loop",
}

_ROOMS = ("audit", "figures", "rules")  # audit can be called


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"synaptree.{name}")
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'synaptree' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
