"""Training that goes on ends where it would have ended in one go, bit for bit."""

import pytest
import torch
from going_on import same_bits, settings

from synaptree import SynaptreeError, make_spec, rules, save, train, train_replicas
from synaptree.training.minibatches import Minibatches
from synaptree.training.replicas import Replicas

CASES = {
    **{name: settings(name) for name in rules.names(former=True)},
    "sgd": settings("backprop", optimizer="sgd", parametrisation="mean_field"),
    "sgd, layer by layer": settings("kolen_pollack", optimizer="sgd", schedule="plateau"),
    "local": settings("direct_kolen_pollack", connectivity="local"),
    "validation": settings("backprop", validation=0.3, lr=0.05),
    "float64": settings("forward_dfa", precision="float64"),
    "masks of another input": settings(rules.get("masking", masks="other_input")),
    "online": settings(rules.online_form("clapp")),
    **{
        f"views {views}": settings("infonce", views=views, batch=24)
        for views in ("same_class", "trace:3", "half_mask,same_class", "movie:0.3", "same_latent:1")
    },
    "half of the neurons": settings("nt_xent", views="half_mask:neurons"),
    "scff of classes": settings("scff", views="same_class"),
}


def test_every_rule_of_the_package_is_a_case():
    assert {case["rule"].name for case in CASES.values()} >= set(rules.names(former=True))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_run_that_is_split_at_an_evaluation_is_the_run_in_one_go(case, tmp_path):
    whole = make_spec(**case, steps=27, evaluations=3)
    part = make_spec(**case, steps=9, evaluations=1)
    portrait = case["rule"].name == "backprop"
    one, first = train(whole, portrait=portrait), train(part, portrait=False)
    assert one.curve.step == [9, 18, 27]
    for before in (first, save(first, tmp_path / "first")):
        same_bits(one, train(whole, portrait=portrait, resume=before))


@pytest.mark.parametrize("name", ["backprop", "dfa", "clapp", "lpl", "node_perturbation", "oja"])
def test_replicas_go_on_in_the_same_company(name, tmp_path):
    whole = make_spec(**settings(name), steps=24, evaluations=2).replicate(3)
    part = make_spec(**settings(name), steps=12, evaluations=1).replicate(3)
    together = train_replicas(whole, keep=True, portrait=False)
    first = train_replicas(part, keep=True, portrait=False)
    paths = [save(each, tmp_path / str(r)) for r, each in enumerate(first)]
    for before in (first, paths):
        again = train_replicas(whole, keep=True, portrait=False, resume=before)
        for one, two in zip(together, again, strict=True):
            same_bits(one, two)


def test_a_finished_run_that_goes_on_by_no_step_is_itself():
    spec = make_spec(**settings("dfa"), steps=12)
    one = train(spec)
    same_bits(one, train(spec, resume=one))


def test_what_goes_on_leaves_what_it_came_from_as_it_was():
    part = make_spec(**settings("lpl"), steps=9, evaluations=1)
    first = train(part)
    before = {name: t.clone() for name, t in first.kept.snapshot.tensors.items()}
    train(make_spec(**settings("lpl"), steps=18, evaluations=2), resume=first)
    assert first.curve.step == [9]
    assert all(torch.equal(t, first.kept.snapshot.tensors[name]) for name, t in before.items())


@pytest.mark.parametrize("members", [1, 2])
def test_minibatches_that_skip_steps_go_on_as_after_them(members):
    y = torch.arange(100) % 4

    def minibatches():
        return Minibatches(y, 12, members, torch.Generator().manual_seed(3))

    all_of_them, drawn = minibatches(), []
    while len(drawn) < 60:
        drawn += list(all_of_them.chunk())
    epoch = 100 // (12 // members)
    for steps in (0, 1, epoch - 1, epoch, epoch + 1, 3 * epoch):
        skipped = minibatches()
        skipped.skip(steps)
        assert torch.equal(skipped.chunk()[0], drawn[steps])


def test_the_network_of_a_result_is_that_of_its_errors():
    spec = make_spec(**settings("backprop", validation=0.3, lr=0.05), steps=200)
    result = train(spec)
    data = Replicas([spec]).data
    wrong = result.network.activity(data.test_x).logits.argmax(-1) != data.test_y
    assert result.test_error == pytest.approx(float(wrong.double().mean()), abs=1e-7)
    weights = result.kept.snapshot.tensors["network.W.1"]
    assert not torch.equal(result.network.W[0], weights)  # training goes on from the last ones


def test_replicas_keep_their_networks_only_on_request():
    specs = make_spec(**settings("dfa"), steps=4).replicate(2)
    with pytest.raises(SynaptreeError, match=r"not kept; expected one of train\(…\), or of"):
        _ = train_replicas(specs)[0].network
    kept = train_replicas(specs, keep=True)
    assert [each.network.replicas for each in kept] == [1, 1]
    for each in kept:
        assert [B.shape[0] for B in each.state.layers("B")] == [1, 1, 1]
    assert not torch.equal(kept[0].network.W[0], kept[1].network.W[0])


def refused(before, **changed):
    part = train(make_spec(**settings("dfa") | before), portrait=False)
    with pytest.raises(SynaptreeError) as fault:
        train(make_spec(**settings("dfa") | before | changed), resume=part)
    assert "\n" not in str(fault.value)
    return str(fault.value)


def test_only_runs_of_the_same_settings_go_on():
    few = {"steps": 4, "evaluations": 1}
    assert refused(few, lr=0.5) == (
        "resume: lr=0.5 given, but the run to go on from has lr=0.001; expected the same, as only "
        "steps and evaluations may differ"
    )
    assert "data_seed=7 given, but the run to go on from has data_seed=0" in refused(
        few, data_seed=7
    )
    assert "resume: rule={'name': 'backprop'} given" in refused(few, rule="backprop")
    assert refused(few, steps=3) == (
        "resume: steps=3 given, but the run to go on from has made 4 steps; expected steps=4 or "
        "more"
    )
    cosine = {**few, "lr_schedule": "cosine"}
    assert refused(cosine, steps=8) == (
        "resume: steps=8 given, but the run to go on from has steps=4, and lr_schedule=cosine "
        "depends on how many there are; expected steps=4"
    )
    assert "schedule=sequential depends" in refused({**few, "schedule": "sequential"}, steps=8)
    assert "readout_steps=2 depends" in refused({**few, "readout_steps": 2}, steps=8)


def test_what_cannot_go_on_says_why(tmp_path):
    spec = make_spec(**settings("backprop", lr=0.05, stop_loss=1.3), steps=400)
    stopped = train(spec, portrait=False)
    assert stopped.stopped
    network = save(stopped.network, tmp_path / "network")
    for before, why in (
        (stopped, "below its stop_loss, given; expected one that can go on"),
        (network, "holds a network alone; expected a saved result"),
        (save(stopped, tmp_path / "stopped"), "holds a network alone; expected a saved result"),
        (7, "7 given; expected a result of train"),
        (tmp_path / "nowhere", "cannot be read"),
    ):
        with pytest.raises(SynaptreeError, match=why):
            train(spec, resume=before)
    with pytest.raises(SynaptreeError, match="one result, or path, for each of 2 runs"):
        train_replicas(spec.replicate(2), resume=[stopped])
    early, late = (
        train(make_spec(**settings("dfa"), steps=steps, evaluations=1), portrait=False)
        for steps in (3, 4)
    )
    specs = make_spec(**settings("dfa"), steps=9).replicate(2)
    with pytest.raises(SynaptreeError, match="after 3, 4 steps given"):
        train_replicas(specs, resume=[early, late])
