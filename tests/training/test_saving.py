"""Saved networks: the same network comes back, without training code; no other file is taken."""

import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from going_on import settings
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from synaptree import SynaptreeError, TreeNet, load_network, make_spec, rules, save, train
from synaptree.network.saved import read_file, write_file
from synaptree.network.vector import VectorTree

SPEC = make_spec(**settings("dfa", precision="float64"), steps=20)


@pytest.fixture(scope="module")
def result():
    return train(SPEC)


def strings(count=7, v=4, d=8):
    return np.random.default_rng(0).integers(0, v, (count, d))


KINDS = {
    "shared": {},
    "local": {"connectivity": "local"},
    "full": {"connectivity": "full"},
    "mean field": {"parametrisation": "mean_field"},
    "float32": {"precision": "float32"},
    "vector units": {"rule": rules.get("global_error_vector")},
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_same_network_comes_back(kind, tmp_path):
    result = train(make_spec(**settings("backprop") | kind, steps=5), portrait=False)
    before = result.network.activity(strings())
    for what in (result, result.network):
        loaded = load_network(save(what, tmp_path / "net"))
        assert type(loaded) is type(result.network)
        after = loaded.activity(strings())
        assert torch.equal(before.logits, after.logits)
        for one, two in zip(before.z, after.z, strict=True):
            assert torch.equal(one, two)


def test_replicas_are_saved_together(tmp_path):
    generators = [torch.Generator().manual_seed(r) for r in range(3)]
    for kind in (TreeNet, VectorTree):
        net = kind(4, 4, 2, 3, 6, generators=generators)
        loaded = load_network(save(net, tmp_path / "nets"))
        assert torch.equal(net.activity(strings()).logits, loaded.activity(strings()).logits)


PLAIN = """
import sys

class Blocked:
    def find_spec(self, name, *_):
        if name.split(".")[:2] in (["synaptree", "training"], ["synaptree", "rules"]):
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocked())
import torch
import synaptree
module = synaptree.load_network(sys.argv[1]).to_torch()
assert not [name for name in sys.modules if name.startswith("synaptree.training")]
torch.save(module, sys.argv[2])
"""
WITHOUT = """
import sys
import torch
module = torch.load(sys.argv[1], weights_only=False)
assert not [name for name in sys.modules if name.startswith("synaptree")]
print(module(torch.tensor(eval(sys.argv[2]))).tolist())
"""


def test_a_saved_network_is_plain_torch_without_training_code(result, tmp_path):
    """And what `to_torch` gives needs nothing of this package at all."""
    x = strings(3)
    path, module = save(result, tmp_path / "net"), tmp_path / "module.pt"
    subprocess.run([sys.executable, "-c", PLAIN, path, module], check=True)
    line = [sys.executable, "-c", WITHOUT, module, repr(x.tolist())]
    done = subprocess.run(line, check=True, capture_output=True, text=True)
    expected = result.network.activity(x).logits[0]
    assert torch.allclose(torch.tensor(json.loads(done.stdout), dtype=torch.float64), expected,
                          rtol=0, atol=1e-12)  # fmt: skip


def test_the_tensors_are_those_of_the_equations(result, tmp_path):
    """A stranger's forward pass, from the file alone."""
    tensors = load_file(save(result, tmp_path / "net"))
    z = np.eye(4)[strings()]
    for l in (1, 2, 3):
        W, b = (tensors[f"network.{name}.{l}"][0].numpy() for name in ("W", "b"))
        z = np.maximum(z.reshape(len(z), -1, len(W)) @ W + b, 0)
    logits = z[:, 0] @ tensors["network.W_out"][0].numpy() + tensors["network.b_out"][0].numpy()
    expected = result.network.activity(strings()).logits[0].numpy()
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-12)
    for l, B in enumerate(result.state.layers("B"), start=1):
        assert torch.equal(tensors[f"state.fixed.B.{l}"], B)


def test_the_card_says_what_the_network_is(result, tmp_path):
    path = save(result, tmp_path / "runs" / "net.v1")
    assert path == tmp_path / "runs" / "net.v1.safetensors"
    card = json.loads((tmp_path / "runs" / "net.v1.json").read_text())
    assert card["run_id"] == SPEC.run_id
    assert make_spec(**card["spec"]) == SPEC
    assert card["rule"] == "dfa"
    assert card["grammar"] == {"v": 4, "n": 4, "m": 3, "s": 2, "L": 3, "grammar_seed": 0}
    assert card["seeds"] == {"grammar_seed": 0, "data_seed": 0, "network_seed": 0}
    assert (card["steps"], card["stopped"], card["diverged"]) == (20, False, False)
    assert card["errors"] == {"test": result.test_error, "train": result.train_error}
    assert card["versions"]["torch"] == torch.__version__
    assert card["network"]["kind"] == "TreeNet"
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["synaptree"])
    assert {name: header[name] for name in card} == card


def test_a_diverged_run_is_saved(tmp_path):
    wild = make_spec(**settings("backprop", optimizer="sgd", lr=1e6), steps=30)
    result = train(wild, portrait=False)
    assert result.diverged
    path = save(result, tmp_path / "wild")
    assert json.loads(path.with_suffix(".json").read_text())["diverged"]
    assert not load_network(path).finite().all()


def test_a_network_of_ones_own_class_is_named(tmp_path):
    class Mine(TreeNet):
        pass

    net = Mine(4, 4, 2, 3, 6, generators=[torch.Generator()])
    path = save(net, tmp_path / "mine")
    with pytest.raises(SynaptreeError, match=r"'Mine', .* expected load_network\(path, TheClass\)"):
        load_network(path)
    assert type(load_network(path, Mine)) is Mine


def card_with(**sizes):
    def change(path):
        card, tensors = read_file(path)
        card["network"].update(sizes)
        write_file(path, tensors, card)

    return change


BROKEN = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("hello"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "cut header": lambda path: path.write_bytes(path.read_bytes()[:99]),
    "pickled": lambda path: torch.save({"a": torch.ones(2)}, path),
    "foreign": lambda path: save_file({"a": torch.ones(2)}, path),
    "a link": lambda path: (path.rename(path.with_name("b")), path.symlink_to(path.with_name("b"))),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "nothing": lambda path: path.unlink(),
    "wide": card_with(units=10**9),
    "deep": card_with(L=20),
    "deeper": card_with(L=10**9),
    "many tokens": card_with(v=10**6),
    "no tokens": card_with(v=0),
    "many replicas": card_with(replicas=10**9),
    "in words": card_with(units="many"),
    "another grid": card_with(s=4),
    "another class": card_with(kind="Cat"),
    "another type": card_with(dtype="int8"),
    "another precision": card_with(dtype="float32"),
    "another connectivity": card_with(connectivity="local"),
    "another parametrisation": card_with(parametrisation="mean_field"),
    "no connectivity": card_with(connectivity="none"),
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN)
def test_any_other_file_is_one_line(damage, result, tmp_path):
    path = save(result, tmp_path / "net")
    damage(path)
    with pytest.raises(SynaptreeError, match=r"^network '.*; expected ") as fault:
        load_network(path)
    assert "\n" not in str(fault.value)
    assert len(str(fault.value)) < 600


def test_what_is_no_network_is_not_saved(tmp_path):
    for what in (None, "net", torch.ones(3), SPEC):
        with pytest.raises(SynaptreeError, match=r"^save: .* expected a result of train"):
            save(what, tmp_path / "net")
    (tmp_path / "net.safetensors").symlink_to(tmp_path / "elsewhere")
    net = TreeNet(4, 4, 2, 3, 6, generators=[torch.Generator()])
    with pytest.raises(SynaptreeError, match="is a symbolic link"):
        save(net, tmp_path / "net")
    with pytest.raises(SynaptreeError, match="empty path given"):
        save(net, "")
    assert not (tmp_path / "elsewhere").exists()


def test_saving_warns_of_nothing_and_keeps_what_was_there_on_a_fault(result, tmp_path, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = save(result, tmp_path / "net")
    before = path.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(SynaptreeError, match="cannot be written"):
        save(result, tmp_path / "net")
    assert path.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} == {"net.safetensors", "net.json"}
