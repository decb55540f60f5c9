"""What is known of every node of the tree when a string, or a part of one, has been seen; exact.

A string is seen as `TreeGrammar.sample` makes it: through noise, and with blanks. -1 is a place
that is not seen (masked). Everything is in float64, and sums are of logarithms.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from synaptree.errors import SynaptreeError, checked_integer, shown
from synaptree.grammar.family import tree_sums
from synaptree.grammar.family.chart import Chart, charts
from synaptree.grammar.family.tree_grammar import TreeGrammar
from synaptree.grammar.integers import Ints

_CELLS = 2**19  # of the largest array of a chunk
Known = Mapping[tuple[int, int], ArrayLike]


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is known of strings.

    `log_evidence`: (B,), log p(what is seen), natural. `latents[l]`: (B, nodes, symbols), the
    posterior of each node of the aligned tree, for the levels asked for. `places`: (B, d, symbols),
    that of the token, before noise, at each place of the string; None unless level 0 was asked for.
    """

    log_evidence: Tensor
    latents: dict[int, Tensor]
    places: Tensor | None


def posterior(
    grammar: TreeGrammar,
    x: ArrayLike,
    levels: Sequence[int] | None = None,
    known: Known | None = None,
    likelihoods: Tensor | None = None,
) -> Posterior:
    """The exact posterior of the latents of each string.

    Args:
        x: (B, d) or (d,): tokens, blanks (v), and -1 where nothing is seen.
        levels: which to return, 0..L; None: the latents, 1..L. Level 0 is the token before noise.
        known: for nodes (level, node) their symbols, (B,), -1 where unknown.
        likelihoods: (B, d, symbols of level 0): instead of x, p(what is seen | token) at each place
            for an observer of one's own. x is then None.

    Raises:
        SynaptreeError: a string that the grammar cannot produce.
    """
    wanted = tuple(range(1, grammar.L + 1)) if levels is None else tuple(levels)
    for level in wanted:
        checked_integer("posterior levels", level, 0, grammar.L)
    seen = checked_evidence(grammar, x, likelihoods)
    B, lowest = len(seen), min(wanted, default=grammar.L)
    shapes = {level: (B, grammar.nodes(level), grammar.symbols[level]) for level in wanted}
    latents = {level: torch.empty(shape, dtype=torch.float64) for level, shape in shapes.items()}
    places = torch.empty(shapes[0], dtype=torch.float64) if 0 in wanted else None
    evidence = torch.zeros(B, dtype=torch.float64)
    for rows, sums in _chunks(grammar, seen, known, likelihoods is not None):
        evidence[rows] = sums.log_evidence()
        found = sums.posteriors(lowest)
        for level, whole in latents.items():
            whole[rows] = found[level].permute(2, 0, 1)
        if places is not None:
            packed = sums.places() if isinstance(sums, Chart) else found[0]
            places[rows] = packed.permute(2, 0, 1)
    _check_possible("posterior x", evidence)
    return Posterior(evidence, latents, places)


def log_probability(
    grammar: TreeGrammar,
    x: ArrayLike,
    known: Known | None = None,
    likelihoods: Tensor | None = None,
) -> Tensor:
    """log p(what is seen), natural, (B,); -inf for a string that the grammar cannot produce."""
    seen = checked_evidence(grammar, x, likelihoods)
    evidence = torch.empty(len(seen), dtype=torch.float64)
    for rows, sums in _chunks(grammar, seen, known, likelihoods is not None):
        evidence[rows] = sums.log_evidence()
    return evidence


def sample_posterior(
    grammar: TreeGrammar,
    x: ArrayLike,
    seed: int,
    known: Known | None = None,
    likelihoods: Tensor | None = None,
) -> tuple[Tensor, ...]:
    """A tree for each string, drawn from its posterior: for each level 0..L, (B, nodes)."""
    random = torch.Generator().manual_seed(checked_integer("posterior seed", seed, 0, 2**63 - 1))
    seen = checked_evidence(grammar, x, likelihoods)
    evidence = torch.zeros(len(seen), dtype=torch.float64)
    drawn = tuple(
        torch.empty((len(seen), grammar.nodes(level)), dtype=torch.int64)
        for level in range(grammar.L + 1)
    )
    for rows, sums in _chunks(grammar, seen, known, likelihoods is not None):
        evidence[rows] = sums.log_evidence()
        for whole, part in zip(drawn, sums.draw(random), strict=True):
            whole[rows] = part.T
    _check_possible("sample_posterior x", evidence)
    return drawn


class TreeChunk:
    """The sums of one chunk of aligned strings."""

    def __init__(self, grammar: TreeGrammar, leaves: Tensor, known: Mapping[int, Tensor]) -> None:
        self.tables = level_tables(grammar)
        self.up = tree_sums.upward(self.tables, leaves, known)
        prior = torch.from_numpy(grammar.class_probabilities).log()
        self.top = self.up.messages[-1].logs() + prior[:, None]

    def log_evidence(self) -> Tensor:
        """(B,)."""
        return self.top[0].logsumexp(dim=0)

    def classes(self) -> Tensor:
        """Posterior of the class, (1, n, B)."""
        return self.top.softmax(dim=1)

    def posteriors(self, lowest: int) -> dict[int, Tensor]:
        """Of the levels from the lowest to L, (nodes, symbols, B)."""
        return tree_sums.downward(self.tables, self.up, self.classes(), lowest)

    def draw(self, random: torch.Generator) -> list[Tensor]:
        """Symbols of all levels, (nodes, B)."""
        classes = tree_sums.draw(self.classes(), random)
        return tree_sums.draw_downward(self.tables, self.up, classes, random)


@lru_cache(maxsize=8)
def level_tables(grammar: TreeGrammar) -> tuple[tree_sums.LevelTable, ...]:
    """The tables of all levels as tensors."""
    return tuple(
        tree_sums.level_table(table, below)
        for table, below in zip(grammar.expansions, grammar.symbols, strict=False)
    )


def _chunks(
    grammar: TreeGrammar, seen: Tensor, known: Known | None, likelihoods: bool
) -> Iterator[tuple[slice | Tensor, TreeChunk | Chart]]:
    """The sums of each chunk of checked evidence, with the rows that it is of."""
    facts = _checked_known(grammar, known or {}, len(seen))
    if grammar.layout == "packed":
        if facts or likelihoods:
            raise SynaptreeError(
                "posterior known: a packed string hides where nodes are; expected tokens alone"
            )
        yield from charts(grammar, seen)
        return
    table = tree_sums.seen_table(grammar)
    widest = max(
        grammar.nodes(level) * e.probabilities.size for level, e in enumerate(grammar.expansions, 1)
    )
    step = max(1, _CELLS // widest)
    for first in range(0, len(seen), step):
        rows = slice(first, first + step)
        part = seen[rows]
        if likelihoods:
            leaves = part.permute(1, 2, 0).contiguous()
        else:
            leaves = table.T[part.T].transpose(1, 2).contiguous()
        local = {level: _masks(grammar, level, facts, rows) for level, _ in facts}
        yield rows, TreeChunk(grammar, leaves, local)


def checked_evidence(grammar: TreeGrammar, x: ArrayLike, likelihoods: Tensor | None) -> Tensor:
    """Strings (B, d) whose unseen places are the number after the last symbol; or likelihoods."""
    symbols = grammar.symbols[0]
    if likelihoods is not None:
        given = torch.as_tensor(likelihoods, dtype=torch.float64)
        if given.ndim != 3 or given.shape[1:] != (grammar.d, symbols) or not (given >= 0).all():
            raise SynaptreeError(
                f"posterior likelihoods: shape {tuple(given.shape)}; expected non-negative numbers"
                f" (B, {grammar.d}, {symbols})"
            )
        return given
    array = np.asarray(x)
    if not np.issubdtype(array.dtype, np.integer):
        raise SynaptreeError(f"posterior x: dtype {array.dtype}; expected integers")
    if array.ndim not in (1, 2) or array.shape[-1] != grammar.d or not array.size:
        raise SynaptreeError(
            f"posterior x: shape {array.shape}; expected (B, d) or (d,) with d={grammar.d}"
        )
    strings: Ints = array.reshape(-1, grammar.d).astype(np.int64)
    wrong = (strings < -1) | (strings >= symbols)
    if wrong.any():
        row, place = (int(i) for i in np.argwhere(wrong)[0])
        blank = f", {grammar.v} for a blank" if grammar.has_blank else ""
        raise SynaptreeError(
            f"posterior x: {int(strings[row, place])} at place {place} of string {row}; expected"
            f" tokens 0..{grammar.v - 1}{blank}, or -1 where nothing is seen"
        )
    return torch.from_numpy(np.where(strings < 0, symbols, strings))


def _checked_known(grammar: TreeGrammar, known: Known, B: int) -> dict[tuple[int, int], Tensor]:
    checked: dict[tuple[int, int], Tensor] = {}
    for (level, node), values in known.items():
        checked_integer("posterior known level", level, 0, grammar.L)
        checked_integer(f"posterior known node of level {level}", node, 0, grammar.nodes(level) - 1)
        given = np.asarray(values)
        most = grammar.symbols[level] - 1
        if given.shape != (B,) or given.dtype.kind not in "iu" or given.max() > most:
            raise SynaptreeError(
                f"posterior known ({level}, {node}): {shown(given.tolist())}; expected ({B},)"
                f" integers 0..{most}, or -1 where unknown"
            )
        checked[level, node] = torch.from_numpy(given.astype(np.int64))
    return checked


def _masks(
    grammar: TreeGrammar, level: int, facts: Mapping[tuple[int, int], Tensor], rows: slice
) -> Tensor:
    """1 for the symbols that are possible by what is known, else 0: (nodes, symbols, B)."""
    mine = {node: values[rows] for (at, node), values in facts.items() if at == level}
    B = len(next(iter(mine.values())))
    mask = torch.ones(grammar.nodes(level), grammar.symbols[level], B, dtype=torch.float64)
    every = torch.arange(grammar.symbols[level])[:, None]
    for node, values in mine.items():
        mask[node].masked_fill_((values >= 0) & (every != values), 0.0)
    return mask


def _check_possible(where: str, log_evidence: Tensor) -> None:
    never = torch.isneginf(log_evidence)
    if never.any():
        row = int(never.int().argmax())
        raise SynaptreeError(
            f"{where}: string {row} cannot come from this grammar; expected one that it can produce"
        )
