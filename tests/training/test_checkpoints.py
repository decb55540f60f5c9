"""A run that is killed goes on from its last evaluation to the same bits; no file is trusted."""

import json

import pytest
import torch
from going_on import same_bits, settings
from safetensors.torch import load, save

from synaptree import make_spec, train_replicas
from synaptree.network.saved import read_file, write_file
from synaptree.training import checkpoint as module
from synaptree.training.checkpoint import Checkpoint

RUN = {"steps": 100, "evaluations": 10}
CASES = {
    "backprop": settings("backprop"),
    "sgd": settings("dfa", optimizer="sgd", lr_schedule="cosine"),
    "clapp": settings("clapp"),
    "one layer after the other": settings("vicreg", schedule="sequential"),
    "validation, readout": settings("error_broadcast", validation=0.3, readout_steps=30),
}
SPECS = make_spec(**settings("dfa"), **RUN).replicate(2)


class Killed(BaseException):
    """Stands for the end of a process."""


def killed(specs, path, after, **options):
    """Train until so many steps are made, and no further."""

    def progress(news):
        if news.step >= after:
            raise Killed

    with pytest.raises(Killed):
        train_replicas(specs, checkpoint=path, progress=progress, **options)


def again(specs, path, **options):
    """Train with the checkpoint; the results, the first step that was told, and warnings."""
    told = []
    results = train_replicas(specs, checkpoint=path, progress=told.append, **options)
    warnings = [news.warning for news in told if news.warning]
    return results, next(news.step for news in told if not news.warning), warnings


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_killed_group_goes_on_from_its_last_evaluation(case, tmp_path):
    specs = make_spec(**case, **RUN).replicate(2)
    path = tmp_path / "group"
    killed(specs, path, 90, keep=True)
    results, first, warnings = again(specs, path, keep=True)
    assert first > 90
    assert not warnings
    for one, two in zip(train_replicas(specs, keep=True), results, strict=True):
        same_bits(one, two)


@pytest.mark.parametrize("keep", [True, False])
def test_replicas_that_stopped_before_are_not_trained_again(keep, tmp_path):
    given = {"lr": 0.01, "stop_loss": 1.1, "steps": 400, "evaluations": 40}
    specs = make_spec(**settings("backprop") | given).replicate(4)
    undisturbed = train_replicas(specs, keep=keep)
    stopped = sorted(result.steps for result in undisturbed)
    assert stopped[0] + 20 < stopped[-1]  # or the test would show nothing
    after = (stopped[0] // 10 + 1) * 10
    killed(specs, tmp_path / "group", after + 1, keep=keep)
    card, _ = read_file(tmp_path / "group.safetensors")
    assert 0 < len(card["ended"]) < 4
    results, first, warnings = again(specs, tmp_path / "group", keep=keep)
    assert first > after
    assert not warnings
    for one, two in zip(undisturbed, results, strict=True):
        for name in ("steps", "stopped", "test_error", "train_error", "curve", "portrait"):
            assert repr(getattr(one, name)) == repr(getattr(two, name)), name
        if keep:
            for name, t in one.kept.tensors().items():
                assert torch.equal(t, two.kept.tensors()[name])


def test_the_time_before_counts(tmp_path):
    killed(SPECS, tmp_path / "group", 50)
    file = tmp_path / "group.safetensors"
    card, tensors = read_file(file)
    card["training"]["seconds"] += 1000
    write_file(file, tensors, card)
    assert again(SPECS, file)[0][0].wall_s > 1000


def test_a_finished_group_is_only_measured(tmp_path):
    one = train_replicas(SPECS, keep=True, checkpoint=tmp_path / "group")
    two, first, _ = again(SPECS, tmp_path / "group", keep=True)
    assert first == 100
    for each, other in zip(one, two, strict=True):
        same_bits(each, other)


def test_a_checkpoint_is_not_written_more_often_than_asked(tmp_path):
    path = tmp_path / "group.safetensors"
    train_replicas(SPECS, checkpoint=Checkpoint(path, every=1000.0))
    assert not path.exists()


def rewritten(path, change):
    """Change the card of a file."""
    card, tensors = read_file(path)
    change(card)
    write_file(path, tensors, card)


def changed_tensor(path, name, tensor):
    card, tensors = read_file(path)
    write_file(path, tensors | {name: tensor}, card)


BROKEN = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "text": lambda path: path.write_text("hello " * 100),
    "pickled": lambda path: torch.save({"a": torch.ones(3)}, path),
    "foreign": lambda path: path.write_bytes(save({"a": torch.ones(3)})),
    "no card": lambda path: path.write_bytes(save(load(path.read_bytes()), {"synaptree": "[]"})),
    "deep card": lambda path: path.write_bytes(save({}, {"synaptree": "[" * 100_000})),
    "another version": lambda path: rewritten(path, lambda c: c["checkpoint"].update(code="0")),
    "another format": lambda path: rewritten(path, lambda c: c.update(format=99)),
    "other runs": lambda path: rewritten(path, lambda c: c["checkpoint"]["runs"].pop()),
    "no moment": lambda path: rewritten(path, lambda c: c.pop("training")),
    "steps in words": lambda path: rewritten(path, lambda c: c["training"].update(steps="many")),
    "too many steps": lambda path: rewritten(path, lambda c: c["training"].update(steps=10**9)),
    "too few curves": lambda path: rewritten(path, lambda c: c["training"]["curves"].pop()),
    "a run that is none": lambda path: rewritten(path, lambda c: c.update(ended={"9": {}})),
    "results in words": lambda path: rewritten(path, lambda c: c.update(ended={"0": "good"})),
    "all have ended": lambda path: rewritten(path, lambda c: c.update(ended=None)),
    "another shape": lambda path: changed_tensor(path, "network.W.1", torch.ones(2, 3)),
    "another type": lambda path: changed_tensor(path, "window", torch.ones(2)),
    "no random numbers": lambda path: changed_tensor(path, "streams", torch.zeros(2, 5056).byte()),
    "other random numbers": lambda path: changed_tensor(path, "streams", torch.zeros(2, 7)),
    "a tensor too many": lambda path: changed_tensor(path, "more", torch.zeros(2)),
    "a link": lambda path: (path.rename(path.with_name("other")), path.symlink_to("other")),
}


@pytest.fixture(scope="module")
def undisturbed():
    return train_replicas(SPECS)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    path = tmp_path_factory.mktemp("kept") / "group.safetensors"
    killed(SPECS, path, 50)
    return path.read_bytes()


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN)
def test_what_is_no_checkpoint_of_this_run_is_ignored_with_a_word(
    damage, kept, undisturbed, tmp_path
):
    path = tmp_path / "group.safetensors"
    path.write_bytes(kept)
    damage(path)
    results, first, warnings = again(SPECS, path)
    assert first <= 10
    assert warnings[0].startswith(f"checkpoint {path} is ignored: ")
    assert all("\n" not in warning and len(warning) < 800 for warning in warnings)
    for one, two in zip(undisturbed, results, strict=True):
        assert repr(one.curve) == repr(two.curve)


@pytest.mark.parametrize("other", [{"portrait": False}, {"keep": True}], ids=["portrait", "keep"])
def test_a_checkpoint_of_other_measurements_is_ignored(other, kept, tmp_path):
    path = tmp_path / "group.safetensors"
    path.write_bytes(kept)
    _, first, (warning,) = again(SPECS, path, **other)
    assert first <= 10
    assert "of other settings or another version" in warning


def test_a_run_of_other_steps_does_not_take_the_checkpoint(kept, tmp_path):
    path = tmp_path / "group.safetensors"
    path.write_bytes(kept)
    longer = [make_spec(**spec.model_dump() | {"steps": 200}) for spec in SPECS]
    assert again(longer, path)[1] <= 20


def test_a_disk_that_is_full_ends_no_run(undisturbed, tmp_path, monkeypatch):
    def full(*_):
        raise module.SynaptreeError("out: '…' cannot be written (no space left on device)")

    monkeypatch.setattr(module, "write_file", full)
    results, _, warnings = again(SPECS, tmp_path / "group")
    assert len(warnings) == 10
    assert all("is not kept: out: " in warning for warning in warnings)
    assert repr(results[0].curve) == repr(undisturbed[0].curve)


def test_a_card_is_json(kept):
    length = int.from_bytes(kept[:8], "little")
    header = json.loads(kept[8 : 8 + length])
    card = json.loads(header["__metadata__"]["synaptree"])
    assert card["training"]["steps"] == 50
    assert set(card["checkpoint"]["versions"]) == {"synaptree", "python", "torch", "numpy", "numba"}
