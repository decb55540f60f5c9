"""The activities of named layers of any torch module."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from synaptree.errors import SynaptreeError, shown, unknown

AT_ONCE = 512  # strings of a forward pass
AXES = "BNH"  # strings, positions, units

Named = Callable[[Any], Mapping[str, Any]]  # from inputs to the activity of each layer


@dataclass
class Activations:
    """A function from tokens (1, P, d) to the activity of each layer, (1, P, N, H).

    module: a torch module whose submodules `layers` are listened to, or a function that gives the
    activities by name.  encode: from tokens (B, d) to what it reads.  axes: of activities with
    three axes, one for all layers or by name.
    names: of the layers that were found, in order.
    """

    module: nn.Module | Named
    layers: Sequence[str] | None
    encode: Callable[[Tensor], Any]
    axes: str | Mapping[str, str] | None = None
    names: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        if isinstance(self.layers, str):
            self.layers = [self.layers]
        if isinstance(self.module, nn.Module):
            known = [name for name, _ in self.module.named_modules() if name]
            if not self.layers:
                raise SynaptreeError(
                    f"measure layers: none given; expected names of submodules, of {known}"
                )
            for name in self.layers:
                if name not in known:
                    raise unknown("measure layer", name, known)
        elif not callable(self.module):
            raise SynaptreeError(
                f"measure module: {shown(self.module)} given; expected a torch module, or a "
                "function from inputs to a dict of activities"
            )
        given = self.axes.values() if isinstance(self.axes, Mapping) else [self.axes]
        for axes in given:
            if axes is not None and (not isinstance(axes, str) or sorted(axes) != sorted(AXES)):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise SynaptreeError(
                    f"measure axes: {shown(axes)} given; expected an order of B (strings), "
                    "N (positions) and H (units), as 'BNH', or 'BHN' of a convolution"
                )

    def __call__(self, tokens: Tensor) -> list[Tensor]:
        """The activities of strings, in the order of `names`."""
        strings, parts = tokens[0].long(), dict[str, list[Tensor]]()
        device = next((p.device for p in self._parameters()), torch.device("cpu"))
        with torch.no_grad(), evaluating(self.module):
            for some in strings.split(AT_ONCE):
                found = self._found(_moved(self.encode(some), device))
                for name in self.layers or found:
                    if name not in found:
                        raise unknown("measure layer", name, found)
                    activity = self._arranged(name, found[name], len(some))
                    parts.setdefault(name, []).append(activity)
        self.names = list(parts)
        if not parts:
            raise SynaptreeError("measure module: it gave no activity; expected at least one")
        return [torch.cat(each).unsqueeze(0) for each in parts.values()]

    def _parameters(self) -> Iterator[Tensor]:
        return self.module.parameters() if isinstance(self.module, nn.Module) else iter(())

    def _found(self, inputs: Any) -> Mapping[str, Any]:
        """What each layer gives for some inputs."""
        if not isinstance(self.module, nn.Module):
            given: Any = self.module(inputs)
            if not isinstance(given, Mapping):
                raise SynaptreeError(
                    f"measure module: it gave {shown(type(given).__name__)}; expected a dict from "
                    "names to activities"
                )
            return given
        found: dict[str, Any] = {}
        with ExitStack() as hooks:
            for name in self.layers or ():
                listened = self.module.get_submodule(name)
                hooks.enter_context(listened.register_forward_hook(_keeping(found, name)))
            self.module(inputs)
        for name in self.layers or ():
            if name not in found:
                raise SynaptreeError(
                    f"measure layer {name!r}: the module's forward pass does not call it; "
                    "expected one that it calls once"
                )
        return found

    def _arranged(self, name: str, activity: Any, count: int) -> Tensor:
        """An activity as (B, N, H), of a type that measures can calculate with."""
        if isinstance(activity, np.ndarray):
            activity = torch.from_numpy(activity)
        if not isinstance(activity, Tensor):
            raise SynaptreeError(
                f"measure layer {name!r}: it gives a {type(activity).__name__}; expected a "
                "tensor, so name a part of it, or give a function that returns a dict"
            )
        axes = self.axes.get(name) if isinstance(self.axes, Mapping) else self.axes
        shape = tuple(activity.shape)
        if activity.ndim == 2:
            activity = activity.unsqueeze(1)
        elif activity.ndim == 3 and axes is not None:
            activity = activity.permute(*(axes.index(axis) for axis in AXES))
        else:
            hint = (
                "axes='BNH' (strings, positions, units) or axes='BHN' (channels first), since "
                "its sizes do not tell"
                if activity.ndim == 3
                else "(strings, units), or three axes"
            )
            raise SynaptreeError(f"measure layer {name!r}: its shape is {shape}; expected {hint}")
        if len(activity) != count:
            raise SynaptreeError(
                f"measure layer {name!r}: its shape is {shape} for {count} strings; expected an "
                f"axis of strings{'' if axes is None else f' where axes={axes!r} says it'}"
            )
        return activity.to(torch.float64 if activity.dtype == torch.float64 else torch.float32)


@contextmanager
def evaluating(module: object) -> Generator[None]:
    """While this is entered, a module is in evaluation mode: without dropout, and with the running
    means of batch normalisation."""
    if not isinstance(module, nn.Module):
        yield
        return
    training = [part for part in module.modules() if part.training]
    try:
        module.eval()
        yield
    finally:
        for part in training:
            part.training = True


def _keeping(found: dict[str, Any], name: str) -> Callable[..., None]:
    def keep(module: nn.Module, inputs: object, output: Any) -> None:  # noqa: ARG001
        if name in found:
            raise SynaptreeError(
                f"measure layer {name!r}: the module's forward pass calls it more than once; "
                "expected one that it calls once, or a function that returns a dict"
            )
        # A copy, since what follows may work in the same memory, such as ReLU(inplace=True).
        found[name] = output.clone() if isinstance(output, Tensor) else output

    return keep


def _moved(inputs: Any, device: torch.device) -> Any:
    return inputs.to(device) if isinstance(inputs, Tensor) else inputs
