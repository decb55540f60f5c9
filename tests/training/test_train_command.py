"""`synaptree train --save` and `--resume`: networks are kept, and interrupted runs go on."""

import json
import sys

import pytest
import typer.main

from synaptree import cli, load_network, make_spec
from synaptree.training.checkpoint import Checkpoint
from synaptree.training.replicas import Replicas
from synaptree.training.spec import RunSpec

SIZES = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 8, "batch": 16}
LINE = ["train", "--rule", "dfa", "--json", "--no-portrait"]
LINE += [word for name, size in SIZES.items() for word in (f"--{name}", str(size))]


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["synaptree", *LINE, *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code, json.loads(out) if out else None, err

    return call


def test_trained_networks_are_kept_under_the_ids_of_their_runs(call, tmp_path):
    code, found, err = call("--steps", 20, "--replicas", 2, "--save", "nets")
    assert code == 0
    assert "networks are in nets/networks" in err
    files = sorted(path.name for path in (tmp_path / "nets").rglob("*") if path.is_file())
    ends = (".json", ".safetensors")
    assert files == sorted(f"{run}{end}" for run in found["run_id"] for end in ends)
    for run, error in zip(found["run_id"], found["test_error"], strict=True):
        card = json.loads((tmp_path / "nets" / "networks" / f"{run}.json").read_text())
        assert card["errors"]["test"] == error
        assert load_network(tmp_path / "nets" / "networks" / run).width == 8


def test_the_same_command_goes_on_after_an_interrupt(call, tmp_path, monkeypatch):
    words = ("--steps", 100, "--replicas", 2)
    _, undisturbed, _ = call(*words)
    step, made = Replicas.step, []

    def interrupted(self, align=False):
        made.append(self.steps)
        if len(made) == 73:
            raise KeyboardInterrupt
        return step(self, align)

    monkeypatch.setattr(Replicas, "step", interrupted)
    assert call(*words, "--save", "nets")[0] == 130
    specs = make_spec(rule="dfa", steps=100, **SIZES).replicate(2)
    assert Checkpoint.of(tmp_path / "nets", specs).path.exists()
    code, found, _ = call(*words, "--save", "nets")
    assert code == 0
    assert made[73:] == list(range(70, 100))
    assert found["test_error"] == undisturbed["test_error"]
    assert [path.name for path in (tmp_path / "nets").iterdir()] == ["networks"]


def test_a_saved_network_goes_on_with_more_steps(call):
    whole, first = [call("--steps", steps, "--save", "nets")[1] for steps in (80, 40)]
    saved = f"nets/networks/{first['run_id'][0]}"
    code, found, _ = call("--steps", 80, "--resume", saved)
    assert code == 0
    for name in ("run_id", "steps_made", "test_error", "train_error"):
        assert found[name] == whole[name]


def test_the_nearest_network_is_named(call, tmp_path):
    (tmp_path / "mine.safetensors").touch()
    said = call("--resume", "mime")[2]
    assert said.endswith("; did you mean 'mine.safetensors'?\n")


def test_what_cannot_go_on_is_one_line(call):
    for words, why in (
        (("--resume", "nowhere"), "network 'nowhere.safetensors': cannot be read"),
        (("--resume", "nets", "--replicas", 2), "resume: 2 replicas given; expected one"),
        (("--save", "/"), "expected a folder for results"),
    ):
        code, found, err = call("--steps", 3, *words)
        assert (code, found) == (2, None)
        assert why in err
        assert len(err.splitlines()) == 1


def test_every_setting_of_a_run_is_an_option_of_the_command(call):
    command = typer.main.get_command(cli.app).commands["train"]
    options = {name for param in command.params for name in param.opts}
    assert {f"--{name.replace('_', '-')}" for name in RunSpec.model_fields} <= options
    seeds = {"seed": 4, "data_seed": 5, "network_seed": 6}
    how = {"steps": 2, "evaluations": 1, "tests": 16, "optimizer": "sgd", "momentum": 0.5}
    words = (w for k, v in (seeds | how).items() for w in (f"--{k.replace('_', '-')}", v))
    _, found, _ = call(*words)
    assert found["run_id"] == [make_spec(rule="dfa", **SIZES, **seeds, **how).run_id]
    _, found, _ = call(*words, "--seed", 5, "--grammar-seed", 4, "--steps", 2)
    assert found["seed"] == 4
