"""The learning rules: one rule, one file."""

from typing import Any

from pydantic import ValidationError

from synaptree.errors import SynaptreeError, unknown
from synaptree.rules.backprop import Backprop
from synaptree.rules.barlow_twins import BarlowTwins
from synaptree.rules.base import Batch, Factors, Facts, Rule, State, Teaching
from synaptree.rules.clapp import CLAPP
from synaptree.rules.clapp_pp import CLAPPpp
from synaptree.rules.dfa import DFA
from synaptree.rules.direct_kolen_pollack import DirectKolenPollack
from synaptree.rules.drtp import DRTP
from synaptree.rules.end_to_end_ssl import EndToEndSSL
from synaptree.rules.error_broadcast import ErrorBroadcast
from synaptree.rules.feedback_alignment import FeedbackAlignment
from synaptree.rules.forward_dfa import ForwardDFA
from synaptree.rules.global_error_vector import GlobalErrorVector
from synaptree.rules.greedy_local import GreedyLocal
from synaptree.rules.infonce import InfoNCE
from synaptree.rules.kolen_pollack import KolenPollack
from synaptree.rules.lpl import LPL
from synaptree.rules.masking import Masking
from synaptree.rules.node_perturbation import NodePerturbation
from synaptree.rules.nt_xent import NTXent
from synaptree.rules.oja import Oja
from synaptree.rules.pepita import PEPITA
from synaptree.rules.readout_only import ReadoutOnly
from synaptree.rules.registry import Source, adopt, from_file, is_file, source_of
from synaptree.rules.scff import SCFF
from synaptree.rules.sign_symmetry import SignSymmetry
from synaptree.rules.soft_hebb import SoftHebb
from synaptree.rules.symmetric_direct import SymmetricDirect
from synaptree.rules.vicreg import VICReg

__all__ = [
    "CLAPP",
    "DFA",
    "DRTP",
    "LPL",
    "ONLINE",
    "PEPITA",
    "SCFF",
    "Backprop",
    "BarlowTwins",
    "Batch",
    "CLAPPpp",
    "DirectKolenPollack",
    "EndToEndSSL",
    "ErrorBroadcast",
    "Factors",
    "Facts",
    "FeedbackAlignment",
    "ForwardDFA",
    "GlobalErrorVector",
    "GreedyLocal",
    "InfoNCE",
    "KolenPollack",
    "Masking",
    "NTXent",
    "NodePerturbation",
    "Oja",
    "ReadoutOnly",
    "Rule",
    "SignSymmetry",
    "SoftHebb",
    "Source",
    "State",
    "SymmetricDirect",
    "Teaching",
    "VICReg",
    "adopt",
    "get",
    "names",
    "source_of",
]

_RULES: tuple[type[Rule], ...] = (
    Backprop,
    ReadoutOnly,
    FeedbackAlignment,
    SignSymmetry,
    KolenPollack,
    GreedyLocal,
    EndToEndSSL,
    DFA,
    DRTP,
    DirectKolenPollack,
    ForwardDFA,
    SymmetricDirect,
    GlobalErrorVector,
    NodePerturbation,
    PEPITA,
    ErrorBroadcast,
    Masking,
    CLAPP,
    CLAPPpp,
    InfoNCE,
    NTXent,
    SCFF,
    LPL,
    VICReg,
    BarlowTwins,
    Oja,
    SoftHebb,
)
_BY_NAME = {str(rule.model_fields["name"].default): rule for rule in _RULES}


# Options with which a layerwise rule learns from one object at a time.
ONLINE: dict[str, dict[str, str]] = {
    "clapp": {"negative": "previous"},
    "lpl": {"statistics": "running"},
    "vicreg": {"statistics": "running"},
}


def names() -> list[str]:
    """The names of all rules: references, direct feedback, controls, layerwise."""
    return list(_BY_NAME)


def rule_class(name: str) -> type[Rule]:
    """The class of a rule.  Raises SynaptreeError with the nearest name for an unknown one."""
    if is_file(name):
        return from_file(name)
    if name not in _BY_NAME:
        raise unknown("rule", name, _BY_NAME)
    return _BY_NAME[name]


def get(name: str, **options: Any) -> Rule:
    """A rule by its name, with its options as keywords.

    Raises SynaptreeError for an unknown rule (with the nearest name) or a wrong option.
    """
    rule = rule_class(name)
    for option in options:
        if option not in rule.model_fields:
            known = [field for field in rule.model_fields if field != "name"]
            if not known:
                raise SynaptreeError(f"rule {name}: option {option!r} given, but it has no options")
            raise unknown(f"rule {name}: option", option, known)
    try:
        return rule(name=rule.model_fields["name"].default, **options)
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SynaptreeError(
            f"rule {name}: {where} = {first['input']!r} is not valid; {first['msg'].lower()}"
        ) from None
