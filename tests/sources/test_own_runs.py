"""Runs on data of one's own: every rule, every view, study files, rows and the command line."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from synaptree import SynaptreeError, cli, load, make_spec, rules, run_study, train, train_replicas
from synaptree.analysis.settings import best_settings
from synaptree.claims.second.cells import cells
from synaptree.network.tree import TreeNet
from synaptree.results.columns import plain
from synaptree.results.row import read_row, row_of
from synaptree.sources.dataset import Dataset
from synaptree.study.files import parse_study
from synaptree.study.write import study_text
from synaptree.training.data import Data
from synaptree.training.minibatches import Feed
from synaptree.training.replicas import Replicas

RNG = np.random.default_rng(1)
LABELS = np.arange(60) % 2
# Two classes of 4 × 4 pixels that differ in which half is bright, for every rule to tell apart.
BRIGHT = np.repeat([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]], 4, 0).reshape(2, 4, 4)
IMAGES = Dataset.images(BRIGHT[LABELS] + 0.1 * RNG.random((60, 4, 4)), LABELS)
TINY = {"width": 8, "batch": 16, "steps": 3, "evaluations": 1, "tests": 20}


def settings_of(rule):
    views = {"views": "same_class"} if rules.get(rule).needs_views else {}
    return views | ({"weight_decay": 0.1} if rules.get(rule).needs_decay else {})


@pytest.mark.parametrize("rule", rules.names())
def test_every_rule_learns_from_real_numbers(rule):
    result = train(make_spec(rule=rule, data=IMAGES, **TINY | settings_of(rule)))
    assert not result.diverged
    probe = np.array(result.portrait.probe)
    assert np.isnan(probe[:, :-1]).all()  # no hidden tree is known
    assert np.isfinite(probe[:, -1]).all()
    assert np.isnan(result.portrait.sensitivity).all()
    assert np.isfinite(result.portrait.rank).all()
    assert (result.bayes_error, result.bayes_low, result.bayes_high) == (None, None, None)


def test_what_backprop_makes_of_images_is_what_torch_makes_of_them():
    spec = make_spec(rule="backprop", data=IMAGES, precision="float64", optimizer="sgd",
                     momentum=0.0, **TINY | {"steps": 1, "batch": 48})  # fmt: skip
    result = train(spec, portrait=False)
    data = Data.draw([spec], "cpu")
    net = Replicas([spec]).net
    feed = Feed(data.x, data.y, [spec])
    x, y = feed.next()
    parameters = [p.requires_grad_() for p in net.parameters()]
    z = x.double().reshape(48, 4, 4)
    for W, b in zip(net.W, net.b, strict=True):
        z = torch.relu(z @ W[0] + b[0])
        z = z.reshape(48, -1, 4 * 8) if z.shape[1] > 1 else z
    logits = z[:, 0] @ net.W_out[0] + net.b_out[0]
    torch.nn.functional.cross_entropy(logits, y[0]).backward()
    for before, after in zip(parameters, result.network.parameters(), strict=True):
        assert torch.allclose(before - 0.1 * before.grad, after, atol=1e-12)


def test_tokens_of_ones_own_are_trained_on_as_a_grammars_are():
    spec = make_spec(rule="dfa", v=4, n=4, m=3, L=3, P=96, width=8, batch=16, steps=20)
    data = Data.draw([spec], "cpu")
    pair = (data.x[0].numpy(), data.y[0].numpy())
    test = (data.test_x[0].numpy(), data.test_y[0].numpy())
    own = make_spec(rule="dfa", data=Dataset.tokens(*pair, test=test, v=4, n=4),
                    width=8, batch=16, steps=20)  # fmt: skip
    assert (own.v, own.n, own.s, own.L, own.P) == (4, 4, 2, 3, 96)
    result, plain = train(own), train(spec)
    order = Data.draw([own], "cpu")
    assert sorted(map(tuple, order.x[0].tolist())) == sorted(map(tuple, data.x[0].tolist()))
    assert result.network.W[0].shape == plain.network.W[0].shape


def test_one_hot_vectors_are_what_tokens_are():
    net = TreeNet(4, 3, 2, 3, 8, [torch.Generator().manual_seed(r) for r in range(2)])
    x = torch.randint(4, (2, 5, 8), generator=torch.Generator().manual_seed(0))
    hot = torch.nn.functional.one_hot(x, 4).float()
    assert torch.allclose(net.activity(x).logits, net.activity(hot).logits, atol=1e-6)
    assert net.activity(hot[0]).logits.shape == (2, 5, 3)
    assert torch.equal(net.activity(hot[0, 0]).logits, net.activity(hot[0, :1]).logits)
    with pytest.raises(SynaptreeError, match="not finite"):
        net.activity(hot / 0)


@pytest.mark.parametrize("views", ["sibling,same_class", "half_mask,same_class", "trace:3"])
def test_views_that_need_no_grammar(views):
    assert not train(make_spec(rule="infonce", data=IMAGES, views=views, **TINY)).diverged


def test_a_movie_compares_neighbouring_frames_of_the_data():
    x = np.arange(480).reshape(60, 8) % 7
    data = Dataset.tokens(x, np.repeat(np.arange(15) % 3, 4), frames=4)
    spec = make_spec(rule="clapp", data=data, views="movie", **TINY)
    assert (spec.frames, spec.P, spec.trained) == (4, 48, 48)
    drawn = Data.draw([spec], "cpu")
    strings, _ = Feed(drawn.x, drawn.y, [spec]).next()
    rows = {tuple(row): i for i, row in enumerate(x.tolist())}
    frames = np.array([rows[tuple(row)] for row in strings[0].tolist()]).reshape(-1, 2)
    assert (frames[:, 0] // 4 == frames[:, 1] // 4).all()
    assert (np.abs(frames[:, 0] - frames[:, 1]) == 1).all()
    assert not train(spec).diverged


def test_replicas_differ_in_the_split_and_train_as_if_alone():
    spec = make_spec(rule="dfa", data=IMAGES, precision="float64", **TINY | {"steps": 10})
    both = train_replicas(spec.replicate(2))
    alone = train(spec.replicate(2)[1])
    assert alone.curve.train_loss == pytest.approx(both[1].curve.train_loss, abs=1e-9)
    assert np.array_equal(alone.portrait.probe, both[1].portrait.probe, equal_nan=True)
    assert both[0].curve.train_loss != both[1].curve.train_loss


def test_train_takes_data_beside_the_settings():
    spec = make_spec(rule="dfa", v=8, n=8, m=4, L=3, P=512, **TINY)
    own = train(spec, data=IMAGES, portrait=False)
    assert own.spec == make_spec(rule="dfa", data=IMAGES, **TINY)
    assert own.spec.run_id != spec.run_id


def test_rows_name_the_data_and_are_read_without_them():
    result = train(make_spec(rule="dfa", data=IMAGES, **TINY))
    row = read_row(json.dumps(row_of(result)).encode())
    assert row["spec"]["data"] == f"images@{IMAGES.sha256}"
    assert row["bayes_error"] is None
    row["spec"]["data"] = "images.npz"  # which is not opened because a row names it
    with pytest.raises(SynaptreeError, match=r"spec\.data: expected a name with a hash"):
        read_row(json.dumps(row).encode())


STUDY = """
seeds: 0-1
defaults: {width: 8, batch: 16, steps: 2, tests: 10}
runs:
  - {rule: [dfa, readout_only], data: mine.npz}
  - {rule: dfa, v: 4, n: 4, m: 2, L: 2, P: 20, variant: {zipf: [0.5, 1], noise: 0.1}}
  - {rule: dfa, v: 4, n: 4, m: 2, L: 2, P: 20, variant: [sparse=1, {mixed: 3}]}
"""


def test_a_study_on_data_and_variants(tmp_path):
    IMAGES.save(tmp_path / "mine.npz")
    (tmp_path / "study.yaml").write_text(STUDY)
    frame = run_study(tmp_path / "study.yaml", tmp_path / "out", workers=1)
    assert set(frame["status"]) == {"done"}
    assert len(frame) == 2 * (2 + 2 + 2)
    again = load(tmp_path / "out")
    told = f"mine.npz@{IMAGES.sha256}"
    assert set(again["data"]) == {"", told}
    variants = {"", "noise=0.1,zipf=0.5", "noise=0.1,zipf=1", "sparse=1", "mixed=3"}
    assert set(again["variant"]) == variants
    noisy = again[again["variant"].str.contains("noise")]
    assert (noisy["bayes_error"] > 0.02).all()
    assert (noisy["bayes_low"] <= noisy["bayes_error"]).all()
    assert (again.loc[again["variant"] == "sparse=1", "bayes_error"] == 0).all()
    assert again.loc[again["data"] != "", "bayes_error"].isna().all()


@pytest.mark.parametrize(
    ("entry", "place", "says"),
    [
        ("{rule: dfa, data: nowhere.npz}", "runs[0].data", "cannot be read"),
        ("{rule: dfa, data: 3}", "runs[0].data", "expected the path of an .npz file"),
        ("{rule: dfa, data: mine.npz, P: 4x}", "runs[0]", "a multiple of n·m**L given with data"),
        ("{rule: dfa, variant: {zip: 1}, v: 4, n: 4, m: 2, L: 2, P: 9}", "runs[0].variant", "zipf"),
        ("{rule: dfa, variant: {zipf: []}, v: 4, n: 4, m: 2, L: 2, P: 9}", "runs[0].variant",
         "an empty list"),
        ("{rule: dfa}", "runs[0]", "v is missing"),
    ],
)  # fmt: skip
def test_mistakes_in_study_files(tmp_path, entry, place, says):
    IMAGES.save(tmp_path / "mine.npz")
    _, faults = parse_study(f"runs:\n  - {entry}\n", tmp_path)
    assert faults[0].path == place
    assert says in faults[0].text


def test_the_command_line(tmp_path, capsys, monkeypatch):
    IMAGES.save(tmp_path / "mine.npz")

    def call(*words):
        line = ["synaptree", "train", "--rule", "dfa", "--width", "8", "--batch", "8", *words]
        monkeypatch.setattr(sys, "argv", [*line, "--steps", "2"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    code, out, _ = call("--data", str(tmp_path / "mine.npz"), "--json", "--P", "32")
    found = json.loads(out)
    assert code == 0
    assert (found["s"], found["L"], found["P"], found["n"]) == (4, 2, 32, 2)
    assert found["data"].startswith("mine.npz@")
    code, out, _ = call("--data", str(tmp_path / "mine.npz"))
    assert "class" in out
    sizes = ("--v", "4", "--n", "4", "--m", "2", "--L", "2", "--P", "20")
    code, out, _ = call(*sizes, "--variant", "noise=0.1", "--json")
    assert json.loads(out)["bayes_error"][0] > 0.02
    code, _, err = call("--data", str(tmp_path / "mine.npz"), "--L", "3")
    assert code == 2
    assert "inputs of 16 places (4 × 4 pixels) given for s=4, L=3" in err


def test_variants_and_data_are_kinds_of_their_own_and_no_evidence_for_claims():
    rows = [
        {"v": 4, "n": 4, "m": 2, "s": 2, "L": 2, "P": 20, "variant": variant, "data": data,
         "seed": 100, "label": "dfa", "rule": "dfa", "rule_options": "{}", "status": "done",
         "test_error": error}
        for variant, data, error in (("", "", 0.5), ("zipf=1", "", 0.25), ("", "a@0", 0.125))
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    best = best_settings(frame).set_index("grammar")
    assert dict(best["test_error"]) == {
        "v=4 n=4 m=2 s=2 L=2 P=20": 0.5,
        "v=4 n=4 m=2 s=2 L=2 zipf=1 P=20": 0.25,
        "v=4 n=4 s=2 L=2 a@0 P=20": 0.125,
    }
    assert set(best["settings"]) == {""}
    assert plain(frame)["test_error"].tolist() == [0.5]
    assert [cell.errors.tolist() for cell in cells(frame, [100])] == [[0.5]]


def test_a_written_study_names_data_by_their_path_from_its_folder(tmp_path):
    rng = np.random.default_rng(0)
    data, folder = tmp_path / "data", tmp_path / "runs" / "mine"
    data.mkdir()
    folder.mkdir(parents=True)
    file = Dataset.tokens(rng.integers(0, 4, (40, 8)), rng.integers(0, 3, 40)).save(data / "a.npz")
    spec = make_spec(rule="readout_only", data=file, batch=8, steps=2)
    text = study_text([spec], folder)
    assert "../../data/a.npz@" in text
    (again,), faults = parse_study(text, folder)
    assert not faults
    assert again.run_id == spec.run_id
    _, faults = parse_study(study_text([spec]), folder)
    assert "cannot be read" in faults[0].text  # the base name alone: the file is elsewhere
