"""What a learner is asked about a string, and what it sees for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synaptree.errors import SynaptreeError, checked_integer
from synaptree.grammar.derivation import Samples
from synaptree.grammar.family.tree_grammar import TreeGrammar

HIDDEN = -1  # stands in a string where the learner sees nothing


@dataclass(frozen=True)
class Task:
    """A question about each string; several tasks can ask about the same samples.

    Made by the functions below. `hidden`: places that the learner does not see; negative ones count
    from the end of the string's tokens. `latent`: the node (level, number) that is asked for; None:
    the tokens at the hidden places, as they are seen, through noise. `asked`: how many of them.
    """

    name: str
    hidden: tuple[int, ...] = ()
    latent: tuple[int, int] | None = None
    asked: int = 1


def class_of_string(grammar: TreeGrammar) -> Task:
    """Name the class."""
    return Task("class", latent=(grammar.L, 0))


def latent_of_node(grammar: TreeGrammar, level: int, node: int) -> Task:
    """Name the symbol of a node of level 0..L of the aligned tree; at level 0, before noise."""
    checked_integer("task level", level, 0, grammar.L)
    checked_integer(f"task node of level {level}", node, 0, grammar.nodes(level) - 1)
    return Task(f"latent {level}.{node}", latent=(level, node))


def masked_tokens(grammar: TreeGrammar, places: Sequence[int]) -> Task:
    """Name the token at each of these places, none of which is seen."""
    least = _shortest(grammar)
    checked = tuple(checked_integer("task places", place, -least, least - 1) for place in places)
    if not checked or len({place % grammar.d for place in checked}) < len(checked):
        raise SynaptreeError(f"task places: {checked}; expected one or more different places")
    return Task(f"masked {','.join(map(str, checked))}", checked, asked=len(checked))


def last_token(grammar: TreeGrammar) -> Task:
    """Name the last token from all others."""
    return Task("last token", masked_tokens(grammar, (-1,)).hidden)


def next_token(grammar: TreeGrammar, place: int) -> Task:
    """Name the token at a place from those before it."""
    if grammar.layout == "packed" and grammar.length is None and grammar.has_blank:
        raise SynaptreeError(
            "task next_token: packed strings of several lengths, whose length would be seen;"
            " expected layout='aligned', or a length"
        )
    length = _shortest(grammar)
    checked_integer("task place", place, 0, length - 1)
    return Task(f"next token {place}", tuple(range(place, length)))


def inputs_and_targets(
    grammar: TreeGrammar, task: Task, samples: Samples
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What a learner sees, (P, d) with -1 where a place is hidden, and what it is asked: (P,), or
    (P, places) for more than one token."""
    x = samples.x.astype(np.int64)
    rows = np.arange(len(x))
    places = hidden_places(grammar, task, x)
    if task.latent is None:
        targets = x[rows[:, None], places[:, : task.asked]]
        targets = targets[:, 0] if task.asked == 1 else targets
    else:
        level, node = task.latent
        targets = samples.latents[level][:, node].astype(np.int64)
    x[rows[:, None], places] = HIDDEN
    return x, targets


def hidden_places(grammar: TreeGrammar, task: Task, x: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places that a task hides in each string: (P, hidden)."""
    ends = (
        (x != grammar.v).sum(axis=1) if grammar.layout == "packed" else np.full(len(x), grammar.d)
    )
    places = np.array(task.hidden, np.int64).reshape(1, -1)
    return np.where(places < 0, ends[:, None] + places, places)


def _shortest(grammar: TreeGrammar) -> int:
    """The fewest places that a string fills."""
    if grammar.layout == "aligned" or not grammar.has_blank:
        return grammar.d
    if grammar.length is not None:
        return grammar.length
    return int(np.flatnonzero(grammar.length_probabilities)[0])
