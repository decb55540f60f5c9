"""Strings that belong together in time: clips whose frames change from one to the next."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from synaptree.errors import SynaptreeError
from synaptree.grammar.integers import checked_integer
from synaptree.grammar.rhm import RandomHierarchyModel, Samples

Indices = NDArray[np.int64]


def draw_clips(
    grammar: RandomHierarchyModel, P: int, seed: int, frames: int, redraw: Sequence[float]
) -> Samples:
    """P frames in all, in clips of `frames` one after another; a class for each clip.

    The first frame of a clip is a string like any other. From one frame to the next each node of
    level l (l = 1..L) draws its production rule anew with probability ``redraw[l-1]``, from all m;
    below a node whose rule changed, the others keep the index of theirs.  What is left over after
    whole clips is a shorter clip, or a frame more in the last one.  Frames may be alike: P counts
    all that were drawn, which is what a learner was shown.

    Raises SynaptreeError for fewer than two frames, or a probability outside [0, 1].
    """
    count = checked_integer("clips P", P, 2)
    checked_integer("clips frames", frames, 2)
    if len(redraw) != grammar.L or not all(0 <= p <= 1 for p in redraw):
        raise SynaptreeError(
            f"clips redraw: {list(redraw)} given; expected {grammar.L} probabilities from 0 to 1"
        )
    rng = np.random.default_rng([grammar.seed, checked_integer("clips seed", seed, 0), 0xC11B])
    starts = clip_starts(count, frames)
    y = rng.integers(grammar.n, size=len(starts))
    nodes = [grammar.s ** (grammar.L - level) for level in range(1, grammar.L + 1)]
    now = [rng.integers(grammar.m, size=(len(starts), N)) for N in nodes]
    whole = [np.empty((count, N), np.int64) for N in nodes]
    lengths = np.diff([*starts, count])
    for frame in range(int(lengths.max())):
        there = frame < lengths
        for level, N in enumerate(nodes):
            if frame:
                fresh = rng.integers(grammar.m, size=(len(starts), N))
                changed = rng.random((len(starts), N)) < redraw[level]
                now[level] = np.where(changed, fresh, now[level])
            whole[level][starts[there] + frame] = now[level][there]
    return grammar.expand(np.repeat(y, lengths), whole)


def clip_starts(P: int, frames: int) -> Indices:
    """The first frame of each clip, so that no clip has a single frame."""
    starts = np.arange(0, P, frames)
    return starts[:-1] if P % frames == 1 else starts


def neighbours(P: int, frames: int) -> Indices:
    """Of each frame the next one of its clip, and of a clip's last frame the one before: (P,)."""
    following = np.arange(1, P + 1)
    last = np.append(clip_starts(P, frames)[1:], P) - 1
    following[last] = last - 1
    return following
