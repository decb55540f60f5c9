"""The measures of any torch module: what each of its layers represents of the hidden tree."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from synaptree.errors import SynaptreeError, checked_integer, choice, shown
from synaptree.grammar.family.data import Form, encoded
from synaptree.grammar.family.tree_grammar import TreeGrammar
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.measures.activations import AT_ONCE, Activations, Named, evaluating
from synaptree.measures.alignment import with_backprop
from synaptree.measures.layers import Read, measured
from synaptree.measures.portrait import READ
from synaptree.measures.strings import INPUTS, Strings
from synaptree.sources.plain import PlainStrings

if TYPE_CHECKING:
    from synaptree.plots import Sheet

Grammar = RandomHierarchyModel | TreeGrammar
Encode = Form | Callable[[Tensor], Any]
Updates = Callable[[Any, Tensor], Mapping[str, Tensor]]


@dataclass(frozen=True, repr=False)
class Measures:
    """What the layers of a module represent.  Rows: layers.  Columns: levels 1..L of the grammar;
    level L is the class.

    layers: their names.  positions, units: of each layer.  read: how readers saw it: place by
    place, or "all" positions side by side, or their "mean".  nodes: how many each level has.
    probe: accuracy of linear readers on strings that they were not fitted to; guessing: that of
    naming each level's most frequent feature.
    sensitivity: synonym sensitivity to exchanges at each level.  NaN where there are no synonyms,
    or too few strings for readers.
    rank, spread: of each layer's units, over strings and positions.  dead: the share of units that
    are 0 at all of these.
    alignment: the cosine of each parameter's update with backprop's, where updates were given.
    """

    layers: list[str]
    positions: list[int]
    units: list[int]
    read: list[str]
    nodes: list[int]
    probe: list[list[float]]
    sensitivity: list[list[float]]
    rank: list[float]
    dead: list[float]
    spread: list[float]
    guessing: list[float]
    alignment: dict[str, float]

    @property
    def depth(self) -> int | None:
        """How many levels are not read, with an accuracy of 0.99, from layers of their own.

        A level's own layers are those with as many positions as it has nodes, or all layers where
        none has.  Of an untrained module this is the effective depth: how many levels are left to
        learn.  None without probes.
        """
        probe = np.array(self.probe)
        if np.isnan(probe).any():
            return None
        left = 0
        for level, nodes in enumerate(self.nodes):
            layers = zip(self.positions, self.read, strict=True)
            own = [positions == nodes and how == "places" for positions, how in layers]
            left += bool(probe[own if any(own) else slice(None), level].max() < READ)
        return left

    def frame(self) -> pd.DataFrame:
        """The measures as a table, one row a layer."""
        levels = range(1, len(self.nodes) + 1)
        table: dict[str, Any] = {
            "positions": self.positions,
            "units": self.units,
            "read": self.read,
        }
        for name in ("probe", "sensitivity"):
            columns = zip(*getattr(self, name), strict=True)
            table |= {f"{name}_{k}": each for k, each in zip(levels, columns, strict=True)}
        table |= {"rank": self.rank, "dead": self.dead, "spread": self.spread}
        return pd.DataFrame(table, index=pd.Index(self.layers, name="layer"))

    def plot(self) -> "Sheet":
        """A matplotlib figure: probes and synonym sensitivity by layer and level."""
        from synaptree.plots import draw_layers  # matplotlib takes a second

        matrices = {"Probe accuracy": self.probe, "Synonym sensitivity": self.sensitivity}
        return draw_layers(self.layers, matrices)

    def __repr__(self) -> str:
        lines = [self.frame().to_string(float_format="{:.3f}".format, na_rep="–")]
        guessing = ", ".join(f"level {k} {g:.3f}" for k, g in enumerate(self.guessing, 1))
        lines.append(
            f"guessing: {guessing}; levels not read from layers of their own: {self.depth}"
        )
        lines += [f"alignment of {name}: {c:.3f}" for name, c in self.alignment.items()]
        return "\n".join(lines)


def measure(
    module: nn.Module | Named,
    grammar: Grammar,
    layers: Sequence[str] | None = None,
    *,
    axes: str | Mapping[str, str] | None = None,
    read: Read | Mapping[str, Read] | None = None,
    encode: Encode = "tokens",
    inputs: int = INPUTS,
    seed: int = 0,
    updates: Updates | None = None,
) -> Measures:
    """Measure what the layers of any torch module represent of a grammar's hidden tree.

        found = measure(net, grammar, ["conv1", "conv2"], axes="BHN", encode="one-hot")
        print(found)           # a row a layer
        found.probe[0][1]      # how well the first layer says level 2

    module: a torch module, which is measured in evaluation mode; or a function from inputs to a
    dict of activities.  layers: names of submodules, whose outputs are measured; of a function,
    keys of its dict (default: all).
    axes: the axes of activities that have three: B strings, N positions, H units, so "BNH", or
    "BHN" for channels first.  One for all layers, or by layer.  Two axes are (B, H).
    read: how readers see a layer.  "places": each position stands for the nodes of its place in
    the tree; a latent is read there alone.  "all": all latents are read from all positions side by
    side; "mean": from their mean.  Default: "places" where a layer has as many positions as some
    level has nodes, otherwise "all".
    encode: what the module reads: "tokens", int64 (B, d); "one-hot" or "whitened", float32
    (B, v, d), see `grammar.family.data.encoded`; or a function of tokens.
    inputs, seed: how many strings, and which.  Two thirds fit the readers and the others test them;
    no string is among both.
    updates: a function from inputs and classes (B,) to updates by the name of the parameter, whose
    alignment with backprop's is measured on 512 strings.

    The measures are those of the portrait (`measures.portrait`), and for `TreeNet.to_torch()` they
    are the same.  Raises SynaptreeError for a layer that does not exist or has another shape.
    """
    strings = _strings(grammar, inputs, seed)
    encoder = _encoder(grammar, encode)
    activations = Activations(module, layers, encoder, axes)
    first = activations(strings.tokens[:, :2])  # their shapes
    names, nodes = activations.names, [latent.shape[2] for latent in strings.latents.values()]
    places = {strings.tokens.shape[2], *nodes}
    if isinstance(grammar, TreeGrammar) and grammar.layout == "packed":
        places = {1}  # the shape of the tree is hidden
    seen: list[Read] = [
        _seen(name, z.shape[2], read, places) for name, z in zip(names, first, strict=True)
    ]
    found = measured(activations, strings, torch.tensor([True]), seen, signed=True)
    return Measures(
        layers=names,
        positions=[z.shape[2] for z in first],
        units=[z.shape[3] for z in first],
        read=list(seen),
        nodes=nodes,
        **{name: getattr(found, name)[..., 0].tolist() for name in vars(found)},
        guessing=[_most_frequent(latent) for latent in strings.latents.values()],
        alignment={} if updates is None else _alignment(module, updates, strings, encoder),
    )


def _strings(grammar: Grammar, inputs: int, seed: int) -> Strings:
    """The strings that layers are measured on.  Raises SynaptreeError for a wrong argument."""
    if not isinstance(grammar, RandomHierarchyModel | TreeGrammar):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SynaptreeError(
            f"measure grammar: {shown(grammar)} given; expected a RandomHierarchyModel or a "
            "TreeGrammar"
        )
    inputs = checked_integer("measure inputs", inputs, 2)
    seed = checked_integer("measure seed", seed, 0)
    if isinstance(grammar, TreeGrammar):
        return Strings.of_tree(grammar, seed, inputs)
    features = [*[grammar.v] * grammar.L, grammar.n]
    return Strings.of_sources([PlainStrings(grammar)], [seed], features, inputs)


def _encoder(grammar: Grammar, encode: Encode) -> Callable[[Tensor], Any]:
    """A function from tokens (B, d) to what the module reads."""
    if not isinstance(encode, str):
        return encode
    tree = grammar if isinstance(grammar, TreeGrammar) else TreeGrammar(grammar)
    form: Form = choice("measure encode", encode, get_args(Form))
    return lambda tokens: encoded(tree, tokens.numpy(), form)


def _seen(
    name: str, positions: int, read: Read | Mapping[str, Read] | None, places: set[int]
) -> Read:
    """How readers see a layer."""
    how = read.get(name) if isinstance(read, Mapping) else read
    if how is None:
        return "places" if positions in places else "all"
    how = cast(Read, choice("measure read", how, get_args(Read)))
    if how == "places" and positions not in places:
        raise SynaptreeError(
            f"measure layer {name!r}: it has {positions} positions; expected one of "
            f"{sorted(places)} to be read place by place, or read='all'"
        )
    return how


def _most_frequent(latent: Tensor) -> float:
    """The share of the most frequent feature of a level."""
    counts = Counter(latent.flatten().tolist())
    return max(counts.values()) / counts.total()


def _alignment(
    module: object, updates: Updates, strings: Strings, encoder: Callable[[Tensor], Any]
) -> dict[str, float]:
    if not isinstance(module, nn.Module):
        raise SynaptreeError("measure updates: given with a function; expected a torch module")
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    x = encoder(strings.tokens[0, :AT_ONCE].long())
    x = x.to(device) if isinstance(x, Tensor) else x
    y = strings.latents[len(strings.features) - 1][0, :AT_ONCE, 0].long().to(device)
    with evaluating(module):
        return with_backprop(module, updates(x, y), x, y)
