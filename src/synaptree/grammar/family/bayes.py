"""The smallest error that any learner can have on a task, however much data it has seen.

It is 1 - Σ p(evidence) max p(answer | evidence): summed over all evidence where that can be listed;
otherwise the mean over drawn strings of the error that the posterior leaves (Rao-Blackwellised:
whether an answer is right is not drawn, but known), with an interval.
"""

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synaptree.errors import SynaptreeError, checked_integer, shown
from synaptree.grammar.family.posterior import log_probability, posterior
from synaptree.grammar.family.tasks import HIDDEN, Task, hidden_places, inputs_and_targets
from synaptree.grammar.family.tree_grammar import TreeGrammar
from synaptree.grammar.family.tree_sums import seen_table

MOST_LISTED = 2**18  # strings, or trees
MOST_LISTED_PACKED = 2**14  # each of which is parsed in all shapes
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class BayesError:
    """The error of the best possible answers.

    `error` lies in `low`..`high`: an interval of 95% confidence that holds for any number of
    strings (empirical Bernstein; Maurer & Pontil, arXiv 0907.3740), or the error itself where it is
    `exact`. `chance`: the exact error of the best answer that looks at no string.
    """

    error: float
    low: float
    high: float
    exact: bool
    chance: float


def bayes_error(grammar: TreeGrammar, task: Task, P: int = 10_000, seed: int = 0) -> BayesError:
    """The Bayes-optimal error of a task; the mean over its places where it asks for several tokens.

    Args:
        P, seed: of the strings that are drawn where not all can be listed.
    """
    checked_integer("bayes_error P", P, 2)
    chance = _chance(grammar, task)
    evidence = all_evidence(grammar, task)
    if evidence is not None:
        weights = log_probability(grammar, evidence).exp()
        possible = weights > 0
        left = 1 - answers(grammar, task, evidence[possible.numpy()]).amax(dim=2).mean(dim=1)
        error = max(float((weights[possible] * left).sum()), 0.0)
        return BayesError(error, error, error, True, chance)
    x, _ = inputs_and_targets(grammar, task, grammar.sample(P, seed))
    left = 1 - answers(grammar, task, x).amax(dim=2).mean(dim=1)
    mean, spread = max(float(left.mean()), 0.0), float(left.var())
    tail = log(4 / (1 - _CONFIDENCE))
    width = sqrt(2 * spread * tail / P) + 7 * tail / (3 * (P - 1))
    return BayesError(mean, max(mean - width, 0.0), min(mean + width, 1.0), False, chance)


def answers(grammar: TreeGrammar, task: Task, x: NDArray[np.int64]) -> Tensor:
    """p(answer | what is seen), exact: (B, answers asked for, symbols).

    x: (B, d) with -1 at the places that the task hides, as `inputs_and_targets` makes it.
    """
    if task.latent is not None:
        level, node = task.latent
        return posterior(grammar, x, [level]).latents[level][:, node : node + 1]
    places = torch.from_numpy(hidden_places(grammar, task, x)[:, : task.asked])
    tokens = posterior(grammar, x, [0]).places
    assert tokens is not None
    asked = tokens.gather(1, places[:, :, None].expand(-1, -1, tokens.shape[2]))
    return asked @ seen_table(grammar)[:, :-1]


def all_evidence(grammar: TreeGrammar, task: Task) -> NDArray[np.int64] | None:
    """Everything that a learner can see on a task, each once; None where it is too much to list."""
    if not grammar.noisy and grammar.derivations <= MOST_LISTED and grammar.d <= 2**10:
        strings = all_strings(grammar)
    else:
        strings = _every_row(grammar, task)
        if strings is None:
            return None
    strings[np.arange(len(strings))[:, None], hidden_places(grammar, task, strings)] = HIDDEN
    return np.unique(strings, axis=0)


def all_strings(grammar: TreeGrammar) -> NDArray[np.int64]:
    """Every string that the grammar derives, noise aside, once: (strings, d), sorted.

    Raises SynaptreeError where it has more than 2**18 derivations.
    """
    if grammar.derivations > MOST_LISTED:
        raise SynaptreeError(
            f"all_strings: {shown(grammar.derivations)} derivations; expected at most {MOST_LISTED}"
        )
    below = [np.array([[symbol]]) for symbol in range(grammar.symbols[0])]
    for table in grammar.expansions:
        below = [
            np.unique(
                np.concatenate(
                    [_side_by_side([below[c] for c in row]) for row in rows[likely > 0]]
                ),
                axis=0,
            )
            for rows, likely in zip(table.children, table.probabilities, strict=True)
        ]
    possible = zip(below, grammar.class_probabilities, strict=True)
    strings = np.concatenate([rows for rows, p in possible if p > 0])
    if grammar.layout == "packed":
        order = np.argsort(strings == grammar.v, axis=1, kind="stable")
        strings = np.take_along_axis(strings, order, axis=1)
    if grammar.length is not None:
        strings = strings[(strings < grammar.v).sum(axis=1) == grammar.length]
    return np.unique(strings, axis=0)


def _side_by_side(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Every combination of a row of each part."""
    which = np.indices([len(part) for part in parts]).reshape(len(parts), -1)
    return np.concatenate([part[i] for part, i in zip(parts, which, strict=True)], axis=1)


def _lengths(grammar: TreeGrammar) -> NDArray[np.intp]:
    """The lengths that strings are seen to have."""
    if grammar.layout == "aligned" or not grammar.has_blank:
        return np.array([grammar.d])
    if grammar.length is not None:
        return np.array([grammar.length])
    return np.flatnonzero(grammar.length_probabilities)


def _blind(grammar: TreeGrammar) -> NDArray[np.int64]:
    """A string of each length, of which no token is seen."""
    lengths = _lengths(grammar)
    return np.where(np.arange(grammar.d) < lengths[:, None], HIDDEN, grammar.v)


def _every_row(grammar: TreeGrammar, task: Task) -> NDArray[np.int64] | None:
    """All rows of symbols at the places that the task shows, possible or not."""
    blind = _blind(grammar)
    symbols = grammar.v if grammar.layout == "packed" else grammar.symbols[0]
    hidden = np.zeros(blind.shape, bool)
    hidden[np.arange(len(blind))[:, None], hidden_places(grammar, task, blind)] = True
    shown_at = (blind == HIDDEN) & ~hidden
    most = MOST_LISTED_PACKED if grammar.layout == "packed" else MOST_LISTED
    if sum(symbols ** int(count) for count in shown_at.sum(axis=1)) > most:
        return None
    rows: list[NDArray[np.int64]] = []
    for string, places in zip(blind, shown_at, strict=True):
        count = int(places.sum())
        block = np.repeat(string[None], symbols**count, axis=0)
        block[:, places] = np.arange(len(block))[:, None] // symbols ** np.arange(count) % symbols
        rows.append(block)
    return np.concatenate(rows)


def _chance(grammar: TreeGrammar, task: Task) -> float:
    blind = _blind(grammar)
    weights = log_probability(grammar, blind).exp()[:, None, None]
    return float(1 - (weights * answers(grammar, task, blind)).sum(dim=0).amax(dim=1).mean())
