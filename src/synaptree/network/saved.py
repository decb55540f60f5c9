"""Networks in files: tensors as safetensors, and a card in JSON. Reading one runs nothing.

A file ``NAME.safetensors`` has its card in the header of the file; ``NAME.json`` beside it repeats
the card for people and other programs, and is never read here.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from synaptree.errors import SynaptreeError, near_file, shown
from synaptree.network.tree import TreeNet
from synaptree.network.vector import VectorTree
from synaptree.safely import open_plain, printable, write

FORMAT = 1
NETWORK = "network."  # begins the names of a network's tensors
ENDING = ".safetensors"
MOST_TOKENS = 2**15  # whose one-hot vectors a network holds

KINDS: dict[str, type[TreeNet]] = {kind.__name__: kind for kind in (TreeNet, VectorTree)}
DTYPES = {"float32": torch.float32, "float64": torch.float64}


class Sizes(msgspec.Struct):
    """What a network in a file is, beside its tensors.  units: of a layer."""

    kind: str
    v: int
    n: int
    s: int
    L: int
    units: int
    replicas: int
    parametrisation: str
    connectivity: str
    dtype: str

    @classmethod
    def of(cls, net: TreeNet) -> "Sizes":
        """Those of a network."""
        return cls(
            type(net).__name__,
            *(net.v, net.n, net.s, net.L, net.units, net.replicas),
            *(net.parametrisation, net.connectivity, str(net.dtype).removeprefix("torch.")),
        )


def load_network(path: str | Path, kind: type[TreeNet] | None = None) -> TreeNet:
    """The network in a file that `synaptree.save` wrote, on the CPU.

    kind: its class, where it is neither TreeNet nor VectorTree.  Training code is not needed, and
    nothing in the file is executed.  Raises SynaptreeError for any other file.
    """
    path = named(path)
    card, tensors = read_file(path)
    of = {name.removeprefix(NETWORK): t for name, t in tensors.items() if name.startswith(NETWORK)}
    try:
        sizes = msgspec.convert(card.get("network"), Sizes)
        own = kind or KINDS.get(sizes.kind)
        if own is not None:
            return _network(sizes, of, own)
    except (ValueError, RuntimeError, MemoryError) as fault:
        raise no_file(path, f"holds no network: {fault}") from None
    raise SynaptreeError(
        f"network {shown(str(path))}: its class is {shown(sizes.kind)}, which is none of this "
        "package; expected load_network(path, TheClass)"
    )


def named(path: str | Path) -> Path:
    """The path of a file of tensors: its ending may be left out."""
    path = Path(path)
    if not path.name:
        raise SynaptreeError("network: an empty path given; expected a file, as runs/mine")
    return path if path.suffix == ENDING else path.with_name(f"{path.name}{ENDING}")


def write_file(path: Path, tensors: Mapping[str, Tensor], card: Mapping[str, Any]) -> None:
    """Write tensors and their card, whole or not at all.  Errors as for `safely.write`."""
    plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    header = json.dumps({"format": FORMAT, **card})
    write(path.parent, path.name, save(plain, {"synaptree": header}))


def read_file(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The card and the tensors of a file.  Raises SynaptreeError where it is none of ours."""
    try:
        with open_plain(path) as file:
            content = file.read()
        tensors = load(content)
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        card = json.loads(header["__metadata__"]["synaptree"])
    except SynaptreeError as fault:
        raise no_file(path, str(fault).removeprefix(f"{printable(path)}: ")) from None
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as fault:
        foreign = not isinstance(fault, SafetensorError)
        why = "was not written by synaptree" if foreign else f"is damaged or foreign ({fault})"
        raise no_file(path, why) from None
    if not isinstance(card, dict) or cast(dict[str, Any], card).get("format") != FORMAT:
        raise no_file(path, "is of another version of synaptree, or damaged")
    return cast(dict[str, Any], card), tensors


def no_file(path: Path, why: str) -> SynaptreeError:
    """The error for a file that is not what was asked for."""
    text = " ".join(why.split())[:300]
    return SynaptreeError(
        f"network {shown(str(path))}: {text}; expected a file that synaptree.save wrote"
        f"{near_file(path, ENDING)}"
    )


def fill(named: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    """Copy tensors into those of the same names, all of them.

    Raises SynaptreeError, before anything is copied, where names, shapes or types differ.
    """
    for name in named.keys() ^ tensors.keys():
        raise SynaptreeError(f"tensor {shown(name)} is missing or unknown")
    for name, t in named.items():
        given = tensors[name]
        if (given.shape, given.dtype) != (t.shape, t.dtype):
            raise SynaptreeError(
                f"tensor {name} has shape {tuple(given.shape)}, {given.dtype}; expected "
                f"{tuple(t.shape)}, {t.dtype}"
            )
    for name, t in named.items():
        t.copy_(tensors[name])


def _network(sizes: Sizes, tensors: Mapping[str, Tensor], kind: type[TreeNet]) -> TreeNet:
    _check_sizes(sizes, tensors)
    net = kind(
        *(sizes.v, sizes.n, sizes.s, sizes.L, sizes.units),
        generators=[torch.Generator("cpu") for _ in range(sizes.replicas)],
        parametrisation=cast(Any, sizes.parametrisation),
        connectivity=cast(Any, sizes.connectivity),
        dtype=DTYPES[sizes.dtype],
        device="cpu",
    )
    fill(net.named(), tensors)
    return net


def _check_sizes(sizes: Sizes, tensors: Mapping[str, Tensor]) -> None:
    """Raise SynaptreeError where a card asks for a network that is larger than its tensors."""
    R, units, s = sizes.replicas, sizes.units, sizes.s
    most = sizes.v > MOST_TOKENS or sizes.L > 20
    if min(R, units, s, sizes.L, sizes.v) < 1 or most or sizes.dtype not in DTYPES:
        raise SynaptreeError("its sizes are those of no network")
    for l in range(1, sizes.L + 1):
        nodes = s ** (sizes.L - l)
        places = 1 if sizes.connectivity == "shared" else nodes
        inputs = s * (nodes if sizes.connectivity == "full" else 1) * (sizes.v if l == 1 else units)
        if f"W.{l}" not in tensors or tensors[f"W.{l}"].numel() < R * places * inputs * units:
            raise SynaptreeError(f"tensor W.{l} is missing or too small")
