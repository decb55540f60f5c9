"""What a wrong value looks like in an error, and which name is suggested."""

import pytest

from synaptree.errors import MOST_SHOWN, near_file, several, shown, unknown


class Unshowable:
    def __repr__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    "value",
    [
        "a" * 10**6,
        10**4000,
        pytest.param(10**5000, id="more digits than Python turns into text"),
        [1] * 10**6,
        {n: n for n in range(10**5)},
        [[["a" * 1000] * 1000] * 1000],
        b"a" * 10**6,
        "\x1b]52;c;AAAA\a\n\u202e",
        Unshowable(),
    ],
)
def test_a_wrong_value_is_shown_in_one_short_printable_line(value):
    text = shown(value)
    assert 0 < len(text) <= MOST_SHOWN
    assert text.isprintable()


def test_a_short_value_is_shown_as_it_is():
    assert [shown(v) for v in ("dfa", 1.5, True, [1, "2"])] == ["'dfa'", "1.5", "True", "[1, '2']"]


def test_the_name_that_was_meant_is_suggested():
    known = ("dfa", "feedback_alignment", "P")
    assert "did you mean 'dfa'?" in str(unknown("rule", "DFA", known))
    assert "did you mean 'P'?" in str(unknown("run", "p", known))
    meant = unknown("rule", "F-A", known, {"fa": "feedback_alignment"})
    assert "did you mean 'feedback_alignment'?" in str(meant)
    assert len(str(unknown("rule", "a" * 10**6, known))) < 200


def test_the_nearest_file_is_named_and_the_only_one(tmp_path):
    assert near_file(tmp_path / "barz.npz", ".npz") == ""
    (tmp_path / "bars.npz").touch()
    (tmp_path / "barz.txt").touch()
    assert near_file(tmp_path / "zzz.npz", ".npz") == "; there is 'bars.npz'"
    (tmp_path / "other.npz").touch()
    assert near_file(tmp_path / "barz.npz", ".npz") == (
        f"; did you mean {str(tmp_path / 'bars.npz')!r}?"
    )
    assert near_file(tmp_path / "zzz.npz", ".npz") == ""
    assert near_file(tmp_path / "bars.npz", ".npz") == ""  # which is there
    assert near_file(tmp_path / "nowhere" / "barz.npz", ".npz") == ""
    assert near_file(tmp_path / ("x" * 10**6), ".npz") == ""


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 runs"), (1, "1 run"), (2, "2 runs"), (1000, "1000 runs")]
)
def test_one_thing_is_not_said_to_be_many(count, said):
    assert several(count, "run") == said
