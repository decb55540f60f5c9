"""The loop: replicas as if alone, the optimisers of torch, honest data, a rule that stops."""

import json
import math
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from synaptree import SynaptreeError, make_spec, rules, train, train_replicas
from synaptree.grammar.clips import neighbours
from synaptree.measures.portrait import portraits
from synaptree.results.row import row_of
from synaptree.training.data import Data
from synaptree.training.evaluation import error_rate
from synaptree.training.minibatches import Minibatches
from synaptree.training.replicas import Replicas
from synaptree.training.schedule import LayerTurns
from synaptree.training.streams import generator

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
    "feedback alignment": {"rule": "feedback_alignment"},
    "sign symmetry": {"rule": rules.get("sign_symmetry", magnitude="batchwise")},
    "kolen-pollack": {"rule": "kolen_pollack", "weight_decay": 0.1},
    "greedy local": {"rule": "greedy_local"},
    "drtp": {"rule": rules.get("drtp", feedback="shared")},
    "direct kolen-pollack": {"rule": "direct_kolen_pollack", "optimizer": "sgd"},
    "forward dfa": {"rule": "forward_dfa"},
    "symmetric direct": {"rule": rules.get("symmetric_direct", feedback="mean_jacobian")},
    "node perturbation": {"rule": "node_perturbation", "optimizer": "sgd", "lr": 0.01},
    "pepita": {"rule": "pepita", "connectivity": "local"},
}


def tensors(replicas):
    state = replicas.state
    kinds = (state.learned, state.feedback, state.running)
    return [
        *replicas.net.parameters(),
        *(t for kind in kinds for ts in kind.values() for t in ts if t is not None),
    ]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_replicas_train_as_if_alone(case):
    specs = spec(**case).replicate(3)
    together = Replicas(specs)
    alone = [Replicas([each]) for each in specs]
    for _ in range(100):
        losses, _ = together.step()
        single = [one.step()[0] for one in alone]
        assert torch.allclose(losses, torch.cat(single), atol=1e-9)
    for r, one in enumerate(alone):
        for p, q in zip(tensors(one), tensors(together), strict=True):
            assert float((p[0] - q[r]).abs().max()) < 1e-9


# An epoch has 205 steps, and losses are judged every 200: replicas leave amid a chunk of indices.
LEAVING = {
    "adam": ({"lr": 0.01}, 1.0),
    "sgd, cosine": ({"optimizer": "sgd", "lr": 0.02, "lr_schedule": "cosine"}, 1.0),
    "clapp": ({"rule": "clapp", "views": ("sibling", "same_class"), "lr": 0.01}, 1.2),
    "dfa": ({"rule": "dfa", "lr": 0.01}, 1.2),
    "kolen-pollack": ({"rule": "kolen_pollack", "lr": 0.01, "weight_decay": 0.01}, 1.0),
    "forward dfa": ({"rule": "forward_dfa", "lr": 0.01}, 1.2),
}


@pytest.mark.parametrize(("changed", "stop_loss"), LEAVING.values(), ids=LEAVING)
def test_a_replica_that_stops_leaves_the_others_as_they_would_be(changed, stop_loss):
    members = 2 if "views" in changed else 1
    given = {"P": 820, "batch": 4 * members, "steps": 1000, "evaluations": 3} | changed
    specs = spec(**given, stop_loss=stop_loss).replicate(4)
    together = train_replicas(specs)
    alone = [train(each) for each in specs]
    steps = [result.steps for result in together]
    assert min(steps) < max(steps)  # or the test would show nothing
    assert steps.index(min(steps)) < 3  # the places of the others change
    for a, b in zip(together, alone, strict=True):
        assert (a.spec, a.steps, a.stopped) == (b.spec, b.steps, b.stopped)
        assert a.test_error == pytest.approx(b.test_error, abs=1e-9)
        assert a.train_error == pytest.approx(b.train_error, abs=1e-9)
        for name, curve in vars(a.curve).items():
            assert np.allclose(curve, getattr(b.curve, name), rtol=0, atol=1e-9, equal_nan=True)
        for name, measure in vars(a.portrait).items():
            assert np.allclose(measure, getattr(b.portrait, name), atol=1e-9)


def test_a_run_stops_after_the_first_epoch_whose_mean_loss_is_below():
    given = spec(P=256, lr=0.01, stop_loss=0.9, steps=400)
    replicas, losses = Replicas([given]), []
    for _ in range(400):
        losses.append(float(replicas.step()[0]))
    epochs = np.array(losses).reshape(50, 8).mean(1)
    assert min(losses) < 0.9  # a single minibatch is not enough ...
    first = int(np.argmax(epochs < 0.9))
    assert np.argmax(np.array(losses) < 0.9) // 8 < first  # ... as here
    result = train(given, portrait=False)
    assert (result.steps, result.stopped) == (8 * (first + 1), True)


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
    replicas = Replicas([given])
    layers = []
    for l, W in enumerate(replicas.net.W):
        conv = nn.Conv1d(4 if l == 0 else 16, 16, 2, 2).double()
        conv.weight.data = W[0].view(2, -1, 16).permute(2, 1, 0).clone()
        conv.bias.data.zero_()
        layers += [conv, nn.ReLU()]
    readout = nn.Linear(16, 4).double()
    readout.weight.data = replicas.net.W_out[0].T.clone()
    readout.bias.data = torch.zeros(4).double()
    model = nn.Sequential(*layers, nn.Flatten(), readout)
    make = {"adam": torch.optim.Adam, "sgd": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9)}
    plain = make[optimizer](model.parameters(), lr=0.01)
    indices = Minibatches(replicas.data.y[0], 32, 1, generator("minibatch", given.data_seed))
    pending = []
    for step in range(50):
        pending = pending or list(indices.chunk())
        batch = pending.pop(0)
        if schedule == "cosine":
            plain.param_groups[0]["lr"] = 0.01 * 0.5 * (1 + math.cos(math.pi * step / 50))
        x = nn.functional.one_hot(replicas.data.x[0, batch].long(), 4).double().transpose(1, 2)
        plain.zero_grad()
        loss = nn.functional.cross_entropy(model(x), replicas.data.y[0, batch])
        loss.backward()
        plain.step()
        ours, _ = replicas.step()
        assert float(ours) == pytest.approx(loss.item(), abs=1e-9)
    assert torch.allclose(replicas.net.W_out[0].T, readout.weight, atol=1e-9)


@pytest.mark.parametrize(
    "changed",
    [
        {"lr": 0.01},
        {"optimizer": "sgd", "lr": 0.02, "momentum": 0.5, "parametrisation": "mean_field"},
    ],
    ids=["adam", "sgd"],
)
def test_a_layerwise_run_is_a_stack_of_detached_losses_trained_by_autograd(changed):
    given = spec("clapp", views=("sibling", "sibling", "same_class"), data_seed=11, network_seed=7,
                 grammar_seed=3, **changed)  # fmt: skip
    replicas = Replicas([given])
    net = replicas.net
    initial = rules.get("clapp").init(net, [generator("rule", 7)]).learned
    for name, index, W in replicas.state.trained():
        assert torch.equal(W, initial[name][index])
    leaves = [p.clone().requires_grad_() for p in net.parameters()]
    own = [W.clone().requires_grad_() for _, _, W in replicas.state.trained()]
    if "optimizer" in changed:  # the mean field: no biases, and the width in the network's rate
        W, out, bias, b_out = leaves[:3], leaves[3], [0.0] * 3, 0.0
        rates = [{"params": leaves, "lr": 0.02 * 16}, {"params": own, "lr": 0.02}]
        plain = torch.optim.SGD(rates, momentum=0.5)
        gain, gain_out = [(2 * 4) ** -0.5, 32**-0.5, 32**-0.5], 1 / 16
    else:
        W, bias, out, b_out = leaves[:3], leaves[3:6], leaves[6], leaves[7]
        plain = torch.optim.Adam([*leaves, *own], lr=0.01)
        gain, gain_out = [1.0] * 3, 1.0
    indices = Minibatches(replicas.data.y[0], 32, 2, generator("minibatch", 11))
    pending = []
    for _ in range(50):
        pending = pending or list(indices.chunk())
        batch = pending.pop(0)
        y = replicas.data.y[0, batch]
        z = nn.functional.one_hot(replicas.data.x[0, batch].long(), 4).double()
        total = 0
        for l in range(3):
            x = z.detach().reshape(32, 2 ** (2 - l), -1)
            z = (gain[l] * x @ W[l][0] + bias[l]).relu()
            neighbour = [1, 0, 3, 2][: z.shape[1]]  # the other patch of a pair of patches
            partner = torch.arange(32) ^ 1  # the other input of a pair of inputs
            c = (z[:, neighbour] if l < 2 else z[partner]).detach()
            prediction = torch.einsum("bpi,pij->bpj", c, own[l][0])
            other = z[(torch.arange(32) - 2) % 32]
            total = total + (1 - (z * prediction).sum(-1)).clamp_min(0).mean()
            total = total + (1 + (other * prediction).sum(-1)).clamp_min(0).mean()
        logits = gain_out * z[:, 0].detach() @ out[0] + b_out
        logits = logits.squeeze(0)
        cross_entropy = nn.functional.cross_entropy(logits, y)
        plain.zero_grad()
        (total + cross_entropy).backward()
        plain.step()
        loss, wrong = replicas.step()
        assert float(loss) == pytest.approx(cross_entropy.item(), abs=1e-9)
        assert float(wrong) == pytest.approx((logits.argmax(1) != y).double().mean().item())
    ours = [*net.parameters(), *replicas.state.learned["W"]]
    for p, q in zip(ours, [*leaves, *own], strict=True):
        assert torch.allclose(p, q, atol=1e-9, rtol=0)


def test_the_mean_field_multiplies_sgds_rate_by_the_width():
    def rate(**options):
        return Replicas([spec(**options)]).optimiser.groups[0].lr

    assert rate(optimizer="sgd", parametrisation="mean_field") == pytest.approx(0.1 * 16)
    assert rate(optimizer="sgd") == pytest.approx(0.1)
    assert rate(parametrisation="mean_field") == pytest.approx(1e-3)


def test_stepping_past_the_end_of_a_run_goes_on_learning():
    replicas = Replicas([spec("backprop", steps=1)])
    replicas.step()
    before = replicas.net.W[0].clone()
    replicas.step()
    assert not torch.equal(replicas.net.W[0], before)


def test_readout_only_leaves_hidden_weights_alone():
    replicas = Replicas([spec("readout_only")])
    before = [W.clone() for W in replicas.net.W]
    out = replicas.net.W_out.clone()
    for _ in range(20):
        replicas.step()
    assert all(torch.equal(a, b) for a, b in zip(before, replicas.net.W, strict=True))
    assert not torch.equal(out, replicas.net.W_out)


# Data ---------------------------------------------------------------------------------------------


def test_each_seed_moves_its_own_thing():
    def parts(**seeds):
        replicas = Replicas([spec("dfa", **seeds)])
        index = replicas.feed.minibatches[0].chunk()
        return replicas.net.W[0], replicas.state.fixed["B"][0], replicas.data.x, index

    base = parts()
    moved = {
        "network_seed": [True, True, False, False],
        "data_seed": [False, False, True, True],
        "grammar_seed": [False, False, True, False],
    }
    for name, expected in moved.items():
        changed = [not torch.equal(a, b) for a, b in zip(base, parts(**{name: 1}), strict=True)]
        assert changed == expected, name


def test_no_two_purposes_share_random_numbers():
    purposes = ("network", "rule", "minibatch")
    streams = [generator(p, seed) for p in purposes for seed in (0, 1, 2)]
    draws = {float(torch.rand((), generator=g, dtype=torch.float64)) for g in streams}
    assert len(draws) == 9


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
    replicas = Replicas([spec(P=100, batch=30)])
    seen = torch.cat([replicas.feed.minibatches[0].chunk() for _ in range(50)])
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


def test_a_curve_holds_means_since_the_last_evaluation():
    given = spec(steps=30, evaluations=4, lr=0.01)
    replicas, steps = Replicas([given]), []
    for _ in range(30):
        loss, wrong = replicas.step()
        steps.append((float(loss), float(wrong)))
    curve = train(given, portrait=False).curve
    assert curve.step == [8, 15, 23, 30]
    for k, (first, last) in enumerate([(0, 8), (8, 15), (15, 23), (23, 30)]):
        loss, wrong = np.mean(steps[first:last], axis=0)
        assert curve.train_loss[k] == pytest.approx(loss, abs=1e-12)
        assert curve.train_error[k] == pytest.approx(wrong, abs=1e-12)


def test_progress_is_told_at_each_evaluation_and_at_the_end():
    said = []
    train(spec(steps=30, evaluations=4), progress=said.append, portrait=False)
    assert {8, 15, 23, 30} <= {progress.step for progress in said}
    assert [progress.step for progress in said] == sorted(progress.step for progress in said)
    assert all(progress.steps == 30 for progress in said)


def test_the_error_rate_is_counted_over_all_strings():
    replicas = Replicas(spec().replicate(2))
    x, y = replicas.data.test_x[:, :50], replicas.data.test_y[:, :50]
    guesses = replicas.net.activity(x).logits.argmax(-1)
    for chunk in (7, 50, 2048):
        found = error_rate(replicas.net, x, y, chunk)
        assert found.tolist() == pytest.approx((guesses != y).double().mean(1).tolist())


def test_a_portrait_is_of_the_trained_network_on_strings_of_the_runs_own_stream():
    given = spec(steps=3, data_seed=5)
    replicas = Replicas([given])
    for _ in range(3):
        replicas.step()
    (expected,) = portraits(replicas.net, [given.grammar], [5 + 2**33])
    assert train(given).portrait == expected


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


def test_a_run_that_diverges_says_so_and_leaves_its_companions_alone():
    wild = {"rule": "drtp", "lr": 1e30, "optimizer": "sgd", "steps": 30}
    assert train(spec(**wild)).diverged
    calm = train(spec())
    assert not calm.diverged
    row = row_of(train(spec(**wild)))
    json.dumps(row, allow_nan=False)
    assert row["diverged"] is True
    assert row["portrait"]["probe"][0][0] is None


@pytest.mark.parametrize("view", ["movie:0.3", "same_latent:2"])
def test_a_minibatch_of_clips_holds_frames_beside_their_neighbours(view):
    given = spec("clapp", views=[view], batch=8, P=255)
    replicas = Replicas([given])
    x = replicas.data.x[0]
    assert len(x) == 255  # P counts every frame that was drawn
    grammar = given.grammar
    seen = []
    for step in replicas.feed.minibatches[0].chunk():
        index = step.view(-1, 2)
        beside = neighbours(255, given.clips.frames)
        assert index[:, 1].tolist() == beside[index[:, 0]].tolist()
        seen += index[:, 0].tolist()
    assert len(seen) == 252
    assert len(set(seen)) == len(seen)  # each frame once an epoch
    strings = grammar.parse(x.numpy())
    first, second = index[:, 0].numpy(), index[:, 1].numpy()
    assert (strings.latents[-1][first] == strings.latents[-1][second]).all()
    if view == "same_latent:2":
        assert (strings.latents[2][first] == strings.latents[2][second]).all()
    tests = {bytes(each) for each in replicas.data.test_x[0].numpy()}
    assert not tests & {bytes(each) for each in x.numpy()}


@pytest.mark.parametrize("view", ["half_mask:neurons", "half_mask:redrawn"])
@pytest.mark.parametrize("rule", ["clapp", "infonce"])
def test_only_the_half_that_is_compared_learns(rule, view):
    replicas = Replicas([spec(rule, views=[view], optimizer="sgd", momentum=0, lr=0.5)])
    for step in range(4):
        before = [W.clone() for W in replicas.net.W]
        halves = [v.anchors(z, step) for v, z in zip(replicas.views, before, strict=True)]
        replicas.step()
        for old, new, half in zip(before, replicas.net.W, halves, strict=True):
            moved = (new - old).abs().sum((0, 1)) > 0
            assert not moved[half == 0].any()
            assert moved[half == 1].any()


@pytest.mark.parametrize(
    "views",
    [["half_mask", "half_mask", "same_class"], ["half_mask:neurons"], ["sibling", "movie:0.2"],
     ["same_latent:1"]],
)  # fmt: skip
def test_every_view_trains_replicas_as_if_alone(views):
    specs = spec("infonce", views=views, steps=12, P=128).replicate(2)
    for together, alone in zip(train_replicas(specs), [train(s) for s in specs], strict=True):
        assert together.test_error == alone.test_error
        assert together.curve.train_loss == pytest.approx(alone.curve.train_loss, abs=1e-9)


@pytest.mark.parametrize("rule", ["clapp", "backprop", "direct_kolen_pollack"])
def test_one_layer_after_the_other_learns_and_the_rest_is_as_it_was(rule):
    views = {"views": ["same_class"]} if rule == "clapp" else {}
    replicas = Replicas([spec(rule, schedule="sequential", steps=30, **views)])
    for step in range(30):
        net, own = replicas.net, replicas.state.trained()
        before = [[W.clone(), b.clone()] for W, b in zip(net.W, net.b, strict=True)]
        mine = [p.clone() for _, _, p in own]
        replicas.step()
        learning = step // 10
        for l, (W, b) in enumerate(before):
            assert torch.equal(W, net.W[l]) == (l != learning)
            assert torch.equal(b, net.b[l]) == (l != learning)
        for (_, index, p), was in zip(own, mine, strict=True):
            assert torch.equal(was, p) == (index != learning)
    assert replicas.turns.switches == [[10, 20]]


def test_a_plateau_is_where_the_loss_of_the_layer_no_longer_falls():
    given = spec("clapp", views=["same_class"], schedule="plateau", steps=10_000)
    turns = LayerTurns(given, 2, torch.device("cpu"))
    steps = range(1, 2001)
    for step in steps:
        falling = 1000.0 / step
        # Replica 0: layer 1 falls until step 600, then stands; layer 2 stands from the start.
        first = torch.tensor([1000.0 / min(step, 600), 5.0, 7.0])
        second = torch.full((3,), falling)
        turns.after(step, torch.stack([first, second]))
    assert turns.switches[0] == [1000, 1400]
    assert turns.switches[1] == []
    assert turns.layer.tolist() == [2, 0]


def test_a_plateau_of_a_negative_loss_is_one_too():
    """LPL's loss has the logarithm of a variance."""
    given = spec("lpl", views=["same_class"], schedule="plateau", steps=10_000)
    turns = LayerTurns(given, 3, torch.device("cpu"))
    for step in range(1, 1001):
        losses = torch.tensor([-1.0, -1.0 + step / 1000, -float(step)])  # stands, rises, falls
        turns.after(step, losses.unsqueeze(1).expand(3, 3))
    assert turns.switches == [[400, 800], [400, 800], []]


def test_replicas_switch_by_themselves(monkeypatch):
    monkeypatch.setattr(LayerTurns, "WINDOW", 10)
    given = spec("clapp", views=["same_class"], schedule="plateau", steps=120, lr=0.01)
    specs = given.replicate(5)
    together, alone = train_replicas(specs), [train(each) for each in specs]
    assert len({tuple(result.switches) for result in together}) > 1  # or it would show nothing
    for a, b in zip(together, alone, strict=True):
        assert a.switches == b.switches
        assert a.curve.train_loss == pytest.approx(b.curve.train_loss, abs=1e-9)


def test_a_layer_that_collapses_is_named():
    """Pulled together and never pushed apart: the textbook collapse."""
    kind = {"v": 4, "n": 4, "m": 2, "L": 3, "P": 256, "views": ("same_class",), "lr": 0.01}
    sizes = {"width": 32, "batch": 64, "steps": 400, "tests": 64}
    pull = rules.get("vicreg", variance=0.0, covariance=0.0, invariance=25.0, dims=0)
    collapsed = train(make_spec(rule=pull, **kind, **sizes))
    assert collapsed.collapsed
    assert all(collapsed.portrait.rank[l - 1] < 2 for l in collapsed.collapsed)
    assert row_of(collapsed)["collapsed"] == collapsed.collapsed
    sound = train(make_spec(rule="vicreg", **kind, **sizes))
    assert sound.collapsed == []
    assert train(make_spec(rule=pull, **kind, **sizes), portrait=False).collapsed is None


class TestValidation:
    """Early stopping: the weights of the evaluation that did best on strings held back."""

    KIND = {"v": 8, "n": 8, "m": 4, "L": 2, "P": 120, "batch": 20, "width": 64, "tests": 128}  # noqa: RUF012

    def test_what_is_measured_is_the_evaluation_with_the_lowest_validation_error(self):
        spec = make_spec(
            rule="backprop", **self.KIND, validation=0.25, steps=300, evaluations=10, lr=0.01
        )
        assert spec.trained == 90
        replicas = Replicas([spec])
        data = replicas.data
        best, at_best = 2.0, -1.0
        for step in range(1, 301):
            replicas.step()
            if step % 30 == 0:
                held = float(error_rate(replicas.net, data.x[:, 90:], data.y[:, 90:]))
                if held < best:
                    best = held
                    at_best = float(error_rate(replicas.net, data.test_x, data.test_y))
        assert train(spec).test_error == at_best

    @pytest.mark.parametrize("validation", [0.1, 0.115, 0.5])
    @pytest.mark.parametrize("view", ["movie:0.1", "same_latent:2"])
    def test_clips_are_held_back_whole(self, view, validation):
        kind = self.KIND | {"P": 200}
        spec = make_spec(rule="clapp", views=view, **kind, validation=validation)
        frames = spec.clips.frames
        assert spec.trained % frames == 0
        assert 0 <= 200 * (1 - validation) - spec.trained < frames
        replicas = Replicas([spec])
        (minibatches,) = replicas.feed.minibatches
        for _ in range(40):
            index = minibatches.chunk().view(-1, 2)
            assert index.max() < spec.trained
            assert torch.equal(index[:, 0] // frames, index[:, 1] // frames)

    def test_strings_held_back_are_never_trained_on(self):
        spec = make_spec(rule="backprop", **self.KIND, validation=0.25, steps=30)
        replicas = Replicas([spec])
        replicas.data.x[:, 90:] = 7  # would change the training if it were seen
        replicas.feed.strings[:, 90:] = 0
        other = Replicas([spec])
        for _ in range(30):
            replicas.step()
            other.step()
        for p, q in zip(replicas.net.parameters(), other.net.parameters(), strict=True):
            assert torch.equal(p, q)

    def test_a_replica_keeps_its_own_weights_whenever_others_stop(self):
        spec = make_spec(rule="backprop", **self.KIND, validation=0.25, steps=400, stop_loss=0.05,
                         evaluations=10, lr=0.01)  # fmt: skip
        together = train_replicas(spec.replicate(3))
        assert len({r.steps for r in together}) > 1
        for alone, beside in zip(map(train, spec.replicate(3)), together, strict=True):
            assert (alone.test_error, alone.steps) == (beside.test_error, beside.steps)

    def test_none_held_back_is_the_last_weights(self):
        spec = make_spec(rule="backprop", **self.KIND, steps=40)
        replicas = Replicas([spec])
        for _ in range(40):
            replicas.step()
        last = error_rate(replicas.net, replicas.data.test_x, replicas.data.test_y)
        assert train(spec).test_error == float(last)

    def test_too_little_left_is_one_line(self):
        with pytest.raises(SynaptreeError, match="60 are held back; expected at most 60"):
            make_spec(rule="backprop", **self.KIND | {"batch": 61}, validation=0.5)


class TestReadoutOnFrozenLayers:
    KIND: ClassVar = {"v": 4, "n": 4, "m": 3, "L": 3, "P": 256, "width": 16, "batch": 32,
                      "tests": 64}  # fmt: skip
    CLAPP: ClassVar = {"rule": "clapp", "views": ["same_class"], "readout_steps": 30, "steps": 80}

    @pytest.mark.parametrize("optimizer", ["adam", "sgd"])
    def test_in_the_last_steps_the_readout_alone_learns(self, optimizer):
        spec = make_spec(
            **self.KIND, **self.CLAPP, optimizer=optimizer, weight_decay=0.1, lr_schedule="cosine"
        )
        replicas = Replicas([spec])
        for _ in range(50):
            replicas.step()

        def now():
            net, own = replicas.net, [t for _, _, t in replicas.state.trained()]
            return [t.clone() for t in (*net.W, *net.b, *own)], net.W_out.clone()

        hidden, readout = now()
        rates = []
        for _ in range(30):
            replicas.step()
            rates.append(replicas.optimiser.groups[0].lr)
        after, learned = now()
        assert all(torch.equal(a, b) for a, b in zip(hidden, after, strict=True))
        assert not torch.equal(readout, learned)
        # The schedule starts again for the readout.
        assert rates[0] == replicas.optimiser.groups[0].initial_lr
        assert rates[-1] < 0.01 * rates[0]

    def test_before_them_nothing_is_otherwise(self):
        given = self.CLAPP | {"readout_steps": 0, "steps": 50}
        alone, both = (Replicas([make_spec(**self.KIND, **each)]) for each in (given, self.CLAPP))
        for _ in range(50):
            alone.step()
            both.step()
        assert all(torch.equal(a, b) for a, b in zip(alone.net.W, both.net.W, strict=True))

    def test_layers_that_take_turns_rest_in_them_too(self):
        spec = make_spec(**self.KIND, **self.CLAPP, schedule="sequential")
        replicas = Replicas([spec])
        first = [w.clone() for w in replicas.net.W]
        for _ in range(50):
            replicas.step()
        W = [w.clone() for w in replicas.net.W]
        assert not any(torch.equal(a, b) for a, b in zip(W, first, strict=True))
        assert replicas.turns.switches == [[17, 34]]  # the readout's steps are no layer's
        for _ in range(30):
            replicas.step()
        assert all(torch.equal(a, b) for a, b in zip(W, replicas.net.W, strict=True))

    @pytest.mark.parametrize("given", [{"readout_steps": 80}, {"stop_loss": 0.1}])
    def test_they_are_fewer_than_all_and_certain_to_come(self, given):
        with pytest.raises(SynaptreeError, match=r"^readout_steps: \d+ given, .* no stop_loss"):
            make_spec(**self.KIND, **self.CLAPP | given)
