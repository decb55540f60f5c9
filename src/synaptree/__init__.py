"""Which learning rules let local synapses find the tree hidden beneath high-dimensional data.

The public names. They load on first use, so that `synaptree --help` need not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synaptree import rules
    from synaptree.errors import SynaptreeError
    from synaptree.grammar.rhm import RandomHierarchyModel
    from synaptree.network.tree import TreeNet
    from synaptree.results.frame import load
    from synaptree.training.loop import Result, train, train_replicas
    from synaptree.training.spec import RunSpec, make_spec

__all__ = [
    "RandomHierarchyModel",
    "Result",
    "RunSpec",
    "SynaptreeError",
    "TreeNet",
    "load",
    "make_spec",
    "rules",
    "train",
    "train_replicas",
]

_HOME = {
    "RandomHierarchyModel": "synaptree.grammar.rhm",
    "Result": "synaptree.training.loop",
    "RunSpec": "synaptree.training.spec",
    "SynaptreeError": "synaptree.errors",
    "TreeNet": "synaptree.network.tree",
    "load": "synaptree.results.frame",
    "make_spec": "synaptree.training.spec",
    "train": "synaptree.training.loop",
    "train_replicas": "synaptree.training.loop",
}


def __getattr__(name: str) -> Any:
    if name == "rules":
        return import_module("synaptree.rules")
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'synaptree' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
