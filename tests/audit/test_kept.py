"""Audits are kept beside results, and nothing else of a folder or a process is touched."""

import json
from pathlib import Path

import pytest
import torch

from synaptree.audit import kept, matrix
from synaptree.audit.kept import FILE, audits
from synaptree.audit.matrix import Audit, audit
from synaptree.rules import get

FORMS = [("dfa", "{}"), ("clapp", '{"negative": "batch"}'), ("my_own", "{}")]


@pytest.fixture
def counted(monkeypatch):
    """The labels of the rules that are audited."""
    labels = []

    def counting(rule):
        labels.append(rule.label)
        return audit(rule)

    monkeypatch.setattr(kept, "audit", counting)
    kept._audit.cache_clear()
    yield labels
    kept._audit.cache_clear()


def test_an_audit_survives_json():
    for rule in (get("clapp"), get("equilibrium_propagation"), get("node_perturbation")):
        found = audit(rule)
        again = Audit.from_json(json.loads(json.dumps(found.to_json())))
        assert again == found
    for broken in ({}, [], None, found.to_json() | {"needs": {}}, found.to_json() | {"needs": 3}):
        with pytest.raises(ValueError, match=r"."):
            Audit.from_json(broken)
    worse = found.to_json()
    worse["needs"] |= {"label": "<b>yes</b>"}
    with pytest.raises(ValueError, match="not a need"):
        Audit.from_json(worse)


def test_audits_from_before_rules_settled_are_found_again(counted):
    """Those of a committed folder load, and rules that were there then have the same audit now."""
    folder = Path(__file__).parents[2] / "results" / "laptop-1"
    forms = [("dfa", "{}"), ("backprop", "{}"), ("node_perturbation", "{}")]
    committed = audits(folder, forms)
    assert counted == []
    assert {form: audit(get(form[0])) for form in forms} == committed


def test_what_a_folder_has_is_not_computed_again(tmp_path, counted):
    first = audits(tmp_path, FORMS)
    online = ("clapp", json.dumps({"negative": "previous"}))
    assert set(first) == {*FORMS[:2], online}
    assert first[online].label == "clapp (negative=previous)"
    assert sorted(counted) == ["clapp", "clapp (negative=previous)", "dfa"]
    kept._audit.cache_clear()
    assert audits(tmp_path, FORMS) == first
    assert len(counted) == 3
    assert set(audits(tmp_path, [*FORMS, ("drtp", "{}")])) == {*first, ("drtp", "{}")}
    assert counted[3:] == ["drtp"]
    assert [p.name for p in tmp_path.iterdir()] == [FILE]


def test_without_a_folder_nothing_is_written(counted):
    assert set(audits(None, FORMS[:1])) == {FORMS[0]}
    assert counted == ["dfa"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": 1}', '"text"', "[" * 100_000, "\xff"])
def test_a_broken_file_is_computed_anew(text, tmp_path):
    (tmp_path / FILE).write_text(text, "latin-1")
    assert audits(tmp_path, FORMS[:1])[FORMS[0]].label == "dfa"
    assert json.loads((tmp_path / FILE).read_text()).keys() == {'{"name": "dfa"}'}


def test_links_are_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("private")
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / FILE).symlink_to(elsewhere)
    assert audits(folder, FORMS[:1])[FORMS[0]].label == "dfa"
    assert elsewhere.read_text() == "private"
    assert (folder / FILE).is_symlink()  # what stands there is left alone


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    assert audits(tmp_path / "missing", FORMS[:1])[FORMS[0]].label == "dfa"


def test_the_audit_leaves_the_process_as_it_was(monkeypatch):
    seen = []
    recorded = matrix.record

    def watching(rule):
        seen.append(torch.get_num_threads())
        return recorded(rule)

    monkeypatch.setattr(matrix, "record", watching)
    torch.set_num_threads(2)
    try:
        audit(get("dfa"))
        assert seen == [1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
