"""What `synaptree bench` compares is what it says, and its figures are ratios of what it timed."""

import json
import sys

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import results
from synaptree import make_spec
from synaptree.bench import (
    Broadcast,
    Loop,
    Rate,
    alternate,
    backprop_flops,
    convolution,
    own_products,
    plain_loop,
    standard,
    training,
)
from synaptree.cli import main

SPEC = make_spec(rule="backprop", v=8, n=8, m=4, L=3, P=1024, width=16, batch=32)


def flops_of(loop):
    with FlopCounterMode(display=False) as counter:
        loop.step()
    return counter.get_total_flops()


@pytest.mark.parametrize("replicas", [1, 3])
def test_the_products_of_a_step_are_counted_as_torch_counts_them(replicas):
    # In batches so small no string repeats often enough for tables, which make fewer products.
    spec = SPEC.model_copy(update={"batch": 24})
    assert flops_of(training(spec, replicas)) == replicas * backprop_flops(spec)
    readout = 3 * 2 * spec.batch * spec.width * spec.n
    assert flops_of(own_products(spec, replicas)) == replicas * (backprop_flops(spec) - readout)


def test_the_peers_compute_the_same_layer():
    g = torch.Generator().manual_seed(0)
    broadcast, conv = Broadcast(8, 16, 2), convolution(8, 16, 2)
    x = torch.randn(5, 8, 12, generator=g)
    with torch.no_grad():
        conv[0].weight.copy_(broadcast.weight.squeeze(2) * 16**-0.5)
        conv[0].bias.copy_(broadcast.bias.squeeze(1).normal_(generator=g))
        assert torch.allclose(conv(x), broadcast(x), atol=1e-5)


@pytest.mark.parametrize("given", [{}, {"loader": True}, {"layer": Broadcast}])
def test_a_peer_really_trains(given, monkeypatch):
    torch.manual_seed(0)
    losses = []
    kept = torch.nn.functional.cross_entropy
    monkeypatch.setattr(
        torch.nn.functional, "cross_entropy", lambda *a: losses.append(kept(*a)) or losses[-1]
    )
    loop = plain_loop(SPEC.model_copy(update={"lr": 0.01}), **given)
    for _ in range(300):  # several epochs of 1024 strings
        loop.step()
    first, last = (
        sum(float(loss.detach()) for loss in part) for part in (losses[:30], losses[-30:])
    )
    assert last < 0.8 * first


def test_rates_are_of_networks_and_shares_of_their_products():
    calls = []
    rates = alternate(
        {"one": Loop(lambda: calls.append(1)), "four": Loop(lambda: None, units=4, flops=40.0)},
        seconds=0.0,
        slice_s=0.01,
    )
    assert calls
    assert [len(r.per_second) for r in rates.values()] == [1, 1]
    assert rates["four"].flops == 10.0
    fast, slow = Rate([200.0, 300.0, 400.0], 5.0), Rate([100.0, 100.0, 100.0], 20.0)
    assert fast.over(slow) == (3.0, 2.0, 4.0)
    assert fast.share(slow) == (0.75, 0.5, 1.0)
    assert slow.median == 100.0


def test_bench_prints_ratios(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["synaptree", "bench", "--seconds", "1", "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said["loops"]) == set(standard())
    assert said["loops"]["products"]["gflops"] > 1
    assert said["loops"]["plain"]["over_plain"]["median"] == 1
    assert all(row["per_second"] > 0 for row in said["loops"].values())
    # Not a timed test: a factor of a hundred between these two is no matter of luck.
    assert said["loops"]["plain, broadcasting"]["over_plain"]["median"] < 0.5


def test_sections_of_the_results_are_kept_when_others_are_measured():
    kept = results.written(results.FILE.read_text("utf-8"))
    assert list(kept) == list(results.SECTIONS)
    if not torch.cuda.is_available():
        assert "not measured" in results.measured("gpu")
