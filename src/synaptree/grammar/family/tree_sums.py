"""Sum-product on the tree: upwards, what the string says of each node; downwards, posteriors.

Upwards each node has a message, p(evidence below | symbol), and each expansion of a symbol a term,
p(expansion, evidence below | symbol). Downwards the posterior of a symbol is shared out among its
expansions in proportion to their terms, and each expansion gives its part to its children.

Messages are numbers up to 1 with the logarithm of a factor for each node, since products are
several times faster than exponentials of sums. Where the product of the smallest could vanish they
become logarithms, from that level on, so nothing is ever lost.

Arrays are (nodes, symbols, B): the batch is last, so that tables are looked up row by row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from synaptree.grammar.family.expansions import Expansions

if TYPE_CHECKING:
    from synaptree.grammar.family.tree_grammar import TreeGrammar

_TINY = torch.finfo(torch.float64).tiny


@dataclass(frozen=True, eq=False)
class LevelTable:
    """`Expansions` as tensors.

    A rule that breaks is an expansion for each pattern, whose features are *any*: one more symbol
    of the level below, drawn uniformly from its features. `children`: (places, symbols * M).
    `likely`: (symbols, M). `features`, `below`: how many features and symbols the level below has;
    any is number `below`. `breaks`: whether a rule may. `parts`: (places, below + breaks,
    symbols * M), 1 where an expansion has this child.
    """

    children: Tensor
    likely: Tensor
    features: int
    below: int
    breaks: bool
    parts: Tensor


def level_table(table: Expansions, below: int) -> LevelTable:
    """The tensors of one level, which lies above one of so many symbols."""
    children, likely = table.children, table.probabilities
    breaks = table.broken > 0
    if breaks:
        any_child = np.where(table.patterns, below, table.features)
        torn = np.broadcast_to(any_child, (len(children), *any_child.shape))
        children = np.concatenate([children, torn], axis=1)
        kept = [likely * (1 - table.broken), table.pattern_probabilities * table.broken]
        likely = np.concatenate(kept, axis=1)
    rows = torch.from_numpy(children.reshape(-1, table.places).T.copy())
    parts = torch.zeros(table.places, below + breaks, rows.shape[1], dtype=torch.float64)
    parts.scatter_(1, rows[:, None], 1.0)
    return LevelTable(rows, torch.from_numpy(likely), table.features, below, breaks, parts)


@dataclass(frozen=True, eq=False)
class Messages:
    """Those of a level: log p(evidence below | symbol) is `values` where `factors` is None, and
    log(`values`) + `factors` elsewhere.  (..., symbols, B) and (..., B)."""

    values: Tensor
    factors: Tensor | None = None

    def logs(self) -> Tensor:
        """All of them as logarithms."""
        return self.values if self.factors is None else self.values.log() + self.factors[:, None]

    def with_any(self, table: LevelTable) -> Tensor:
        """The values and, where rules break, that of *any*."""
        if not table.breaks:
            return self.values
        features = self.values[..., : table.features, :]
        if self.factors is None:
            mean = features.logsumexp(dim=-2, keepdim=True) - log(table.features)
        else:
            mean = features.mean(dim=-2, keepdim=True)
        return torch.cat([self.values, mean], dim=-2)

    def shares(self, table: LevelTable) -> Tensor:
        """The posterior of *any*: (..., features, B); 0 where none is possible."""
        features = self.values[..., : table.features, :]
        if self.factors is None:
            return features.softmax(dim=-2).nan_to_num_(0.0)
        return features / features.sum(dim=-2, keepdim=True).clamp_(min=_TINY)

    def shared_out(self, table: LevelTable, part: Tensor) -> Tensor:
        """Part (..., below + breaks, B), with what *any* has given to the features."""
        if not table.breaks:
            return part
        whole = part[..., : table.below, :].clone()
        whole[..., : table.features, :] += self.shares(table) * part[..., table.below :, :]
        return whole


@dataclass(frozen=True, eq=False)
class Upward:
    """`messages[l]` of levels l = 0..L. `terms[l-1]`: (nodes, symbols, M, B), and `totals[l-1]`,
    their sums over the expansions; both up to a factor for each node, symbol and string."""

    messages: list[Messages]
    terms: list[Tensor]
    totals: list[Tensor]


def upward(tables: Sequence[LevelTable], leaves: Tensor, known: Mapping[int, Tensor]) -> Upward:
    """Messages and terms of all nodes.

    leaves: (d, symbols, B), p(what is seen | token). known: for each level of which something is
    known besides, 1 for the symbols that are possible by it and 0 for others, (nodes, symbols, B).
    """
    messages = [_rescaled(leaves * known[0] if 0 in known else leaves, None)]
    up = Upward(messages, [], [])
    for level, table in enumerate(tables, 1):
        if _could_vanish(messages[-1], table):
            messages[-1] = Messages(messages[-1].logs())
        terms, tops = _terms(table, messages[-1])
        totals = terms.sum(dim=2)
        up.terms.append(terms)
        up.totals.append(totals)
        fact = known.get(level)
        if tops is not None:
            logs = totals.log() + tops
            messages.append(Messages(logs if fact is None else logs + fact.log()))
            continue
        factors = messages[-1].factors
        grouped = None if factors is None else factors.reshape(len(terms), -1, terms.shape[-1])
        messages.append(_rescaled(totals if fact is None else totals * fact, grouped))
    return up


def _terms(table: LevelTable, below: Messages) -> tuple[Tensor, Tensor | None]:
    """(nodes, symbols, M, B); and the logarithms of factors (nodes, symbols, B) taken out of them,
    if the messages are logarithms."""
    values = below.with_any(table)
    grouped = values.reshape(-1, len(table.children), *values.shape[1:])
    terms = grouped[:, 0].index_select(1, table.children[0])
    for place, children in enumerate(table.children[1:], 1):
        more = grouped[:, place].index_select(1, children)
        terms = terms.mul_(more) if below.factors is not None else terms.add_(more)
    terms = terms.reshape(len(grouped), *table.likely.shape, -1)
    if below.factors is not None:
        return terms.mul_(table.likely[:, :, None]), None
    terms.add_(table.likely.log()[:, :, None])
    tops = terms.amax(dim=2, keepdim=True).clamp_(min=torch.finfo(terms.dtype).min)
    return terms.sub_(tops).exp_(), tops[:, :, 0]


def _rescaled(values: Tensor, factors: Tensor | None) -> Messages:
    """Numbers (nodes, symbols, B) whose largest symbol is 1, from those with these factors, (nodes,
    places, B), of the nodes below."""
    tops = values.amax(dim=1)
    logs = tops.log()
    if factors is not None:
        logs += factors.sum(dim=1)
    return Messages(values / tops.clamp(min=_TINY)[:, None], logs)


def _could_vanish(below: Messages, table: LevelTable) -> bool:
    """Whether a product of numbers below one node might fall below the smallest there is."""
    if below.factors is None:
        return True
    least = float(below.values.masked_fill(below.values == 0, 1.0).amin())
    rarest = float(table.likely.masked_fill(table.likely == 0, 1.0).amin())
    return log(least) * len(table.children) + log(rarest) - log(table.features) < log(_TINY)


def downward(
    tables: Sequence[LevelTable], up: Upward, top: Tensor, lowest: int
) -> dict[int, Tensor]:
    """Posteriors of the levels lowest..L, (nodes, symbols, B).  top: of the class, (1, n, B)."""
    level = len(tables)
    posteriors = {level: top}
    for table, terms, totals, below in _from_the_top(tables, up):
        if level == lowest:
            break
        shares = posteriors[level] / totals.clamp(min=_TINY)
        used = (shares[:, :, None] * terms).flatten(1, 2)
        children = torch.stack([torch.matmul(part, used) for part in table.parts], dim=1)
        level -= 1
        posteriors[level] = below.shared_out(table, children.flatten(0, 1))
    return posteriors


def draw_downward(
    tables: Sequence[LevelTable], up: Upward, classes: Tensor, random: torch.Generator
) -> list[Tensor]:
    """Symbols of all levels 0..L, (nodes, B), drawn from the posterior given the classes (1, B)."""
    drawn = [classes]
    for table, terms, _, below in _from_the_top(tables, up):
        above = drawn[-1]
        mine = terms.gather(1, above[:, None, None].expand(-1, 1, *terms.shape[2:]))[:, 0]
        number = above * table.likely.shape[1] + draw(mine, random)
        children = table.children[:, number].transpose(0, 1).flatten(0, 1)
        if table.breaks:
            anything = draw(below.shares(table), random)
            children = torch.where(children == table.below, anything, children)
        drawn.append(children)
    return drawn[::-1]


def _from_the_top(
    tables: Sequence[LevelTable], up: Upward
) -> Iterator[tuple[LevelTable, Tensor, Tensor, Messages]]:
    """Table, terms, totals and the messages below of levels L..1."""
    below = up.messages[:-1]
    return zip(*map(reversed, (tables, up.terms, up.totals, below)), strict=True)


def draw(weights: Tensor, random: torch.Generator) -> Tensor:
    """An index along dimension 1 of weights (A, K, B), drawn in proportion to them: (A, B)."""
    edges = weights.cumsum(dim=1)
    shape = (weights.shape[0], 1, weights.shape[2])
    at = torch.rand(shape, generator=random, dtype=weights.dtype) * edges[:, -1:]
    number = (edges <= at).sum(dim=1)
    last = weights.shape[1] - 1 - (weights > 0).flip(1).int().argmax(dim=1)
    return torch.minimum(number, last)


def seen_table(grammar: "TreeGrammar") -> Tensor:
    """p(what is seen | token): (symbols, symbols + 1); the last column is a masked place."""
    symbols, v = grammar.symbols[0], grammar.v
    noise = 0.0 if grammar.noise is None else grammar.noise.tokens
    table = torch.eye(symbols, symbols + 1, dtype=torch.float64)
    table[:v, :v] = table[:v, :v] * (1 - noise) + noise / v
    table[:, symbols] = 1
    return table
