"""The loop: replicas as if alone, the optimisers of torch, honest data, a rule that stops."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from synaptree import SynaptreeError, make_spec, rules, train, train_replicas
from synaptree.training import Data, Minibatches, Program, generator

SMALL = {"v": 4, "n": 4, "m": 3, "L": 3, "P": 256, "width": 16, "batch": 32, "tests": 128}


def spec(rule="backprop", **changed):
    return make_spec(rule=rule, **SMALL | {"precision": "float64", "steps": 100} | changed)


CASES = {
    "backprop, adam": {},
    "backprop, sgd": {"optimizer": "sgd", "parametrisation": "mean_field"},
    "backprop, local": {"connectivity": "local"},
    "dfa": {"rule": "dfa"},
    "masks of another input": {"rule": rules.get("masking", masks="other_input")},
    "random feedback": {"rule": rules.get("masking", weights="random", masks="true")},
    "clapp, trace": {"rule": "clapp", "views": ("sibling", "trace:3")},
    "infonce, same class": {"rule": "infonce", "views": ("same_class",), "lr_schedule": "cosine"},
    "readout only": {"rule": "readout_only"},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_replicas_train_as_if_alone(case):
    specs = spec(**case).replicate(3)
    together = Program(specs)
    alone = [Program([each]) for each in specs]
    for _ in range(100):
        losses, _ = together.step()
        single = [program.step()[0] for program in alone]
        assert torch.allclose(losses, torch.cat(single), atol=1e-9)
    for r, program in enumerate(alone):
        mine = [*program.net.parameters(), *program.state.learned.values()]
        shared = [*together.net.parameters(), *together.state.learned.values()]
        for p, q in zip(mine, shared, strict=True):
            assert float((p[0] - q[r]).abs().max()) < 1e-9


def test_a_replica_that_stops_leaves_the_others_as_they_would_be():
    specs = spec(P=64, lr=0.01, stop_loss=0.2, steps=400).replicate(3)
    together = train_replicas(specs, portrait=False)
    alone = [train(each, portrait=False) for each in specs]
    assert len({result.steps for result in together}) > 1  # or the test would show nothing
    for a, b in zip(together, alone, strict=True):
        assert (a.steps, a.stopped) == (b.steps, b.stopped)
        assert a.test_error == pytest.approx(b.test_error, abs=1e-9)
        assert a.curve.step == b.curve.step
        assert a.curve.train_loss == pytest.approx(b.curve.train_loss, abs=1e-9)


def test_the_same_spec_gives_the_same_bits():
    one = spec("clapp", views=("same_class",), precision="float32")
    first, second = train(one), train(one)
    assert first.curve == second.curve
    assert first.portrait == second.portrait
    assert first.test_error == second.test_error


def test_nobodys_random_numbers_are_touched():
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    train(spec("infonce", views=("trace:3",), steps=5))
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_run_is_a_module_trained_by_autograd(optimizer, schedule):
    given = spec(optimizer=optimizer, lr=0.01, lr_schedule=schedule, steps=50)
    program = Program([given])
    layers = []
    for l, W in enumerate(program.net.W):
        conv = nn.Conv1d(4 if l == 0 else 16, 16, 2, 2).double()
        conv.weight.data = W[0].view(2, -1, 16).permute(2, 1, 0).clone()
        conv.bias.data.zero_()
        layers += [conv, nn.ReLU()]
    readout = nn.Linear(16, 4).double()
    readout.weight.data, readout.bias.data = program.net.W_out[0].T.clone(), torch.zeros(4).double()
    model = nn.Sequential(*layers, nn.Flatten(), readout)
    make = {"adam": torch.optim.Adam, "sgd": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9)}
    plain = make[optimizer](model.parameters(), lr=0.01)
    indices = Minibatches(program.data.y[0], 32, 1, generator("minibatch", given.data_seed))
    pending = []
    for step in range(50):
        pending = pending or list(indices.chunk())
        batch = pending.pop(0)
        if schedule == "cosine":
            plain.param_groups[0]["lr"] = 0.01 * 0.5 * (1 + math.cos(math.pi * step / 50))
        x = nn.functional.one_hot(program.data.x[0, batch].long(), 4).double().transpose(1, 2)
        plain.zero_grad()
        loss = nn.functional.cross_entropy(model(x), program.data.y[0, batch])
        loss.backward()
        plain.step()
        ours, _ = program.step()
        assert float(ours) == pytest.approx(loss.item(), abs=1e-9)
    assert torch.allclose(program.net.W_out[0].T, readout.weight, atol=1e-9)


def test_the_mean_field_multiplies_sgds_rate_by_the_width():
    def rate(**options):
        return Program([spec(**options)]).optimizer.param_groups[0]["lr"]

    assert rate(optimizer="sgd", parametrisation="mean_field") == pytest.approx(0.1 * 16)
    assert rate(optimizer="sgd") == pytest.approx(0.1)
    assert rate(parametrisation="mean_field") == pytest.approx(1e-3)


def test_readout_only_leaves_hidden_weights_alone():
    program = Program([spec("readout_only")])
    before = [W.clone() for W in program.net.W]
    out = program.net.W_out.clone()
    for _ in range(20):
        program.step()
    assert all(torch.equal(a, b) for a, b in zip(before, program.net.W, strict=True))
    assert not torch.equal(out, program.net.W_out)


# Data ---------------------------------------------------------------------------------------------


def test_test_strings_are_in_no_training_set_and_seeds_are_apart():
    specs = spec().replicate(2)
    data = Data.draw(specs, torch.device("cpu"))
    for r, each in enumerate(specs):
        trained = {tuple(x) for x in data.x[r].tolist()}
        tested = {tuple(x) for x in data.test_x[r].tolist()}
        assert (len(trained), len(tested)) == (256, 128)
        assert not trained & tested
        parsed = each.grammar.parse(data.x[r].numpy())
        assert parsed.latents[-1][:, 0].tolist() == data.y[r].tolist()


def test_the_last_strings_of_a_grammar_are_the_test():
    one = make_spec(rule="backprop", v=2, n=2, m=2, L=2, P=14, batch=7, steps=1, width=4)
    data = Data.draw([one], torch.device("cpu"))
    assert data.test_x.shape == (1, 2, 4)


@pytest.mark.parametrize(("members", "batch"), [(1, 32), (1, 48), (2, 32), (4, 32)])
def test_an_epoch_begins_an_object_with_each_input_once(members, batch):
    y = torch.randint(4, (256,), generator=torch.Generator().manual_seed(3))
    minibatches = Minibatches(y, batch, members, torch.Generator().manual_seed(0))
    objects = batch // members
    steps = 256 // objects

    def epoch():
        found = [minibatches.chunk()]
        while sum(map(len, found)) < steps:
            found.append(minibatches.chunk())
        return torch.cat(found).view(steps * objects, members)

    first, second = epoch(), epoch()
    for each in (first, second):
        assert each[:, 0].unique().numel() == steps * objects
        assert (y[each] == y[each[:, :1]]).all()
        assert all(row.unique().numel() == members for row in each)
    assert not torch.equal(first, second)


def test_companions_are_spread_over_the_class():
    y = torch.zeros(64, dtype=torch.long)
    minibatches = Minibatches(y, 64, 2, torch.Generator().manual_seed(0))
    pairs = torch.cat([minibatches.chunk().view(-1, 2) for _ in range(200)])
    counts = torch.bincount(pairs[:, 0] * 64 + pairs[:, 1], minlength=64 * 64).view(64, 64)
    assert not counts.diagonal().any()
    # About 3200 epochs' worth of pairs over 63 companions: no pair is favoured.
    expected = len(pairs) / (64 * 63)
    assert counts[~torch.eye(64, dtype=torch.bool)].float().std() < 2 * expected**0.5


def test_a_class_too_small_for_the_view_is_an_error():
    y = torch.tensor([0, 0, 0, 0, 1])
    with pytest.raises(SynaptreeError, match="a class has only 1 of the P = 5"):
        Minibatches(y, 4, 2, torch.Generator())


def test_a_long_run_never_leaves_the_training_set():
    program = Program([spec(P=100, batch=30)])
    seen = torch.cat([program._indices() for _ in range(50)], 1)
    assert int(seen.min()) >= 0
    assert int(seen.max()) < 100


# Results ------------------------------------------------------------------------------------------


def test_a_result_is_what_the_run_did():
    said = []
    result = train(spec(steps=50, evaluations=7, lr=0.01), progress=said.append)
    assert result.curve.step == [math.ceil(50 * k / 7) for k in range(1, 8)]
    lengths = {len(v) for v in vars(result.curve).values()}
    assert lengths == {7}
    assert (result.steps, result.stopped, result.replicas) == (50, False, 1)
    assert said[-1].step == said[-1].steps == 50
    assert result.curve.test_error[-1] == pytest.approx(result.test_error)
    assert result.curve.train_loss[-1] < result.curve.train_loss[0]
    assert result.wall_s > 0
    assert len(result.portrait.probe) == 3


def test_training_stops_below_the_loss_and_says_so():
    result = train(spec(P=64, lr=0.01, stop_loss=0.5, steps=2000), portrait=False)
    assert result.stopped
    assert result.steps < 2000
    assert result.train_error < 0.3
    assert result.portrait is None


def test_replicas_may_differ_in_seeds_alone():
    with pytest.raises(ValueError, match="seeds alone"):
        train_replicas([spec(), spec(lr=0.5)])


def test_more_evaluations_than_steps():
    assert train(spec(steps=3, evaluations=20), portrait=False).curve.step == [1, 2, 3]
