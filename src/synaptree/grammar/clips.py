"""Clips: strings that follow one another in time and change from frame to frame."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from synaptree.errors import SynaptreeError, checked_integer
from synaptree.grammar.rhm import RandomHierarchyModel, Samples

Indices = NDArray[np.int64]


def draw_clips(
    grammar: RandomHierarchyModel, P: int, seed: int, frames: int, redraw: Sequence[float]
) -> Samples:
    """P frames in clips of `frames` frames, one clip after another; each clip has one class.

    The first frame of a clip is a string like any other. From one frame to the next each node of
    level l (l = 1..L) draws its production rule anew with probability ``redraw[l-1]``, from all m.
    Below a node whose rule changed, all nodes keep the index of their rule. Frames that do not
    fill a clip make a shorter one; a single such frame joins the last clip. Frames may be equal:
    P counts all frames that a learner is shown.

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
    choices = [np.empty((count, N), np.int64) for N in nodes]
    lengths = np.diff([*starts, count])
    for frame in range(int(lengths.max())):
        there = frame < lengths  # clips that are long enough
        for level, N in enumerate(nodes):
            if frame:
                fresh = rng.integers(grammar.m, size=(len(starts), N))
                changed = rng.random((len(starts), N)) < redraw[level]
                now[level] = np.where(changed, fresh, now[level])
            choices[level][starts[there] + frame] = now[level][there]
    return grammar.expand(np.repeat(y, lengths), choices)


def clip_starts(P: int, frames: int) -> Indices:
    """The index of each clip's first frame. No clip has a single frame."""
    starts = np.arange(0, P, frames)
    return starts[:-1] if P % frames == 1 else starts


def neighbours(P: int, frames: int) -> Indices:
    """For each frame the next one of its clip, and for the last one the frame before it: (P,)."""
    following = np.arange(1, P + 1)
    last = np.append(clip_starts(P, frames)[1:], P) - 1
    following[last] = last - 1
    return following
