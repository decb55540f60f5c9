"""Clips: what stays, what changes, and how often."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synaptree import RandomHierarchyModel, SynaptreeError
from synaptree.grammar.clips import clip_starts, draw_clips, neighbours

GRAMMAR = RandomHierarchyModel(6, 5, 4, 2, 3, seed=3)


@given(st.integers(2, 300), st.integers(2, 20))
def test_every_frame_has_a_neighbour_in_its_own_clip(P, frames):
    starts, beside = clip_starts(P, frames), neighbours(P, frames)
    clip = np.searchsorted(starts, np.arange(P), side="right")
    assert (np.diff([*starts, P]) >= 2).all()
    assert (clip[beside] == clip).all()
    assert set(np.abs(beside - np.arange(P))) == {1}
    backwards = np.flatnonzero(beside < np.arange(P))
    assert len(backwards) == len(starts)  # only the last frame looks back


@given(st.integers(2, 100), st.integers(2, 8), st.floats(0, 1), st.integers(0, 99))
def test_frames_are_strings_of_their_clips_class(P, frames, p, seed):
    clips = draw_clips(GRAMMAR, P, seed, frames, [p] * 3)
    parsed = GRAMMAR.parse(clips.x)  # strings of the language, or an error
    assert (parsed.latents[-1][:, 0] == clips.y).all()
    assert len(clips.y) == P
    assert all((a == b).all() for a, b in zip(parsed.latents, clips.latents, strict=True))
    assert (clips.y == clips.y[neighbours(P, frames)]).all()


def test_each_rule_is_drawn_anew_as_often_as_asked():
    redraw, P, frames = (0.8, 0.3, 0.0), 40_000, 8
    clips = draw_clips(GRAMMAR, P, 1, frames, redraw)
    choices = GRAMMAR.parse(clips.x).choices
    before, after = np.arange(P - 1), np.arange(1, P)
    inside = after % frames != 0
    for choice, p in zip(choices, redraw, strict=True):
        changed = (choice[before] != choice[after])[inside]
        expected = p * (1 - 1 / GRAMMAR.m)  # a draw may bring the same rule again
        assert changed.mean() == pytest.approx(expected, abs=0.01)
        starting = choice[::frames]
        assert np.bincount(starting.ravel()).min() > 0.9 * starting.size / GRAMMAR.m


def test_a_latent_is_kept_and_all_below_it_is_new():
    clips = draw_clips(GRAMMAR, 20_000, 2, 2, (1.0, 1.0, 0.0))
    first, second = (slice(0, None, 2), slice(1, None, 2))
    kept = clips.latents[2]
    assert (kept[first] == kept[second]).all()
    low = clips.latents[0]
    assert (low[first] == low[second]).mean() < 0.35  # of six tokens, given the feature


def test_the_same_seed_gives_the_same_clips_and_another_does_not():
    a, b, c = (draw_clips(GRAMMAR, 50, seed, 5, [0.2] * 3).x for seed in (1, 1, 2))
    assert (a == b).all()
    assert not (a == c).all()


@pytest.mark.parametrize(
    ("P", "frames", "redraw"),
    [(1, 2, [0.5] * 3), (9, 1, [0.5] * 3), (9, 2, [0.5]), (9, 2, [2.0] * 3)],
)
def test_mistakes(P, frames, redraw):
    with pytest.raises(SynaptreeError, match="clips"):
        draw_clips(GRAMMAR, P, 0, frames, redraw)
