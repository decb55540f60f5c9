"""Trees drawn from the class downwards, and what is seen of them."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synaptree.errors import SynaptreeError
from synaptree.grammar.derivation import Samples
from synaptree.grammar.family.expansions import Expansions
from synaptree.grammar.family.level_rules import Probabilities
from synaptree.grammar.integers import Ints, smallest_type
from synaptree.grammar.sampling import SAMPLE, random_stream

if TYPE_CHECKING:
    from synaptree.grammar.family.tree_grammar import TreeGrammar

_CHUNK = 4096  # strings drawn at a time; fixed, so that a larger P only continues the stream
_MOST_TRIES = 10**7  # chunks


def draw_trees(grammar: "TreeGrammar", P: int, seed: int) -> Samples:
    """`TreeGrammar.sample` with checked arguments."""
    rng = random_stream(seed, SAMPLE)
    chunks: list[Samples] = []
    have = 0
    while have < P:
        chunk = _chunk(grammar, rng)
        if grammar.length is not None:
            chunk = _rows(chunk, (chunk.latents[0] < grammar.v).sum(axis=1) == grammar.length)
        chunks.append(chunk)
        have += len(chunk.x)
        if len(chunks) > _MOST_TRIES:  # a length whose probability is above 1e-4 needs fewer
            raise SynaptreeError(f"sample: strings of length {grammar.length} are too rare")
    latents = tuple(
        np.concatenate(parts)[:P] for parts in zip(*(c.latents for c in chunks), strict=True)
    )
    x = np.concatenate([chunk.x for chunk in chunks])[:P]
    return Samples(x, latents[-1][:, 0], latents)


def drawn_numbers(
    rng: np.random.Generator, symbols: Ints, probabilities: Probabilities
) -> NDArray[np.intp]:
    """For each symbol a column of its row of probabilities (symbols, M), drawn by it."""
    last = probabilities.shape[1] - 1 - (probabilities[:, ::-1] > 0).argmax(axis=1)
    edges = probabilities.cumsum(axis=1)
    edges[np.arange(edges.shape[1]) >= last[:, None]] = 1  # never beyond the last one above 0
    flat = (edges + np.arange(len(edges))[:, None]).ravel()
    drawn = np.searchsorted(flat, symbols + rng.random(symbols.shape), side="right")
    # symbol + u may round up to symbol + 1.
    return np.minimum(drawn - symbols.astype(np.intp) * edges.shape[1], last[symbols])


def _chunk(grammar: "TreeGrammar", rng: np.random.Generator) -> Samples:
    prior = grammar.class_probabilities[None]
    y = drawn_numbers(rng, np.zeros(_CHUNK, np.intp), prior)
    latents: list[Ints] = [y.astype(smallest_type(grammar.symbols[-1])).reshape(-1, 1)]
    for level in range(grammar.L, 0, -1):
        table = grammar.expansions[level - 1]
        children = _expanded(table, latents[-1], rng)
        latents.append(children.astype(smallest_type(grammar.symbols[level - 1])))
    clean = latents[-1]
    return Samples(seen(grammar, clean, rng), latents[0][:, 0], tuple(reversed(latents)))


def _expanded(table: Expansions, symbols: Ints, rng: np.random.Generator) -> Ints:
    numbers = drawn_numbers(rng, symbols, table.probabilities)
    children = table.children[symbols, numbers]
    if table.broken:
        torn = rng.random(symbols.shape) < table.broken
        anything = rng.integers(table.features, size=children.shape)
        children = np.where(torn[..., None] & (children < table.features), anything, children)
    return children.reshape(len(symbols), -1)


def seen(grammar: "TreeGrammar", clean: Ints, rng: np.random.Generator) -> Ints:
    """Clean tokens (P, d) through noise, and packed where the layout is."""
    x = clean
    if grammar.noise is not None and grammar.noise.tokens:
        hit = rng.random(clean.shape) < grammar.noise.tokens
        other = rng.integers(grammar.v, size=clean.shape).astype(clean.dtype)
        x = np.where(hit & (clean < grammar.v), other, clean)
    if grammar.layout == "packed" and grammar.has_blank:
        order = np.argsort(x == grammar.v, axis=1, kind="stable")
        x = np.take_along_axis(x, order, axis=1)
    return x


def _rows(samples: Samples, these: NDArray[np.bool_]) -> Samples:
    latents = tuple(latent[these] for latent in samples.latents)
    return Samples(samples.x[these], samples.y[these], latents)
