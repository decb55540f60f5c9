"""Pages and docstrings keep to the style of `tools/prose.yaml`."""

import prose
import pytest

SOURCES = sorted((prose.ROOT / "src").rglob("*.py"))


def named(path):
    return path.relative_to(prose.ROOT).as_posix()


@pytest.mark.parametrize("path", prose.pages(), ids=named)
def test_a_page_keeps_to_the_style(path):
    assert list(prose.faults(prose.read(path))) == []


def test_docstrings_keep_to_the_style():
    found = {named(path): list(prose.faults(prose.read(path))) for path in SOURCES}
    assert {name: faults for name, faults in found.items() if faults} == {}


PAGE = """---
utilize: this
---
# utilize

One two three. Four `utilize` five (e.g. six) seven! Fig. 3 is
of A. Smith.

- We utilize
  it.

| a | b |
|---|---|
| 0.6x | fine |

<!-- prose: off -->

In order to.

<!-- prose: on -->

```text
utilize
```
"""


def test_only_prose_is_read_and_lines_are_right():
    texts = list(prose.markdown(PAGE))
    assert [text.line for text in texts][:2] == [6, 9]
    assert [text.words for text in texts if not text.cell] == [
        "One two three. Four `code` five (e.g. six) seven! Fig. 3 is of A. Smith.",
        "We utilize it.",
    ]
    assert [line for line, _ in prose.faults(texts)] == [9, 14]


def test_sentences_and_their_length():
    text = "One two three. Four `code` five (e.g. six) seven! Fig. 3 is of A. Smith."
    assert [len(prose.WORD.findall(s)) for s in prose.sentences(text)] == [3, 7, 6]
    assert prose.length([prose.Text(1, text), prose.Text(2, "cell", cell=True)]) == (16 / 3, 3)


def test_long_sentences_are_a_fault_and_few_of_them_are_not():
    long = " ".join(["word"] * 26) + ". "
    assert [line for line, _ in prose.faults([prose.Text(7, long.title() * 5)])] == [1]
    assert list(prose.faults([prose.Text(7, long.title() * 4)])) == []


def test_docstrings_are_read_without_their_examples():
    source = '''"""First line.

    x = utilize(1)

Second ``utilize`` one.
"""

def f():
    """Of f."""
'''
    said = [(text.line, text.words) for text in prose.docstrings(source)]
    assert said == [(1, "First line."), (5, "Second `code` one."), (9, "Of f.")]


# One sentence for each pattern of the style, in its order.
BAD = [
    "We utilise it.",
    "In order to see.",
    "Due to the fact.",
    "It should be noted.",
    "It leverages this.",
    "It facilitates that.",
    "A plethora of rules.",
    "Whilst it learns.",
    "The error thereof.",
    "It simply learns.",
    "It is not W. Nor is it B.",
    "W learns. So does B.",
    "It is kept, if asked.",
    "It is there for all that read.",
    "It is the floor.",
    "It needs 0.6x.",
    "Hyperparameters are searched.",
    "The ground truth.",
]


@pytest.mark.parametrize(
    ("pattern", "sentence"), list(zip(prose.STYLE["phrases"], BAD, strict=True)), ids=BAD
)
def test_a_pattern_of_the_style_finds_its_fault(pattern, sentence):
    style = {"most_words": 99, "phrases": {pattern: "-"}}
    assert len(list(prose.faults([prose.Text(1, sentence)], style))) == 1


def test_plain_sentences_pass():
    good = "The rule solves 4 of 5 grammars. P = 4096 is 4 times as much as backprop needs."
    assert list(prose.faults([prose.Text(1, good)])) == []
