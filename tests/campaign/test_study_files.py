"""Every key of a study file with ten bad values: a line for each fault, never a traceback.

The keys are those of the file, of a run and of every option of every rule; none is listed by hand.
"""

import re

import pytest
import yaml

from synaptree import rules
from synaptree.cli import main
from synaptree.study.files import KEYS
from synaptree.study.grid import FIELDS, SEEDS

# No key takes any of them.
BAD = [
    "!!int abc",
    "[]",
    "[[1]]",
    "{a: {b: 1}}",
    "-.inf",
    "2026-13-45",
    '"\\e]52;c;aGk=\\a"',  # writes the clipboard of some terminals
    "1" * 5000,
    '"' + "x" * 100_000 + '"',
    "*nowhere",
]
SOUND = {"rule": "dfa", "v": 8, "n": 8, "m": 4, "L": 3, "P": 512, "batch": 32, "steps": 4}


def written(fields: dict[str, object]) -> str:
    return yaml.safe_dump(fields, default_flow_style=True, width=1e9).strip()


def with_bad(fields: dict[str, object], key: str, bad: str) -> str:
    return written(fields | {key: "HERE"}).replace("HERE", bad)


def texts(bad: str):
    """Study files in which one key is bad, which stands in line 2."""
    for key in KEYS:
        if key == "runs":
            yield f"seeds: 0\nruns: {bad}"
        elif key != "anchors":  # whose values are nobody's business
            yield f"anchors: 0\n{key}: {bad}\nruns: [{written(SOUND)}]"
    for seed in SEEDS:
        yield f"anchors: 0\nseeds: {{{seed}: {bad}}}\nruns: [{written(SOUND)}]"
    for field in (*FIELDS, "seeds", "widht"):
        yield f"anchors: 0\nruns: [{with_bad(SOUND, field, bad)}]"
    for name in rules.names():
        for option in (*rules.rule_class(name).model_fields, "scal"):
            rule = with_bad({"name": name}, option, bad)
            yield (
                "anchors: 0\nruns: ["
                + written(SOUND | {"rule": "RULE"}).replace("RULE", rule)
                + "]"
            )


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_bad_value_anywhere_is_a_fault_with_file_and_line(bad, tmp_path, monkeypatch, capsys):
    file = tmp_path / "bad.yaml"
    words = ["synaptree", "study", "run", str(file), "--out", str(tmp_path / "out"), "--dry-run"]
    monkeypatch.setattr("sys.argv", words)
    files = list(texts(bad))
    assert len(files) > 60
    for text in files:
        file.write_text(text)
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert (ended.value.code, out) == (2, ""), text
        lines = err.splitlines()
        assert 1 <= len(lines) <= 21, text
        for line in lines:
            assert re.match(rf"synaptree: {re.escape(str(file))}:[12]: \S+: ", line), text
            assert len(line) < 1500
            assert line.isprintable()
    assert not (tmp_path / "out").exists()
