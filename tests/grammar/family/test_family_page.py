"""The code of the grammar's page runs as it stands."""

import re
from pathlib import Path

from synaptree.grammar.family import OwnRules
from synaptree.grammar.family.posterior import log_probability

PAGE = Path(__file__).parents[3] / "docs" / "grammar.md"


def test_the_code_of_the_page_runs(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    rules = OwnRules([[[[0, 1], [1, 1]], [[1, 0], [0, 0]]], [[[0, 1]], [[1, 1, 0]]]])
    (tmp_path / "rules.json").write_text(rules.to_json())
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) >= 8
    assert all(len(block.splitlines()) <= 7 for block in blocks)
    here: dict = {}
    exec(compile("\n".join(blocks), str(PAGE), "exec"), here)
    assert here["found"].latents[3].shape == (1000, 1, 8)
    assert here["own"] == rules
    assert ((here["samples"].x < 8).sum(axis=1) == 8).all()
    one, two = (log_probability(here["sparse"], here[name].x) for name in ("samples", "moved"))
    assert (one - two).abs().max() < 1e-9
    assert ((here["five"].x < 8).sum(axis=1) == 5).all()
    assert max(entry["siblings"] for entry in here["bits"]) < 1e-12
    assert 0 < here["best"].low < here["best"].error < here["best"].high < here["best"].chance
    assert here["targets"].shape == (1000,)
    assert (here["inputs"][:, -1] == -1).all()
    assert here["error"].error < here["error"].chance
    assert len(here["train"]) == 1000
    assert here["trees"][0].shape == (1000,)
    assert (here["theirs"].sample(9, 0).x == here["grammar"].sample(9, 0).x).all()
    assert here["grammar_of"](here["read"]) == here["sparse"]
    for loaded in (here["load_npz"]("strings.npz")[0], here["loaded"], here["same"]):
        assert (loaded.latents[1] == here["samples"].latents[1]).all()
    assert (here["spec"].n, here["spec"].m, here["spec"].L) == (2, 2, 2)
    assert here["result"].bayes_error > 0
    assert here["picture"].levels[3][0].shares
