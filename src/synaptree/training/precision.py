"""The number formats of a run: what tensors are held in, and what matrix products are made of."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

import torch

from synaptree.errors import SynaptreeError, shown

Precision = Literal["float32", "float64", "bfloat16"]


def dtype_of(precision: Precision) -> torch.dtype:
    """The type of weights, activities and the optimiser's memory."""
    return torch.float64 if precision == "float64" else torch.float32


def check_device(device: object) -> None:
    """Raises SynaptreeError for a device that runs cannot train on, or that is not here."""
    if isinstance(device, torch.device):
        device = str(device)
    if not isinstance(device, str) or device not in ("cpu", "cuda"):
        raise SynaptreeError(
            f"device: {shown(device)} given; expected cpu or cuda (which of several cards, "
            "CUDA_VISIBLE_DEVICES says)"
        )
    if device == "cuda" and not torch.cuda.is_available():
        raise SynaptreeError("device: cuda given, but torch finds no GPU here; expected cpu")


def check_precision(precision: Precision, device: str) -> None:
    """Raises SynaptreeError for bfloat16 where products would not be made of it.

    PyTorch accepts the setting on any processor, and stays with float32 where the instructions are
    missing.
    """
    if precision == "bfloat16" and not _rounds(device):
        raise SynaptreeError(
            f"precision: bfloat16 given, but this {device} makes no products of it; "
            "expected float32"
        )


def _rounds(device: str) -> bool:
    """Whether products in bfloat16 really round their factors.

    This is tried out: which instructions a processor has does not tell which the library uses.
    """
    if device == "cuda" and not torch.cuda.is_available():
        return False
    with arithmetic("bfloat16"):
        x = torch.full((1, 256, 256), 1 + 2.0**-12, device=device)
        return bool((torch.bmm(x, x) == 256).all())


@contextmanager
def arithmetic(precision: Precision) -> Generator[None]:
    """Fix how a run calculates, whatever a program has set in torch; its settings then return.

    With `precision="bfloat16"` products of float32 tensors are made of bfloat16 numbers and added
    up in float32. Everything else stays float32: weights, activities, sums, the optimiser. PyTorch
    calls this ``set_float32_matmul_precision("medium")``; on a GPU it uses TF32 instead, which has
    more digits. With any other precision, products keep all digits of their type.

    Numbers below the smallest normal one (1e-38 in float32) become zero. Adam's moments of silent
    units decay to such numbers and stay there, and a CPU takes many times as long for each: after
    some hundred steps, training would slow down to two thirds of its speed.

    One thread calculates, because several add up in another order. Defaults of type and device,
    autocast, deterministic kernels, inference mode and switched-off gradients are put aside.
    """
    devices = ("cpu", "cuda")
    of_thread: list[tuple[Callable[[Any], object], Any, Any]] = [
        (torch.set_num_threads, torch.get_num_threads(), 1),
        (torch.set_flush_denormal, _flushes_denormals(), True),
        *(
            (partial(torch.set_autocast_enabled, device), torch.is_autocast_enabled(device), False)
            for device in devices
        ),
    ]
    with (
        _SHARED.held("medium" if precision == "bfloat16" else "highest"),
        torch._C.DisableTorchFunction(),  # pyright: ignore[reportPrivateUsage]
        torch.inference_mode(False),
        torch.enable_grad(),
    ):
        for change, _, value in of_thread:
            change(value)
        try:
            yield
        finally:
            for change, before, _ in of_thread:
                change(before)


class _Shared:
    """The settings that all threads of a process share.

    The first run sets them, and after the last one they return to what they were.  A run that needs
    other products waits until no other thread is at work.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.threads: list[int] = []  # which are at work, the same one perhaps several times
        self.products = ""
        self.before: list[Callable[[], None]] = []

    @contextmanager
    def held(self, products: str) -> Generator[None]:
        """While this is entered, the settings are those of runs with such products."""
        me = threading.get_ident()

        def alone() -> bool:
            return all(thread == me for thread in self.threads)

        with self.changed:
            self.changed.wait_for(lambda: alone() or self.products == products)
            nested = me in self.threads and self.products != products
            if nested or not self.threads:
                self.before.append(self._set(products))
            self.threads.append(me)
        try:
            yield
        finally:
            with self.changed:
                self.threads.remove(me)
                self.changed.notify_all()
                if nested:
                    self.changed.wait_for(alone)
                if nested or not self.threads:
                    self.before.pop()()

    def _set(self, products: str) -> Callable[[], None]:
        """Set them; returns what restores the present ones."""
        settings: list[tuple[Callable[[Any], object], Any, Any]] = [
            (_set_products, _products(), products),
            (torch.set_default_dtype, torch.get_default_dtype(), torch.float32),
            (torch.set_deterministic_debug_mode, torch.get_deterministic_debug_mode(), 0),
            (partial(setattr, self, "products"), self.products, products),
        ]
        for change, _, value in settings:
            change(value)

        def restore() -> None:
            for change, before, _ in settings:
                change(before)

        return restore


def _products() -> Any:
    """The precision of matrix products; of CPU and GPU where a program has set each by itself."""
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:
        return [each.matmul.fp32_precision for each in _PROCESSORS]


def _set_products(products: Any) -> None:
    if isinstance(products, str):
        torch.set_float32_matmul_precision(products)
    else:
        for each, precision in zip(_PROCESSORS, products, strict=True):
            each.matmul.fp32_precision = precision


_PROCESSORS: Any = (torch.backends.mkldnn, torch.backends.cuda)
_SHARED = _Shared()


def _flushes_denormals() -> bool:
    """Whether this thread turns denormal numbers into zero."""
    return torch.tensor(2.0**-140, dtype=torch.float32, device="cpu").item() == 0.0
