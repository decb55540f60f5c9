"""A TreeNet as a plain module of torch, which needs nothing of this package."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn.utils import skip_init

from synaptree.errors import SynaptreeError, checked_integer
from synaptree.network.operations import together

if TYPE_CHECKING:
    from synaptree.network.tree import TreeNet


def plain_module(net: "TreeNet", replica: int | None = None) -> nn.Sequential:
    """One replica of a network as a stack of torch's own layers: tokens (B, d), of type int64 or
    int32, to logits (B, n).

    Its parts are ``tokens`` (fixed one-hot vectors), ``layer1`` … ``layerL``, whose outputs are the
    activities (B, N_l, H), and ``readout``.  A layer is one `nn.Linear` for all of its patches, or
    where connectivity is local a `nn.Conv1d` with a group for each position; where it is full one
    `nn.Linear` from all units to all units.  Gains of the parametrisation are multiplied into the
    weights.  replica: which one, where there are several.

    Raises SynaptreeError for units that torch does not have, such as those of a VectorTree.
    """
    from synaptree.network.tree import TreeNet

    if type(net).forward is not TreeNet.forward or type(net).readout is not TreeNet.readout:
        raise SynaptreeError(
            f"to_torch: a {type(net).__name__} given, which calculates in its own way; expected a "
            "TreeNet of ReLU units"
        )
    if replica is None and net.replicas > 1:
        raise SynaptreeError(
            f"to_torch: a network of {net.replicas} replicas given; expected which one, as "
            "to_torch(replica=0)"
        )
    r = checked_integer("to_torch replica", replica or 0, 0, net.replicas - 1)
    parts = OrderedDict[str, nn.Module](tokens=nn.Embedding.from_pretrained(net.tokens.clone()))
    make = {"shared": _shared, "local": _local, "full": _full}[net.connectivity]
    for l, W in enumerate(net.W, start=1):
        bias = net.b[l - 1][r] if net.b else None
        parts[f"layer{l}"] = make(net, l, W[r] * net.gains[l - 1], bias)
    bias = None if net.b_out is None else net.b_out[r]
    parts["readout"] = nn.Sequential(nn.Flatten(), _linear(net.W_out[r] * net.gain_out, bias))
    return nn.Sequential(parts)


def _shared(net: "TreeNet", layer: int, W: Tensor, bias: Tensor | None) -> nn.Sequential:
    """A layer whose patches all have the weights W (I, H) and the bias (1, H)."""
    patches = nn.Unflatten(1, (net.positions(layer), net.s))
    return nn.Sequential(patches, nn.Flatten(2), _linear(W, bias), nn.ReLU())


def _local(net: "TreeNet", layer: int, W: Tensor, bias: Tensor | None) -> nn.Sequential:
    """A layer in which each patch has weights of its own: W (N, I, H), bias (N, H)."""
    N, I, H = W.shape
    groups = _filled(nn.Conv1d, (N * I, N * H, 1), W.mT.flatten(0, 1).unsqueeze(2), bias, groups=N)
    patches, places = nn.Unflatten(1, (N * I, 1)), nn.Unflatten(1, (N, H))
    return nn.Sequential(nn.Flatten(), patches, groups, nn.Flatten(), places, nn.ReLU())


def _full(net: "TreeNet", layer: int, W: Tensor, bias: Tensor | None) -> nn.Sequential:
    """A layer in which each position reads everything: W (N, I, H), bias (N, H)."""
    units = _linear(together(W.unsqueeze(0))[0], bias)
    return nn.Sequential(nn.Flatten(), units, nn.Unflatten(1, (len(W), net.width)), nn.ReLU())


def _linear(W: Tensor, bias: Tensor | None) -> nn.Module:
    """x W + b, W (I, H)."""
    return _filled(nn.Linear, W.shape, W.mT, bias)


def _filled(
    kind: type[nn.Module],
    sizes: Sequence[int],
    weight: Tensor,
    bias: Tensor | None,
    **how: int,
) -> nn.Module:
    """A module with these weights.  It draws none first, which would use torch's own generator."""
    has_bias = bias is not None
    module = skip_init(kind, *sizes, bias=has_bias, device=weight.device, dtype=weight.dtype, **how)
    module.load_state_dict({"weight": weight} | ({"bias": bias.flatten()} if has_bias else {}))
    return module
