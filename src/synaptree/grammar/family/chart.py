"""Sum-product where the shape of the tree is hidden: over all spans of a packed string.

As in the inside-outside algorithm, but level by level, since all trees have depth L. Upwards each
level has a message log p(span | symbol) for each span, a start and a length; the blank has length
0. The places of an expansion are filled from the right: `rests[k]` are the messages of its children
from place k on, together. Downwards the posterior of a symbol and its span is shared out among the
expansions, and then from the left among the lengths of the children.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from synaptree.errors import SynaptreeError
from synaptree.grammar.family.tree_sums import (
    LevelTable,
    Messages,
    draw,
    level_table,
    seen_table,
)

if TYPE_CHECKING:
    from synaptree.grammar.family.tree_grammar import TreeGrammar

Spans = dict[int, Tensor]  # for each length (starts, symbols or expansions, B)
Node = dict[tuple[int, int], Tensor]  # for each start and length (symbols, B)

NEVER = -torch.inf
_CELLS = 2**21  # of all starts, expansions and strings of a chunk
_MOST = 2**26


class Chart:
    """The sums of packed strings of one length."""

    def __init__(self, grammar: "TreeGrammar", seen: Tensor, length: int) -> None:
        self.grammar, self.length, self.B = grammar, length, len(seen)
        self.tables = [
            level_table(table, below)
            for table, below in zip(grammar.expansions, grammar.symbols, strict=False)
        ]
        self.spans: list[Spans] = [self._leaves(seen)]
        self.rests: list[list[Spans]] = []
        for table in self.tables:
            self._add_level(table)
        whole = self.spans[-1].get(length)
        prior = torch.from_numpy(grammar.class_probabilities).log()[:, None]
        self.top = prior + (torch.full((1, self.B), NEVER) if whole is None else whole[0])

    def log_evidence(self) -> Tensor:
        """(B,); of the strings of the grammar's length, where it has one."""
        total = self.top.logsumexp(dim=0)
        if self.grammar.length is None:
            return total
        if self.length != self.grammar.length:
            return torch.full_like(total, NEVER)
        return total - float(np.log(self.grammar.length_probabilities[self.length]))

    def classes(self) -> Tensor:
        """Posterior of the class, (1, n, B)."""
        return self.top.softmax(dim=0)[None]

    def posteriors(self, lowest: int) -> dict[int, Tensor]:
        """Of the levels from the lowest to L of the aligned tree, (nodes, symbols, B)."""
        found: dict[int, Tensor] = {}
        for level, nodes in enumerate(self._nodes(lowest), lowest):
            zero = torch.zeros(self.grammar.symbols[level], self.B, dtype=torch.float64)
            found[level] = torch.stack([sum(node.values(), zero) for node in nodes])
        return found

    def places(self) -> Tensor:
        """Posterior of the token at each place of the packed string: (d, symbols, B)."""
        grammar = self.grammar
        found = torch.zeros(grammar.d, grammar.symbols[0], self.B, dtype=torch.float64)
        for leaf in self._nodes(0)[0]:
            for (start, length), share in leaf.items():
                if length:
                    found[start] += share
        if grammar.has_blank:
            found[self.length :, grammar.v] = 1
        return found

    def _leaves(self, seen: Tensor) -> Spans:
        grammar, T = self.grammar, self.length
        table = seen_table(grammar).log()
        token = torch.full((T + 1, grammar.symbols[0], self.B), NEVER, dtype=torch.float64)
        token[:T, : grammar.v] = table[: grammar.v][:, seen[:, :T].T].transpose(0, 1)
        if not grammar.has_blank:
            return {1: token}
        blank = torch.full_like(token, NEVER)
        blank[:, grammar.v] = 0
        return {0: blank, 1: token}

    def _add_level(self, table: LevelTable) -> None:
        below = {n: Messages(spans).with_any(table) for n, spans in self.spans[-1].items()}
        rests: list[Spans] = []
        for children in reversed(table.children):
            own = {n: spans.index_select(1, children) for n, spans in below.items()}
            rests.insert(0, _joined(own, rests[0], self.length) if rests else own)
        symbols, M = table.likely.shape
        logs = table.likely.log().reshape(-1, 1)
        self.rests.append(rests)
        self.spans.append(
            {
                n: (rest + logs).reshape(len(rest), symbols, M, -1).logsumexp(dim=2)
                for n, rest in rests[0].items()
            }
        )

    def _nodes(self, lowest: int) -> list[list[Node]]:
        """For each level from the lowest to L, the posterior of the spans of each of its nodes."""
        levels: list[list[Node]] = [[{(0, self.length): self.classes()[0]}]]
        for index in range(len(self.tables) - 1, lowest - 1, -1):
            below: list[Node] = []
            for node in levels[-1]:
                below += self._children(index, node)
            levels.append(below)
        return levels[::-1]

    def _children(self, index: int, node: Node) -> list[Node]:
        table, rests, spans = self.tables[index], self.rests[index], self.spans[index]
        going: dict[tuple[int, int], Tensor] = {}  # for each start and length left (expansions, B)
        for (start, n), share in node.items():
            terms = (rests[0][n][start] + table.likely.log().reshape(-1, 1)).reshape(
                *table.likely.shape, -1
            )
            weights = terms.softmax(dim=1).nan_to_num_(0.0)
            going[start, n] = (share[:, None] * weights).flatten(0, 1)
        children: list[Node] = []
        for place in range(len(rests)):
            child: Node = {}
            left: dict[tuple[int, int], Tensor] = {}
            for (start, n), mass in going.items():
                for k, spans_k in spans.items():
                    own = Messages(spans_k[start]).with_any(table)[table.children[place]]
                    if place + 1 == len(rests):
                        if k != n:
                            continue
                        part = mass
                    else:
                        rest = rests[place + 1].get(n - k)
                        if rest is None or start + k > self.length:
                            continue
                        both = own + rest[start + k] - rests[place][n][start]
                        part = mass * both.nan_to_num_(NEVER, posinf=NEVER).exp_()
                        _add(left, (start + k, n - k), part)
                    share = Messages(spans_k[start]).shared_out(table, table.parts[place] @ part)
                    _add(child, (start, k), share)
            children.append(child)
            going = left
        return children

    def draw(self, random: torch.Generator) -> list[Tensor]:
        """Symbols of all levels of the aligned tree, (nodes, B), drawn from the posterior."""
        classes = draw(self.classes(), random)[0]
        grammar = self.grammar
        drawn = [
            torch.full((grammar.nodes(level), self.B), grammar.symbols[level] - 1)
            for level in range(grammar.L + 1)
        ]
        drawn[-1][0] = classes
        for b in range(self.B):
            self._draw_one(b, drawn, random)
        return drawn

    def _draw_one(self, b: int, drawn: list[Tensor], random: torch.Generator) -> None:
        at = [(0, self.length)]
        for index in reversed(range(len(self.tables))):
            table, rests, spans = self.tables[index], self.rests[index], self.spans[index]
            M, places = table.likely.shape[1], len(rests)
            below: list[tuple[int, int]] = []
            for node, (start, n) in enumerate(at):
                symbol = int(drawn[index + 1][node, b])
                mine = slice(symbol * M, (symbol + 1) * M)
                weights = (rests[0][n][start, mine, b] + table.likely[symbol].log()).softmax(dim=0)
                number = symbol * M + _one(weights, random)
                for place in range(places):
                    child = int(table.children[place, number])
                    lengths, logs = [], []
                    for k, spans_k in spans.items():
                        last = place + 1 == places
                        rest = None if last else rests[place + 1].get(n - k)
                        if (
                            (last and k != n)
                            or (not last and rest is None)
                            or start + k > self.length
                        ):
                            continue
                        own = Messages(spans_k[start]).with_any(table)[child, b]
                        lengths.append(k)
                        logs.append(own if rest is None else own + rest[start + k, number, b])
                    k = lengths[_one(torch.stack(logs).softmax(dim=0), random)]
                    if child == table.below:
                        features = spans[k][start, : table.features, b]
                        child = _one(features.softmax(dim=0), random)
                    drawn[index][node * places + place, b] = child
                    below.append((start, k))
                    start, n = start + k, n - k
            at = below


def charts(grammar: "TreeGrammar", seen: Tensor) -> Iterator[tuple[Tensor, Chart]]:
    """The charts of strings (B, d), with the rows that each is of."""
    blank = seen == grammar.v
    if not grammar.has_blank:
        blank = torch.zeros_like(blank)  # v is a masked place then
    gap = (~blank[:, 1:] & blank[:, :-1]).any(dim=1)
    if gap.any():
        raise SynaptreeError(
            f"posterior x: string {int(gap.int().argmax())} has a blank before a token; expected a"
            " packed string, with all blanks at its end"
        )
    lengths = (~blank).sum(dim=1)
    widest = max(table.probabilities.size for table in grammar.expansions)
    for length in lengths.unique().tolist():
        rows = (lengths == length).nonzero()[:, 0]
        if widest * (length + 1) ** 2 > _MOST:
            raise SynaptreeError(
                f"posterior: a string of {length} packed tokens and {widest} expansions is too"
                " long to parse; expected a smaller L, or layout='aligned'"
            )
        for part in rows.split(max(1, _CELLS // (widest * (length + 1)))):
            yield part, Chart(grammar, seen[part], length)


def _joined(first: Spans, rest: Spans, T: int) -> Spans:
    """Messages of two neighbours together: all lengths of the first, then the rest behind it."""
    found: Spans = {}
    for k, own in first.items():
        for n, other in rest.items():
            if k + n > T:
                continue
            shifted = torch.full_like(other, NEVER)
            shifted[: T + 1 - k] = other[k:]
            both = own + shifted
            found[k + n] = torch.logaddexp(found[k + n], both) if k + n in found else both
    return found


def _add(into: dict[tuple[int, int], Tensor], key: tuple[int, int], part: Tensor) -> None:
    into[key] = into[key] + part if key in into else part


def _one(weights: Tensor, random: torch.Generator) -> int:
    """An index drawn in proportion to weights (K,)."""
    return int(draw(weights[None, :, None], random)[0, 0])
