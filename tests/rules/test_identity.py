"""What identifies a rule from outside the package: its code, whatever it is called."""

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from synaptree import SynaptreeError, load, make_spec, rules, run_study, train
from synaptree.claims.second.cells import cells
from synaptree.claims.second.scoreboard import scoreboard
from synaptree.report.board import board
from synaptree.report.inputs import Inputs
from synaptree.results import frame as frames
from synaptree.results.journal import Journal
from synaptree.results.row import row_of
from synaptree.rules import Facts, Rule, Teaching
from synaptree.rules.source import modules_beside

RULE = """
from typing import ClassVar, Literal
from synaptree.rules import DFA, Rule, Teaching

class Mine(Rule):
    name: Literal["NAME"] = "NAME"
    gain: float = 1.0
    facts: ClassVar = DFA.facts

    def init(self, net, generators):
        return DFA().init(net, generators)

    def teach(self, net, state, batch, generators):
        signals = DFA().teach(net, state, batch, generators).signals
        return Teaching([self.gain * T for T in signals])
"""
KIND = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 32, "width": 8, "batch": 8, "steps": 4, "tests": 16,
        "evaluations": 1}  # fmt: skip


def written(folder: Path, text: str = RULE, name: str = "mine", file: str = "my_rules.py") -> str:
    (folder / file).write_text(text.replace("NAME", name))
    return str(folder / file)


def id_of(reference, **changed) -> str:
    return make_spec(rule=reference, **KIND | changed).run_id


def test_ids_of_the_packages_rules_are_what_they_were():
    # Those that the version before this one gave.
    assert id_of("dfa") == "2d03ff7a7e0225ee"
    assert id_of(rules.get("dfa", scale=2.0)) == "a686f084526cb8eb"
    assert id_of("clapp", views="same_class") == "e907aa864b8acb39"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("self.gain * T", "-self.gain * T"),
        ("gain: float = 1.0", "gain: float = 2.0"),
        ("class Mine", "# a comment\nclass Mine"),
    ],
)
def test_an_edited_file_is_another_rule(old, new, tmp_path):
    before = id_of(written(tmp_path))
    assert id_of(written(tmp_path)) == before
    assert id_of(written(tmp_path, RULE, file="elsewhere.py")) == before
    assert id_of(written(tmp_path, RULE.replace(old, new))) != before


def test_a_study_trains_an_edited_rule_again_and_resumes_the_same(tmp_path):
    def begin(text: str) -> list[str]:
        said: list[str] = []
        spec = make_spec(rule=written(tmp_path, text), **KIND)
        run_study([spec], tmp_path / "out", workers=1, progress=lambda u: said.append(u.message))
        return [each for each in said if each]

    assert begin(RULE) == []
    assert begin(RULE)[0].startswith("1 of 1 runs are there already")
    assert begin(RULE.replace("self.gain * T", "-self.gain * T")) == []
    frame = load(tmp_path / "out")
    one, two = sorted(frame["source"])
    assert sorted(frame["rule"]) == [f"mine of my_rules.py {hash[:6]}" for hash in (one, two)]
    assert sorted(frame["label"]) == sorted(frame["rule"])
    assert frame["run_id"].nunique() == 2


def test_the_default_of_an_option_that_is_set_elsewhere_is_in_the_id(tmp_path, monkeypatch):
    import synaptree.rules as package

    text = RULE.replace("gain: float = 1.0", "gain: float = rules.GAIN").replace(
        "from synaptree.rules import", "from synaptree import rules\nfrom synaptree.rules import"
    )
    ids = set()
    for gain in (1.0, 2.0):
        monkeypatch.setattr(package, "GAIN", gain, raising=False)
        rule = rules.rule_class(written(tmp_path, text))
        source = rules.source_of(rule)
        ids.add(id_of(rule()))
        sys.modules.pop(source.module)
        rules.source.LOADED.pop(source.module)
    assert len(ids) == 2


# Modules beside the file ------------------------------------------------------------------------

HELPED = RULE.replace("self.gain * T", "size() * self.gain * T").replace(
    "from synaptree.rules import DFA", "from helpers import size\nfrom synaptree.rules import DFA"
)
HELPERS = "def size():\n    from constants import SIZE\n    return SIZE\n"


def helped(folder: Path, size: float = 3.0, text: str = HELPED) -> str:
    (folder / "helpers.py").write_text(HELPERS)
    (folder / "constants.py").write_text(f"import math\nSIZE = {size}\n")
    (folder / "math.py").write_text("raise SystemExit('a module of Python comes first')")
    return written(folder, text)


def test_modules_beside_the_file_are_part_of_the_rule(tmp_path):
    path = helped(tmp_path)
    before = id_of(path)
    source = rules.source_of(rules.rule_class(path))
    assert [name for name, _ in source.beside] == ["constants", "helpers"]
    trained = train(make_spec(rule=path, **KIND))
    alike = train(make_spec(rule=rules.get("dfa", scale=3.0), **KIND))
    assert trained.curve.train_loss == pytest.approx(alike.curve.train_loss, rel=1e-4)
    assert id_of(helped(tmp_path)) == before
    assert "helpers" not in sys.modules
    assert "constants" not in sys.modules
    # Edited two imports away: another rule, which does what the new text says.
    assert id_of(helped(tmp_path, -1.0)) != before
    assert rules.rule_class(path).teach.__globals__["size"]() == -1.0


def test_a_file_with_helpers_has_one_id_in_every_folder(tmp_path):
    ids = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        ids.add(id_of(helped(tmp_path / name)))
    assert len(ids) == 1


WORKER = """
import pickle, sys
from synaptree import rules
source, spec = pickle.load(open(sys.argv[1], "rb"))
rules.adopt([source])
rule = pickle.loads(spec)
print(rule.source == source, rule.teach.__globals__["size"]())
"""


def test_a_worker_needs_none_of_the_files(tmp_path):
    rule = rules.get(helped(tmp_path))
    handed = tmp_path / "handed"
    handed.write_bytes(pickle.dumps((rule.source, pickle.dumps(rule))))
    for name in ("my_rules", "helpers", "constants", "math"):
        (tmp_path / f"{name}.py").unlink()
    done = subprocess.run(
        [sys.executable, "-c", WORKER, handed], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True 3.0"
    altered = replace(rule.source, beside=(("helpers", "raise SystemExit"),))
    with pytest.raises(SynaptreeError, match="its text has the hash"):
        rules.adopt([altered])


def test_a_broken_helper_is_one_line_and_leaves_nothing(tmp_path):
    path, before = helped(tmp_path), dict(rules.source.LOADED)
    (tmp_path / "helpers.py").write_text("x = 1\n1 / 0\n")
    with pytest.raises(SynaptreeError, match=r"ZeroDivisionError.*line 2 of helpers.py") as fault:
        rules.rule_class(path)
    assert "\n" not in str(fault.value)
    assert before == rules.source.LOADED


def test_imports_in_all_their_forms(tmp_path):
    folder = tmp_path / "pack"
    folder.mkdir()
    for name in ("a", "b", "c", "d", "e", "far", "unused"):
        (folder / f"{name}.py").write_text("x = 1")
    text = """
import a, far.away, os
from b import x
from .c import x
from . import d
from pack.e import x
from ..unused import x
"""
    found = modules_beside(folder / "mine.py", text)
    assert [name for name, _ in found] == ["a", "b", "c", "d", "e"]
    assert modules_beside(folder / "mine.py", "def f(:") == ()
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "a.py").write_text("")
    assert modules_beside(installed / "mine.py", "import a") == ()


# Names ------------------------------------------------------------------------------------------


def defined(sign: str) -> Rule:
    """A rule as a notebook makes it: it has no file."""
    there = {"__name__": "notebook", "Facts": Facts, "Rule": Rule, "Teaching": Teaching}
    exec(RULE.replace("NAME", "dfa").replace("self.gain * T", f"{sign}self.gain * T"), there)
    return there["Mine"]()


def test_a_class_without_a_file_is_known_by_what_it_does():
    ids = [id_of(defined(sign)) for sign in ("", "-", "-")]
    assert ids[1] == ids[2]
    assert len({*ids, id_of("dfa")}) == 3


def test_a_strangers_dfa_beside_ours_is_another_rule(tmp_path):
    specs = [make_spec(rule=rule, **KIND) for rule in ("dfa", written(tmp_path, name="dfa"))]
    louder = rules.get(written(tmp_path, name="dfa"), gain=2.0)
    specs.append(make_spec(rule=louder, **KIND))
    assert len({spec.run_id for spec in specs}) == 3
    journal = Journal(tmp_path / "out")
    journal.append(*(row_of(train(spec)) for spec in specs))
    journal.close()
    frame = load(tmp_path / "out")
    names = ["dfa", "dfa of my_rules.py", "dfa of my_rules.py (gain=2.0)"]
    assert sorted(frame["label"]) == names
    assert sorted(frame["rule"]) == ["dfa", "dfa of my_rules.py", "dfa of my_rules.py"]
    found = cells(frame, [0])
    assert sorted(cell.label for cell in found) == names
    of_claims = scoreboard(frame, {}, [0])
    assert sorted(of_claims["label"]) == names
    shown = set(board(of_claims)["name"])
    assert {"dfa", "dfa of my_rules.py (own rule)"} <= shown
    own = Inputs.of(frame, {}).frame.set_index("label")["own"]
    assert own.to_dict() == {
        "dfa": False,
        **{f"{name} (own rule)": True for name in names[1:]},
    }


def test_two_strangers_of_one_name_are_two_rules(tmp_path):
    journal = Journal(tmp_path / "out")
    for file, text in (("a.py", RULE), ("b.py", RULE + "# other")):
        spec = make_spec(rule=written(tmp_path, text, file=file), **KIND)
        journal.append(row_of(train(spec)))
    journal.close()
    frame = load(tmp_path / "out")
    assert sorted(frame["rule"]) == ["mine of a.py", "mine of b.py"]
    assert len(set(board(scoreboard(frame, {}, [0]))["name"])) == 2


def test_a_row_of_a_rule_with_an_older_kind_of_id_still_loads(tmp_path):
    spec = make_spec(rule=written(tmp_path), **KIND)
    row = row_of(train(spec)) | {"run_id": "0123456789abcdef"}
    journal = Journal(tmp_path / "out")
    journal.append(row)
    journal.close()
    (tmp_path / "my_rules.py").unlink()
    frame = load(tmp_path / "out")
    assert frame["run_id"].tolist() == ["0123456789abcdef"]
    assert frame["rule"].tolist() == ["mine"]
    assert frames._named([], [], [], []) == {"label": [], "rule": []}


def test_a_spec_of_a_strangers_dfa_survives_json(tmp_path):
    spec = make_spec(rule=written(tmp_path, name="dfa"), **KIND)
    again = type(spec).model_validate_json(spec.model_dump_json())
    assert (again, again.run_id) == (spec, spec.run_id)
    assert type(again.rule) is type(spec.rule)


def test_two_packages_with_one_entry_point_are_refused(monkeypatch):
    from importlib.metadata import EntryPoint

    from synaptree.rules import registry

    entries = [EntryPoint("x", f"package_{k}:X", "synaptree.rules") for k in (1, 2)]
    monkeypatch.setattr(registry, "entry_points", lambda group, name=None: entries)
    with pytest.raises(SynaptreeError, match="2 installed packages have this entry point"):
        rules.rule_class("x")
