"""Runs on a person's own rules: the same strings, ids of what a file holds, and every mistake."""

import json
import pickle
import sys

import numpy as np
import pytest

from synaptree import SynaptreeError, cli, load, make_spec, run_study, train
from synaptree.grammar.family import OwnRules, TreeGrammar
from synaptree.grammar.family.bayes import bayes_error
from synaptree.grammar.family.tasks import class_of_string
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.results.row import read_row, row_of
from synaptree.sources.base import Clips
from synaptree.sources.dials import Variant
from synaptree.sources.rules_file import RulesFile
from synaptree.study.files import parse_study
from synaptree.study.write import study_text
from synaptree.training.data import Data, training_strings
from synaptree.training.live import title

PLAIN = RandomHierarchyModel(4, 4, 2, 2, 2, 0)
OWN = OwnRules(PLAIN.rules)
# Three tokens; six features of two or three rules, some of two children; two classes.
RAGGED = OwnRules(
    [
        [
            [[0, 0, 0], [1, 0], [0, 0]],
            [[0, 1, 1], [0, 1]],
            [[1, 1, 1], [1, 1, 2]],
            [[2, 0], [2, 0, 0]],
            [[2, 1, 0], [2, 1]],
            [[2, 2, 2], [2, 2]],
        ],
        [[[0, 1, 2], [3, 4]], [[5, 5, 0], [3, 1, 1], [2, 2]]],
    ]
)
ALIKE = OwnRules([[[[0, 1], [1, 1]], [[1, 0], [1, 1]]]], ambiguous=True)  # 1 1 tells nothing
TINY = {"width": 8, "batch": 8, "steps": 3, "evaluations": 1, "tests": 20}


def saved(folder, rules=OWN, name="mine.json"):
    (folder / name).write_text(rules.to_json())
    return folder / name


def spec(rules, **changed):
    return make_spec(**{"rule": "dfa", "P": 20, "variant": {"rules": rules}, **TINY, **changed})


def test_runs_on_own_rules_are_on_their_strings(tmp_path):
    run = spec(saved(tmp_path), data_seed=5)
    assert (run.v, run.n, run.m, run.s, run.L, run.P) == (4, 4, 2, 2, 2, 20)
    assert (run.places, run.numbers) == (2, 4)
    data = Data.draw([run], "cpu")
    grammar = TreeGrammar(OWN)
    assert np.array_equal(data.x[0], grammar.sample(20, 5).x)
    assert np.array_equal(data.test_x[0], grammar.sample(20, 5 + 2**32).x)
    # The classes and features are those that the plain grammar reads in these strings.
    strings = training_strings(run)
    read = PLAIN.parse(strings.x).latents
    for level in (0, 1, 2):
        assert np.array_equal(strings.latents[level], read[level])
    # The rules do not depend on the grammar seed.
    other = training_strings(spec(saved(tmp_path), data_seed=5, grammar_seed=3))
    assert np.array_equal(strings.x, other.x)
    # Whatever changes the grammar changes that of own rules.
    noisy = spec(saved(tmp_path), variant={"rules": saved(tmp_path), "noise": 0.2, "zipf": 1})
    assert noisy.source.grammar.noise.tokens == 0.2
    assert noisy.source.grammar.source == OWN
    assert train(noisy).bayes_error > 0.02


def test_blanks_and_levels_of_their_own_sizes(tmp_path):
    run = spec(saved(tmp_path, RAGGED), P=30)
    assert (run.v, run.n, run.m, run.s, run.L) == (3, 2, 3, 3, 2)
    assert TreeGrammar(RAGGED).derivations == 12 + 4 + 12 + 8 + 4
    assert (run.places, run.numbers) == (3, 4)
    strings = training_strings(run)
    assert strings.x.shape == (30, 9)
    assert int(strings.x.max()) == 3  # the blank
    result = train(run)
    assert result.network.W[0].shape[-2] == 3 * 4
    # Six features of level 1 are read, more than there are tokens.
    assert np.isfinite(result.portrait.probe).all()
    assert max(result.portrait.probe[0]) > 0.3
    assert result.bayes_error == 0
    sparse = spec(saved(tmp_path, RAGGED), variant={"rules": saved(tmp_path, RAGGED), "sparse": 1})
    assert training_strings(sparse).x.shape == (20, sparse.places**2) == (20, 36)


def test_the_bayes_error_of_ambiguous_rules_bounds_a_trained_network(tmp_path):
    run = spec(saved(tmp_path, ALIKE), rule="backprop", P=200, steps=300, width=16, tests=4000)
    result = train(run, portrait=False)
    grammar = TreeGrammar(ALIKE)
    assert result.bayes_error == bayes_error(grammar, class_of_string(grammar)).error == 0.25
    assert result.test_error > 0.25 - 4 * (0.25 * 0.75 / 4000) ** 0.5
    assert result.test_error < 0.4


def test_the_id_covers_what_a_file_holds_and_not_its_name(tmp_path):
    first = spec(saved(tmp_path))
    assert first.variant == f"rules=mine.json@{RulesFile.of(OWN).sha256}"
    assert title(first).startswith("dfa · rules=mine.json L=")
    (tmp_path / "other").mkdir()
    moved = spec(saved(tmp_path / "other", name="theirs.json"))
    assert moved.run_id == first.run_id == spec(OWN).run_id
    content = json.loads((tmp_path / "mine.json").read_text())
    (tmp_path / "dense.json").write_text(json.dumps(content))  # the same rules, written densely
    assert spec(tmp_path / "dense.json").run_id == first.run_id
    ids = {first.run_id, spec(RAGGED).run_id, make_spec(rule="dfa", v=4, n=4, m=2, L=2, P=20,
           **TINY).run_id}  # fmt: skip
    likelier = OwnRules(OWN.rules, [[[0.75, 0.25]] * 4] * 2)
    more = OwnRules(OWN.rules, tokens=5)
    assert len(ids | {spec(likelier).run_id, spec(more).run_id}) == 5


@pytest.mark.parametrize(
    ("text", "run_id"),
    [
        ("", "8e1141deb3cb59b0"),
        ("zipf=1,zipf_levels=1", "2f020b52258f3999"),
        ("noise=0.1,sparse=1,sparse_form=B", "2056037d4d0ae983"),
        ("mixed=3", "884d4e89fea3d53a"),
        ("correlation_free", "d45f882b86e56837"),
    ],
)
def test_ids_of_other_variants_are_what_they_were(text, run_id):
    assert make_spec(rule="dfa", v=4, n=4, m=2, L=2, P=24, batch=8, variant=text).run_id == run_id


def test_a_worker_reads_the_file_itself_and_says_where_it_changed(tmp_path):
    run = spec(saved(tmp_path))
    sent = pickle.dumps(run)
    assert pickle.loads(sent) == run
    assert pickle.loads(sent).source.grammar == run.source.grammar
    assert pickle.loads(pickle.dumps(spec(OWN))).source.grammar == run.source.grammar
    saved(tmp_path, RAGGED)
    with pytest.raises(SynaptreeError, match=r"rules mine\.json: changed since .*same rules as be"):
        pickle.loads(sent)


STUDY = """
seeds: 0-1
defaults: {width: 8, batch: 8, steps: 2, tests: 10, P: 20}
runs:
  - {rule: [dfa, readout_only], variant: {rules: [rules/mine.json, rules/ragged.json]}}
  - {rule: dfa, variant: "rules=rules/mine.json,noise=0.1"}
"""


def test_a_study_on_own_rules(tmp_path):
    (tmp_path / "rules").mkdir()
    saved(tmp_path / "rules")
    saved(tmp_path / "rules", RAGGED, "ragged.json")
    (tmp_path / "study.yaml").write_text(STUDY)
    frame = run_study(tmp_path / "study.yaml", tmp_path / "out", workers=1)
    assert set(frame["status"]) == {"done"}
    assert len(frame) == 2 * (2 * 2 + 1)
    mine, ragged = (RulesFile.of(rules).sha256 for rules in (OWN, RAGGED))
    # Results are read without the files.
    for file in (tmp_path / "rules").iterdir():
        file.unlink()
    again = load(tmp_path / "out")
    named = {f"rules=mine.json@{mine}", f"rules=ragged.json@{ragged}"}
    assert set(again["variant"]) == named | {f"noise=0.1,rules=mine.json@{mine}"}
    assert set(again.loc[again["variant"] == f"rules=ragged.json@{ragged}", "s"]) == {3}
    with pytest.raises(SynaptreeError, match="cannot be read"):
        run_study(tmp_path / "study.yaml", tmp_path / "out", workers=1)


def test_a_written_study_names_files_by_their_path_from_its_folder(tmp_path):
    folder = tmp_path / "runs" / "a, b"
    folder.mkdir(parents=True)
    first = spec(saved(tmp_path), variant={"rules": saved(tmp_path), "zipf": 1, "zipf_levels": "1"})
    text = study_text([first], folder)
    assert "../../mine.json@" in text
    (again,), faults = parse_study(text, folder)
    assert not faults
    assert again.run_id == first.run_id
    saved(tmp_path, RAGGED)
    _, faults = parse_study(text, folder)
    assert "changed since" in faults[0].text


def test_rows_name_the_rules_and_open_no_file(tmp_path):
    file = saved(tmp_path)
    row = row_of(train(spec(file), portrait=False))
    assert row["spec"]["variant"] == f"rules=mine.json@{RulesFile.of(OWN).sha256}"
    read_row(json.dumps(row).encode())
    for written in (f"rules={file}", f"RULES = {file}"):
        row["spec"]["variant"] = written
        with pytest.raises(SynaptreeError, match="expected a name with a hash"):
            read_row(json.dumps(row).encode())
    named = make_spec(**spec(OWN).model_dump(mode="json"))
    with pytest.raises(SynaptreeError, match=r"own@\w+ is not at hand; expected OwnRules"):
        train(named)


def test_clips_where_all_features_rank_their_rules_alike():
    source = spec(OWN, rule="clapp", views="same_latent:1").source
    strings = source.training(200, 0, Clips(2, [1.0, 0.0]))
    read = PLAIN.parse(strings.x).latents
    assert np.array_equal(read[1], strings.latents[1])
    assert np.array_equal(read[1][::2], read[1][1::2])
    assert (read[0][::2] != read[0][1::2]).any()


BAD = {
    "levels": OwnRules([[[[0, 1]], [[1, 0]]], [[[0, 1, 1]], [[1, 1]]]]),
    "single": OwnRules([[[[0]], [[1]]]]),
    "unlike": OwnRules([[[[0, 1], [1, 1]], [[1, 0]]]]),
}


@pytest.mark.parametrize(
    ("rules", "changed", "says"),
    [
        (OWN, {"v": 8}, "v: 8 given, but rules own have v=4; expected that, or none"),
        (OWN, {"L": 3}, "L: 3 given, but rules own have L=2"),
        (OWN, {"P": 32}, r"P: 32 given.*P_max = 32"),
        (OWN, {"P": None}, "P: None given"),
        (BAD["levels"], {}, r"longest rules of levels 1\.\.2 have 2, 3 children.*of one size"),
        (BAD["single"], {}, "s: 1 given"),
        (BAD["unlike"], {"P": 2, "batch": 2, "rule": "clapp", "views": "movie:0.1"}, "how likely"),
        (RAGGED, {"rule": "clapp", "views": "same_latent:1"}, "differ in shape"),
        (3, {}, "variant rules: 3 given; expected OwnRules, or the path of a .json file"),
        (True, {}, "variant rules: True given"),
        (PLAIN.rules[0], {}, r"variant rules: array\(.* given; expected OwnRules"),
        ("", {}, "v: none given"),
    ],
)
def test_mistakes(rules, changed, says):
    with pytest.raises(SynaptreeError, match=says) as fault:
        spec(rules, **changed)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"rules": "nowhere.json"},
            r"rules 'nowhere\.json': cannot be read.*is 'mine\.json'",
        ),
        ({"rules": "mine.json", "mixed": 3}, "variant: mixed and rules given; expected one of"),
        ({"rules": "mine.json", "correlation_free": 1}, "correlation_free and rules given"),
        ("rules=a,b.json", r"variant rules 'a': cannot be read"),
        ({"rules": "bad/a,b.json"}, r"'a,b\.json': such a file name given; expected one without"),
        ({"rules": "bad/text.json"}, r"variant rules text\.json: no JSON"),
        ({"rules": "bad/child.json"}, r"rules child\.json level 1 feature 0: child 9; expected"),
        ({"rules": "bad/twice.json"}, r"rules twice\.json: ambiguous.*in a file \"ambiguous\": t"),
        ({"rules": "bad/flag.json"}, r"rules flag\.json: ambiguous 1; expected true or false"),
    ],
)
def test_mistakes_in_files(tmp_path, monkeypatch, given, says):
    monkeypatch.chdir(tmp_path)
    saved(tmp_path)
    bad, head = tmp_path / "bad", '{"format": "synaptree-rules/1", '
    bad.mkdir()
    (bad / "a,b.json").write_text(OWN.to_json())
    (bad / "text.json").write_text("rules")
    (bad / "child.json").write_text(head + '"tokens": 2, "rules": [[[[0, 9]], [[1, 0]]]]}')
    (bad / "twice.json").write_text(head + '"rules": [[[[0, 1]], [[0, 1]]]]}')
    (bad / "flag.json").write_text(head + '"rules": [[[[0, 1]], [[1, 1]]]], "ambiguous": 1}')
    with pytest.raises(SynaptreeError, match=says) as fault:
        make_spec(rule="dfa", P=20, variant=given, **TINY)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    ("entry", "place", "says"),
    [
        ("{rule: dfa, P: 9, variant: {rules: no.json}}", "runs[0].variant", "there is 'mine.json'"),
        ("{rule: dfa, P: 4x, variant: {rules: mine.json}}", "runs[0]", "given with own rules"),
        ("{rule: dfa, variant: {rules: mine.json}}", "runs[0]", "P is missing"),
        ("{rule: dfa, P: 9, v: 8, variant: {rules: mine.json}}", "runs[0]", "have v=4"),
    ],
)
def test_mistakes_in_study_files(tmp_path, entry, place, says):
    saved(tmp_path)
    _, faults = parse_study(f"defaults: {{batch: 8}}\nruns:\n  - {entry}\n", tmp_path)
    assert faults[0].path == place
    assert says in faults[0].text


def test_the_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved(tmp_path, RAGGED)

    def call(*words):
        line = ["synaptree", "train", "--rule", "dfa", "--width", "8", "--batch", "8", *words]
        monkeypatch.setattr(sys, "argv", [*line, "--steps", "2", "--json"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    code, out, _ = call("--variant", "rules=mine.json,noise=0.1", "--P", "32")
    found = json.loads(out)
    assert code == 0
    assert [found[name] for name in "vnmsLP"] == [3, 2, 3, 3, 2, 32]
    assert found["variant"].startswith("noise=0.1,rules=mine.json@")
    code, _, err = call("--variant", "rules=mine.json", "--P", "32", "--L", "3")
    assert code == 2
    assert "L: 3 given, but rules mine.json have L=2" in err


def test_a_file_that_changed_is_read_again(tmp_path):
    first = Variant.given({"rules": saved(tmp_path)})
    second = Variant.given({"rules": saved(tmp_path, RAGGED)})
    assert first.dials.rules.held == OWN
    assert second.dials.rules.held == RAGGED
