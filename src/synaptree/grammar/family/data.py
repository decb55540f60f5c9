"""Data sets of a grammar for a network of one's own.

Which part of the data a string belongs to, training, validation or test, is a function of the
string alone (and of a seed). So parts never overlap, however large they are, whatever drew them.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from synaptree.errors import SynaptreeError, checked_integer, choice, shown
from synaptree.grammar.derivation import Samples
from synaptree.grammar.family.dials import Noise, Sparse, Zipf
from synaptree.grammar.family.level_rules import checked_probabilities
from synaptree.grammar.family.own_rules import OwnRules
from synaptree.grammar.family.sources import CorrelationFree, MixedRules
from synaptree.grammar.family.tasks import Task, class_of_string, inputs_and_targets
from synaptree.grammar.family.tree_grammar import TreeGrammar
from synaptree.grammar.integers import Ints
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.grammar.sampling import HASH, random_stream

Form = Literal["tokens", "one-hot", "whitened"]
PARTS = ("training", "validation", "test")
CARD = "synaptree-data/1"
_DIALS = ("probabilities", "prior", "sparse", "noise", "layout", "length")


def encoded(grammar: TreeGrammar, x: NDArray[Any], form: Form = "tokens") -> Tensor:
    """Strings (P, d) as a network reads them.

    "tokens": int64, blanks and -1 included. "one-hot": float32 (P, v, d), as the RHM authors'
    program lays it out; all 0 where no token is seen. "whitened": (one-hot - 1/v)/√(1 - 1/v), as in
    that program, so that each token is a vector of length 1; 0 where no token is seen.
    """
    form = choice("encoded form", form, ("tokens", "one-hot", "whitened"))
    tokens = torch.from_numpy(np.asarray(x).astype(np.int64))
    if form == "tokens":
        return tokens
    v = grammar.v
    seen = (tokens >= 0) & (tokens < v)
    hot = (tokens[..., None] == torch.arange(v)).to(torch.float32)
    if form == "whitened":
        hot = (hot - 1 / v) / (1 - 1 / v) ** 0.5 * seen[..., None]
    return hot.transpose(1, 2).contiguous()


def parts_of(
    x: Ints, shares: tuple[float, float, float] = (0.8, 0.1, 0.1), seed: int = 0
) -> NDArray[np.int64]:
    """For each string its part: 0 training, 1 validation, 2 test.

    A string's 64-bit hash decides, so that each part has about its share of all strings.
    """
    edges = np.cumsum(checked_probabilities("split shares", shares, (3,)))[:2]
    x = np.atleast_2d(x)
    rng = random_stream(checked_integer("split seed", seed, 0), HASH, x.shape[1])
    odd = rng.integers(2**63, size=(2, x.shape[1]), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    one, two = (x.astype(np.uint64) @ weights for weights in odd)
    share = (_mixed(_mixed(one) ^ two) >> np.uint64(11)) / 2.0**53  # below 1
    return np.searchsorted(edges, share, side="right")


def _mixed(key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A bijection of 64-bit numbers under which each bit depends on all (splitmix64)."""
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))


@dataclass(frozen=True)
class Split:
    """A part of the data: which one, the shares of all three, and the seed that divides them."""

    part: str = "training"
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1)
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "part", choice("split part", self.part, PARTS))
        shares = tuple(checked_probabilities("split shares", self.shares, (3,)).tolist())
        object.__setattr__(self, "shares", shares)
        if not shares[PARTS.index(self.part)]:
            raise SynaptreeError(f"split shares: {shares}; expected above 0 for {self.part}")

    def holds(self, x: Ints) -> NDArray[np.bool_]:
        """Which strings are of this part."""
        return parts_of(x, self.shares, self.seed) == PARTS.index(self.part)


def draw_part(grammar: TreeGrammar, P: int, seed: int, split: Split | None = None) -> Samples:
    """P strings of a part, drawn independently; None: of all strings."""
    count = checked_integer("draw_part P", P, 1)
    if split is None:
        return grammar.sample(count, seed)
    wanted, most = 2 * count + 64, 1000 * count + 2**16
    rows = np.empty(0, np.intp)
    while len(rows) < count and wanted <= 2 * most:
        samples = grammar.sample(wanted, seed)
        rows = np.flatnonzero(split.holds(samples.x))[:count]
        if len(rows) == count:
            return rows_of(samples, rows)
        wanted *= 2
    raise SynaptreeError(
        f"draw_part: {len(rows)} of {wanted // 2} strings are of the part {split.part!r}; expected"
        f" {count}: a larger share, or a grammar with more strings"
    )


def rows_of(samples: Samples, rows: NDArray[np.intp]) -> Samples:
    """These samples of all."""
    return Samples(samples.x[rows], samples.y[rows], tuple(each[rows] for each in samples.latents))


class TreeDataset(Dataset[tuple[Tensor, Tensor]]):
    """P strings of a part with the targets of a task, drawn once."""

    def __init__(
        self,
        grammar: TreeGrammar,
        P: int,
        seed: int,
        task: Task | None = None,
        form: Form = "tokens",
        split: Split | None = None,
    ) -> None:
        self.samples = draw_part(grammar, P, seed, split)
        task = class_of_string(grammar) if task is None else task
        x, targets = inputs_and_targets(grammar, task, self.samples)
        self.inputs, self.targets = encoded(grammar, x, form), torch.from_numpy(targets)

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.inputs[index], self.targets[index]


class FreshBatches(IterableDataset[tuple[Tensor, Tensor]]):
    """Batches without end: no batch is drawn twice.

    Strings are independent draws, so one may come again by chance. Iterating anew begins with the
    same batch. For a DataLoader with `batch_size=None`; its workers take turns, so that the batches
    are the same however many there are.
    """

    def __init__(
        self,
        grammar: TreeGrammar,
        batch: int,
        seed: int,
        task: Task | None = None,
        form: Form = "tokens",
        split: Split | None = None,
    ) -> None:
        self.grammar, self.split = grammar, split
        self.form: Form = form
        self.batch = checked_integer("batches batch", batch, 1)
        self.seed = checked_integer("batches seed", seed, 0)
        self.task = class_of_string(grammar) if task is None else task

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        seeds = random_stream(self.seed, HASH, 1)
        worker = get_worker_info()
        turn, turns = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for number in itertools.count():
            seed = int(seeds.integers(2**62))
            if number % turns != turn:
                continue
            samples = draw_part(self.grammar, self.batch, seed, self.split)
            x, targets = inputs_and_targets(self.grammar, self.task, samples)
            yield encoded(self.grammar, x, self.form), torch.from_numpy(targets)


def card(grammar: TreeGrammar, P: int, seed: int, split: Split | None = None) -> dict[str, Any]:
    """Everything that the data follow from, in plain types: the grammar, P and seeds.

    `grammar_of` reads it back, and `draw_part` then draws the same strings.
    """
    return {
        "format": CARD,
        **{name: _plain(getattr(grammar, name)) for name in ("source", *_DIALS)},
        "P": P,
        "seed": seed,
        "split": None if split is None else asdict(split),
        "d": grammar.d,
        "tokens": grammar.v,
        "blank": grammar.v if grammar.has_blank else None,
        "derivations": str(grammar.derivations) if grammar.derivations < 10**4000 else None,
    }


def grammar_of(card: Mapping[str, Any]) -> TreeGrammar:
    """The grammar that a data card describes, also one that was read from a file.

    Raises SynaptreeError where it is no data card, or not one of a grammar that can be.
    """
    if not isinstance(card, Mapping) or card.get("format") != CARD:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SynaptreeError(f"card: {shown(card)}; expected a data card, of format {CARD!r}")
    try:
        return TreeGrammar(_built(card["source"]), *(_built(card[name]) for name in _DIALS))
    except (KeyError, TypeError) as fault:
        raise SynaptreeError(f"card: {shown(str(fault))}; expected what `card` returns") from None


_KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (RandomHierarchyModel, MixedRules, CorrelationFree, OwnRules, Zipf, Sparse, Noise)
}


def _built(value: Any) -> Any:
    """The object that `_plain` described."""
    if isinstance(value, Mapping):
        return _KINDS[value["kind"]](**{name: value[name] for name in value if name != "kind"})
    return value


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {"kind": type(value).__name__, **asdict(value)}
    return value
