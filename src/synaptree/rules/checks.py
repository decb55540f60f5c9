"""Whether a rule keeps to the contract of `base`: what is wrong, a line each, with what to write.

These are the checks that cost nothing. `synaptree.check` runs a rule and asks more.
"""

import inspect
import traceback
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeGuard, cast

from torch import Tensor

from synaptree.errors import SynaptreeError, shown
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching

KINDS = ("learned", "feedback", "running", "fixed")  # of a state's tensors


def faults_of_class(rule: type[Rule]) -> list[str]:
    """What a class lacks."""
    faults: list[str] = []
    if not isinstance(rule.model_fields["name"].default, str):
        faults.append('has no name; expected name: Literal["my_rule"] = "my_rule"')
    facts: object = getattr(rule, "facts", None)
    if facts is None:
        faults.append("has no facts; expected facts: ClassVar[Facts] = Facts(…)")
    elif not isinstance(facts, Facts):
        faults.append(f"facts: {shown(facts)} given; expected facts: ClassVar[Facts] = Facts(…)")
    if inspect.isabstract(rule):
        faults.append(
            "has no teach; expected def teach(self, net, state, batch, generators), which returns "
            "Teaching(signals)"
        )
    return faults


def refuse(rule: Rule, faults: Sequence[str]) -> None:
    """Raise SynaptreeError for the first fault of a rule, if there is one."""
    if faults:
        name = _named(rule)
        more = f" ({len(faults) - 1} more: synaptree check {name})" if faults[1:] else ""
        raise SynaptreeError(f"rule {name}: {faults[0]}{more}")


@contextmanager
def said_of(rule: Rule, where: str) -> Generator[None]:
    """Say in one line what a rule of somebody's own raises; its traceback stays in ``__cause__``.

    where: the method that runs, ``init`` or ``teach``.
    """
    try:
        yield
    except SynaptreeError:
        raise
    except Exception as fault:
        if rule.source is None:
            raise
        raise SynaptreeError(f"rule {_named(rule)}: {raised(rule, where, fault)}") from fault


def raised(rule: Rule, where: str, fault: Exception) -> str:
    """What a rule raised, with the last line of its own file that ran."""
    text = " ".join(str(fault).split())[:200]
    frames = traceback.extract_tb(fault.__traceback__)
    file = rule.source.file if rule.source else ""
    lines = [frame.lineno for frame in frames if Path(frame.filename).name == file]
    if lines:
        text += f" (line {lines[-1]} of {file})"
    return f"{where}: raises {type(fault).__name__}: {text}"


def _named(rule: Rule) -> str:
    file = rule.source.file if rule.source else ""
    return f"{file}:{type(rule).__name__}" if file.endswith(".py") else rule.name


def faults_of_state(net: TreeNet, state: object) -> list[str]:
    """What is wrong with what `init` returned."""
    if not isinstance(state, State):
        return [f"init: {_kind(state)} returned; expected State(…), or no init at all"]
    faults: list[str] = []
    for kind in KINDS:
        tensors: object = getattr(state, kind)
        if not isinstance(tensors, Mapping):
            faults.append(f"init: {kind} is {_kind(tensors)}; expected tensors by name, as "
                          f'{kind}={{"B": [B_1, …, B_L]}}')  # fmt: skip
            continue
        for name, layers in cast(Mapping[object, object], tensors).items():
            where = f"init: {kind}[{name!r}]"
            if not _listed(layers) or len(layers) not in (net.L, net.L + 1):
                faults.append(
                    f"{where} is {_kind(layers)}; expected a list with an entry for each of layers "
                    f"1..{net.L} (None where a layer has none), and perhaps one for the readout"
                )
                continue
            for index, t in enumerate(layers):
                if t is not None:
                    faults += _of_own(net, f"{where}[{index}]", t, kind in ("learned", "feedback"))
    for name, t in state.whole.items():
        faults += _of_own(net, f"init: whole[{name!r}]", t, False)
    if faults:
        return faults
    first: dict[int, str] = {}
    for name, index, t in state.trained():
        where = f"{name!r}[{index}]"
        if (same := first.setdefault(id(t), where)) != where:
            faults.append(
                f"init: {where} is the same tensor as {same}, and would learn twice in a step; "
                "expected one of its own for each layer"
            )
    for name in state.learned.keys() & state.feedback.keys():
        faults.append(f"init: {name!r} is in learned and in feedback; expected two names")
    return faults


def faults_of_teaching(net: TreeNet, state: State, batch: Batch, taught: object) -> list[str]:
    """What is wrong with what `teach` returned for a batch."""
    if not isinstance(taught, Teaching):
        return [f"teach: {_kind(taught)} returned; expected return Teaching(signals)"]
    return [
        *_of_signals(net, batch, taught.signals, taught.states),
        *_of_gradients(state, taught.own),
        *_of_the_rest(net, batch, taught),
    ]


def _of_own(net: TreeNet, where: str, t: object, learns: bool) -> Iterator[str]:
    """What is wrong with one of a rule's own tensors."""
    R = net.replicas
    if not isinstance(t, Tensor):
        yield f"{where} is {_kind(t)}; expected a tensor, or None"
        return
    if not t.ndim or t.shape[0] != R:
        yield (
            f"{where} has shape {tuple(t.shape)}; expected (R, …) with R = {R} replicas first: "
            "draw it with synaptree.network.tree.draw_normal, or write torch.stack([… for g in "
            "generators])"
        )
    elif learns and any(size > 1 and not step for size, step in zip(t.shape, t.stride())):  # noqa: B905
        yield f"{where} shares its memory between entries and cannot learn; write .clone()"
    if learns and not t.is_floating_point():
        yield f"{where} has the type {t.dtype} and cannot learn; write .to(net.dtype)"
    yield from _of_numbers(net, where, t)


def _of_signals(net: TreeNet, batch: Batch, signals: object, states: int) -> Iterator[str]:
    L = net.L
    if not _listed(signals):
        yield f"signals: {_kind(signals)} given; expected a list of T_l for layers 1..{L}"
        return
    if len(signals) != L:
        yield (
            f"signals: {len(signals)} given; expected {L}, one for each of layers 1..{L}, with "
            "None for a layer that does not learn"
        )
        return
    R, B = batch.labels.shape
    B *= states
    for l, T in enumerate(signals, start=1):
        if T is None:
            continue
        where, shape = f"signals: layer {l}", (R, B, net.positions(l), net.width)
        if not isinstance(T, Tensor):
            yield f"{where} is {_kind(T)}; expected a tensor (R, B, N_l, H), or None"
            continue
        found, activity = tuple(T.shape), batch.activity
        summed = T.ndim == 3 and activity.distinct(l) is not None
        if found != (tuple(activity.beside(l, T).shape) if summed else shape):
            expected = f"expected (R, B, N_l, H) = {shape}{_hint(found, shape)}"
            yield f"{where} has shape {found}; {expected}"
        yield from _of_numbers(net, where, T)


def _hint(found: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """How to come to the right shape from one that is near."""
    R, B, N, H = shape
    if found == (R, B, 1, H):
        return ": write .expand(-1, -1, net.positions(l), -1)"
    if found == (R, B, H):
        return ": write .unsqueeze(2).expand(-1, -1, net.positions(l), -1)"
    if found == (B, N, H):
        return ": the replica axis is missing"
    return ""


def _of_gradients(state: State, own: object) -> Iterator[str]:
    """What is wrong with the gradients of what the rule trains itself."""
    if not isinstance(own, Mapping):
        yield f"own: {_kind(own)} given; expected gradients by name, as own={{'W': [dW_1, …]}}"
        return
    gradients = cast(Mapping[str, Any], own)
    trained = state.trained()
    names = dict.fromkeys(name for name, _, _ in trained)
    for name in names:
        if name not in gradients:
            yield (
                f"own: no gradients for {name!r}, which init says is trained; write "
                f"Teaching(signals, own={{{name!r}: [d{name}_1, …, d{name}_L]}}), or put {name!r} "
                "into State(fixed=…)"
            )
    for name in gradients:
        if name not in names:
            yield (
                f"own: {name!r} is nothing that is trained; expected names in State(learned=…) or "
                f"State(feedback=…): {', '.join(names) or 'there are none'}"
            )
    for name, index, t in trained:
        if name not in gradients:
            continue
        layers, where = gradients[name], f"own[{name!r}][{index}]"
        if not _listed(layers) or index >= len(layers):
            yield f"{where} is missing; expected the gradient of State's {name!r}[{index}]"
        elif not isinstance(g := layers[index], Tensor):
            if g is not None:  # does not learn at this step
                yield f"{where} is {_kind(g)}; expected a tensor of shape {tuple(t.shape)}"
        elif g.shape != t.shape or g.dtype != t.dtype or g.device != t.device:
            yield (
                f"{where} has shape {tuple(g.shape)} ({g.dtype}, {g.device}); expected that of the "
                f"tensor itself, {tuple(t.shape)} ({t.dtype}, {t.device})"
            )
        elif g.device.type != "meta" and not bool(g.detach().isfinite().all()):
            yield f"{where} holds NaN or infinity; expected numbers"


def _of_the_rest(net: TreeNet, batch: Batch, taught: Teaching) -> Iterator[str]:
    R, L = net.replicas, net.L
    loss: Any = taught.loss
    if loss is not None and tuple(getattr(loss, "shape", ())) != (R, L):
        yield f"loss: {_kind(loss)} given; expected a number a layer, (R, L) = {(R, L)}, or None"
    for field in ("pre", "shrink"):
        value: object = getattr(taught, field)
        if value is not None and (not _listed(value) or len(value) != L):
            yield f"{field}: {_kind(value)} given; expected a list for layers 1..{L}, or None"
            continue
        for l, t in enumerate(cast(Sequence[object], value or ()), start=1):
            W = tuple(net.W[l - 1].shape)
            shapes = [W[:-2] + W[-1:], W]
            if field == "pre":
                R_x, B_x, *rest = batch.activity.x[l - 1].shape
                shapes = [(R_x, B_x * taught.states, *rest)]
            if not isinstance(t, Tensor):
                if t is not None or (field == "pre" and taught.signals[l - 1] is not None):
                    yield f"{field}: layer {l} is {_kind(t)}; expected a tensor"
            elif tuple(t.shape) not in shapes:
                expected = " or ".join(map(str, shapes))
                yield f"{field}: layer {l} has shape {tuple(t.shape)}; expected {expected}"
            else:
                yield from _of_numbers(net, f"{field}: layer {l}", t)


def _of_numbers(net: TreeNet, where: str, t: Tensor) -> Iterator[str]:
    """What is wrong with the type, the device and the numbers of a tensor."""
    if t.is_floating_point() and t.dtype != net.dtype:
        expected = f"expected the network's, {net.dtype}: write dtype=net.dtype"
        yield f"{where} has the type {t.dtype}; {expected}"
    if t.device.type != net.device.type:
        expected = f"expected the network's, {net.device}: write device=net.device"
        yield f"{where} is on {t.device}; {expected}"
    if t.requires_grad:
        yield f"{where} carries a graph of autograd; write .detach()"
    if t.device.type != "meta" and not bool(t.detach().isfinite().all()):
        yield f"{where} holds NaN or infinity; expected numbers"


def _listed(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _kind(value: object) -> str:
    """What a wrong value is, in a few words."""
    if value is None:
        return "None"
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(cast(Sequence[object], value))}"
    return shown(value)
