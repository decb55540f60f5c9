"""Signal and noise against exact sums over all strings of small grammars, and closed forms."""

from dataclasses import astuple

import numpy as np
import pytest
import torch

from synaptree import SynaptreeError, make_spec, rules
from synaptree.grammar.exact import class_patch
from synaptree.measures.directions import FEATURES, SYNONYMS
from synaptree.rules import State
from synaptree.training.company import Company, FreshStrings
from synaptree.training.replicas import Replicas
from synaptree.training.signal import (
    BLOCKS,
    directions_of,
    ladder,
    measure,
    signal_to_noise,
)

TINY = {"v": 4, "n": 3, "m": 2, "s": 2, "P": 16, "batch": 8, "width": 6, "precision": "float64"}
# 24 and 384 strings, all of which are listed.
KINDS = [{"L": 2}, {"L": 3}, {"L": 3, "parametrisation": "mean_field"},
         {"L": 2, "connectivity": "local"}]  # fmt: skip


def spec_of(rule="backprop", **settings):
    return make_spec(rule=rule, **TINY | {"L": 2} | settings)


def scene(asked, **settings):
    """A network at the start, its two replicas' grammars, every string, and what is measured.

    Each block holds every string once, so that all estimates are the exact sums.
    """
    spec = spec_of(**settings)
    specs = spec.replicate(2)
    company = Company(specs, [asked], "cpu")
    net = company.net
    for b in net.b:
        b.normal_(generator=torch.Generator().manual_seed(5))
    every = [each.grammar.sample(each.grammar.size, seed=0) for each in specs]
    directions = directions_of(net, specs, [every])
    blocks = ((block, every) for block in range(BLOCKS))
    measured = measure(specs, net, company.members(), blocks, directions)[asked.label]
    return specs, net, company.states[asked.label], every, measured, directions


def gradients(net, strings, r, masked=True):
    """The gradient of each string's loss in W_1 … W_L by autograd, (P, ·) each.

    masked: whether the gates of the layers above let it through; the own gate always does, by a
    surrogate whose derivative is 1 in all layers above the one that is asked for.
    """
    found = [[] for _ in range(net.L)]
    for x, y in zip(strings.x, strings.y, strict=True):
        for asked in range(net.L):
            W = [w[r].clone().requires_grad_() for w in net.W]
            z = torch.eye(net.v, dtype=net.dtype)[torch.from_numpy(x.astype(np.int64))]
            for l in range(net.L):
                patches = z.reshape(net.positions(l + 1), -1)
                if W[l].ndim == 2:
                    h = net.gains[l] * patches @ W[l]
                else:
                    h = net.gains[l] * torch.einsum("ni,nio->no", patches, W[l])
                h = h + net.b[l][r] if net.b else h
                opened = h + (h.relu() - h).detach()
                z = h.relu() if masked or l <= asked else opened
            o = net.gain_out * z[0] @ net.W_out[r]
            o = o if net.b_out is None else o + net.b_out[r, 0]
            (o.logsumexp(0) - o[int(y)]).backward()
            found[asked].append(W[asked].grad)
    return [torch.stack(each) for each in found]


def check(measured, g, r, directions):
    """Signal, noise and shares are those of the gradients of all strings."""
    for l, signal in enumerate(measured):
        mean, each = g[l].mean(0), g[l]
        noise = (each - mean).square().flatten(1).sum(1).mean()
        assert float(signal.signal.value[r]) == pytest.approx(float(mean.square().sum()), rel=1e-9)
        assert float(signal.noise.value[r]) == pytest.approx(float(noise), rel=1e-9)
        for name in (FEATURES, SYNONYMS):
            F = directions[l][name][r]
            part = F.mT @ (each - mean)
            expected = (F.mT @ mean).square().sum() / mean.square().sum()
            of_noise = part.square().flatten(1).sum(1).mean() / noise
            assert float(signal.share_of_signal[name].value[r]) == pytest.approx(float(expected))
            assert float(signal.share_of_noise[name].value[r]) == pytest.approx(float(of_noise))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("masks", ["true", "none"])
def test_over_all_strings_it_is_the_sum_of_gradients(kind, masks):
    asked = rules.get("masking", masks=masks)
    _, net, _, every, measured, directions = scene(asked, **kind)
    for r in range(2):
        g = gradients(net, every[r], r, masked=masks == "true")
        check(measured, g, r, directions)
        exact = g if masks == "true" else gradients(net, every[r], r)
        for l, signal in enumerate(measured):
            a, b = g[l].mean(0).flatten(), exact[l].mean(0).flatten()
            cosine = float(a @ b / (a.norm() * b.norm()))
            assert float(signal.cosine.value[r]) == pytest.approx(cosine, rel=1e-9)


def closed_form(net, B, grammar, r, guess):
    """E g of layer 1 under direct feedback B, from p(class, patch) of each node (docs/signal.md):

    E g_1 = Σ_node Σ_{c,k} p_node(c, k) x_k ⊗ (φ'(h_k) ⊙ B_node (guess − onehot_c))
    """
    total = torch.zeros_like(net.W[0][r])
    for node in range(net.positions(1)):
        joint = class_patch(grammar, 1, node)
        for code in range(grammar.v**grammar.s):
            tokens = [code // grammar.v**i % grammar.v for i in reversed(range(grammar.s))]
            x = torch.eye(grammar.v, dtype=net.dtype)[tokens].flatten()
            h = net.gains[0] * x @ net.W[0][r] + (net.b[0][r, 0] if net.b else 0)
            for c in range(grammar.n):
                e = guess - torch.eye(grammar.n, dtype=net.dtype)[c]
                delta = (h > 0) * (e @ B[node])
                total += joint[c, code] * net.gains[0] * torch.outer(x, delta)
    return total


def path(net, r, node, masks, chain=None):
    """The matrix from the error to a node of layer 1, (n, H), with masks (N_l, H) for l = 2..L.

    chain: feedback weights for layers 2..L and the readout in place of the forward ones.
    """
    *W, out = chain or [*(w[r] for w in net.W[1:]), net.W_out[r]]
    J = net.gain_out * out.T
    for l in range(net.L, 1, -1):
        position, child = node // net.s ** (l - 1), node // net.s ** (l - 2) % net.s
        rows = W[l - 2][child * net.width : (child + 1) * net.width]
        J = (J * masks[l - 2][position]) @ (net.gains[l - 1] * rows.T)
    return J


def paths(net, state, r, name, every):
    """What stands for B in each of the rules whose masks do not depend on the string: (node, n, H).

    For the mean Jacobian, the mean over all strings.
    """
    if name in ("dfa", "drtp"):
        return state.layers("B")[0][r]
    nodes = range(net.positions(1))
    if name == "mean_jacobian":
        z = net.read(torch.from_numpy(every.x.astype(np.int64)).expand(2, -1, -1)).z
        gates = [(of_layer[r] > 0).to(net.dtype) for of_layer in z[1:]]
        each = [
            [path(net, r, k, [g[i] for g in gates]) for i in range(len(every.y))] for k in nodes
        ]
        return [torch.stack(of_node).mean(0) for of_node in each]
    masks = [torch.ones(net.positions(l), net.width, dtype=net.dtype) for l in range(2, net.L + 1)]
    if name == "frozen":
        masks = [chosen[r, 0].to(net.dtype) for chosen in state.fixed["chosen"][1:]]
    chain = [F[r] for F in state.fixed["F"][1:]] if name == "random" else None
    return [path(net, r, k, masks, chain) for k in nodes]


MASKING = {
    "none": {"masks": "none"},
    "random": {"masks": "none", "weights": "random"},
    "frozen": {"masks": "frozen"},
    "mean_jacobian": {"masks": "mean_jacobian"},
}


@pytest.mark.parametrize("kind", KINDS[:3])
@pytest.mark.parametrize("name", ["dfa", "drtp", *MASKING])
def test_layer_1_has_a_closed_form_where_masks_do_not_depend_on_the_string(kind, name):
    """Where every class is guessed alike, as with a readout near zero; DRTP anywhere."""
    asked = rules.get("masking", **MASKING[name]) if name in MASKING else rules.get(name)
    specs, net, state, every, *_ = scene(asked, **kind)
    net.W_out.mul_(1e-8)
    directions = directions_of(net, specs, [every])
    blocks = ((block, every) for block in range(BLOCKS))
    measured = measure(specs, net, {"it": (asked, state)}, blocks, directions)["it"][0]
    for r in range(2):
        guess = 0 if name == "drtp" else 1 / 3
        B = paths(net, state, r, name, every[r])
        mean = closed_form(net, B, specs[r].grammar, r, guess)
        assert float(measured.signal.value[r]) == pytest.approx(float(mean.square().sum()))
        for key, share in measured.share_of_signal.items():
            part = directions[0][key][r].mT @ mean
            expected = float(part.square().sum() / mean.square().sum())
            assert float(share.value[r]) == pytest.approx(expected)


def test_the_closed_form_is_near_at_the_start_of_a_mean_field_network():
    """Its logits are of order width**-0.5."""
    asked = rules.get("dfa")
    specs, net, state, _, measured, _ = scene(asked, L=3, parametrisation="mean_field", width=400)
    for r in range(2):
        mean = closed_form(net, state.layers("B")[0][r], specs[r].grammar, r, 1 / 3)
        exact = float(measured[0].signal.value[r])
        assert exact == pytest.approx(float(mean.square().sum()), rel=0.05)


def test_random_masks_scale_the_mean_update_and_those_of_other_inputs_have_the_mean_jacobians():
    """In any network, and in every layer: these masks do not depend on the string they gate."""
    spec = spec_of(L=3, width=16, parametrisation="mean_field", v=3, m=3)
    names = ("none", "fresh:0.5", "mean_jacobian", "other_input")
    asked = [rules.get("masking", masks=name) for name in names]
    rows = signal_to_noise(spec, asked, strings=2**15)
    by_rule = [[row for row in rows if row.rule == rule.label] for rule in asked]
    none, fresh, jacobian, other = by_rule

    def same(row, expected, scale=1.0):
        apart = 5 * np.hypot(row.signal_se, scale * expected.signal_se)
        return abs(row.signal - scale * expected.signal) < apart

    for l, rows_of in enumerate(zip(none, fresh, jacobian, other, strict=True), start=1):
        open_, random, mean, others = rows_of
        assert same(random, open_, 0.5 ** (2 * (3 - l)))
        assert same(others, mean)
        assert open_.signal_se < 0.1 * open_.signal
        if l < 3:
            apart = 5 * np.hypot(random.cosine_se, open_.cosine_se)
            assert abs(random.cosine - open_.cosine) < apart
            assert not same(random, open_)
            assert random.ratio < open_.ratio
            assert others.ratio < mean.ratio


def test_fresh_strings_estimate_what_all_strings_say():
    settings = {"L": 3, "parametrisation": "mean_field"}
    names = ("backprop", "dfa", "feedback_alignment")
    rows = signal_to_noise(
        spec_of(**settings), [rules.get(name) for name in names], replicas=2, strings=2**14
    )
    for name in names:
        *_, measured, _ = scene(rules.get(name), **settings)
        for row in (row for row in rows if row.rule == name):
            exact = measured[row.layer - 1]
            assert abs(row.signal - float(exact.signal.value[row.seed])) < 5 * row.signal_se
            assert abs(row.ratio - float(exact.ratio.value[row.seed])) < 5 * row.ratio_se
            assert row.noise == pytest.approx(float(exact.noise.value[row.seed]), rel=0.1)
            assert abs(row.features - float(exact.share_of_signal[FEATURES].value[row.seed])) < (
                5 * row.features_se + 1e-9
            )
            assert row.signal_se < 0.5 * row.signal


def test_a_mask_less_signal_has_more_of_it_than_one_with_masks_of_another_input():
    """Another input's masks keep the mean of the gates, and add noise of their own."""
    spec = spec_of(L=3, width=32, parametrisation="mean_field")
    asked = [rules.get("masking", masks=masks) for masks in ("batch_mean", "other_input")]
    rows = signal_to_noise(spec, asked, strings=2**14)
    mean, other = ([row.ratio for row in rows if row.rule == rule.label] for rule in asked)
    assert mean[0] > 1.1 * other[0]
    assert mean[-1] == other[-1]  # no mask stands above the top


# Training beside ----------------------------------------------------------------------------------


def test_the_network_is_that_of_the_run_and_feedback_learns_as_in_its_own():
    """Rules beside a leader change nothing of it; beside itself a rule learns what it learns."""
    spec = spec_of("forward_dfa", L=3)
    specs = spec.replicate(2)
    company = Company(specs, [spec.rule, rules.get("least_squares_feedback")], "cpu")
    alone = Replicas(specs)
    company.train_to(7)
    for _ in range(7):
        alone.step()
    for mine, its in zip(company.net.parameters(), alone.net.parameters(), strict=True):
        assert torch.equal(mine, its)
    beside = company.states["forward_dfa"].layers("B")
    for mine, its in zip(beside, alone.state.layers("B"), strict=True):
        assert torch.equal(mine, its)
        assert mine.any()


def test_feedback_that_learns_beside_backprop_finds_the_mean_jacobian():
    spec = spec_of(L=3, P=256, lr=0.01)
    company = Company([spec], [rules.get("forward_dfa")], "cpu")
    company.train_to(1500)
    strings = next(FreshStrings([spec], "cpu").batches(384))
    rows = {"mean Jacobian": (rules.get("masking", masks="mean_jacobian"), State())}
    rows |= company.members()
    directions = directions_of(company.net, [spec], [strings])
    measured = measure([spec], company.net, rows, ((k, strings) for k in range(BLOCKS)), directions)
    for jacobian, learned in zip(*measured.values(), strict=True):
        assert float(jacobian.cosine.value) == pytest.approx(float(learned.cosine.value), abs=0.25)


def test_no_two_batches_of_fresh_strings_are_alike_nor_are_they_those_of_training():
    spec = spec_of(L=3, P=64)
    fresh = FreshStrings(spec.replicate(2), "cpu")
    drawn = [batch[0].x for _ in range(2) for _, batch in fresh.blocks(3, 40)]
    drawn += [spec.grammar.sample(40, seed=spec.data_seed, replace=True).x]
    assert len({batch.tobytes() for batch in drawn}) == 7


def test_measuring_moves_nothing():
    company = Company([spec_of()], [rules.get("least_squares_feedback")], "cpu")
    company.train_to(3)
    (rule, state) = company.members()["least_squares_feedback"]
    before = [t.clone() for t in state.layers("signal")]
    strings = next(FreshStrings(company.specs, "cpu").batches(64))
    directions = directions_of(company.net, company.specs, [strings])
    blocks = ((k, strings) for k in range(BLOCKS))
    measure(company.specs, company.net, {"it": (rule, state)}, blocks, directions)
    assert all(map(torch.equal, before, state.layers("signal")))


# What is asked for --------------------------------------------------------------------------------


def test_each_rule_step_network_and_layer_has_a_row():
    asked = [*ladder(), rules.get("readout_only")]
    rows = signal_to_noise(spec_of(), asked, replicas=2, steps=(4, 0), strings=64)
    keys = [(row.step, row.rule, row.layer, row.seed) for row in rows]
    assert keys == [
        (step, rule.label, layer, seed)
        for step in (0, 4)
        for rule in asked
        for layer in (1, 2)
        for seed in (0, 1)
    ]
    for row in rows:
        nothing = row.rule == "readout_only" or (row.rule == "forward_dfa" and row.step == 0)
        assert np.isnan(row.ratio) == nothing, row
        if row.rule == "readout_only":
            assert np.isnan(astuple(row)[4:]).all()
    again = signal_to_noise(spec_of(), asked, replicas=2, steps=(0,), strings=64)
    first = [row for row in rows if not row.step]
    assert list(map(repr, again)) == list(map(repr, first))  # in which a NaN is a NaN


@pytest.mark.parametrize(
    ("asked", "more", "expected"),
    [
        ("clapp", {}, "compares two views"),
        ("oja", {}, "its update is more than"),
        ("global_error_vector", {}, "it has a network of its own"),
        ("kolen_pollack", {}, "weight_decay: 0 given"),
        ("dfa", {"strings": 3}, "strings: 3"),
        ("dfa", {"steps": (-1,)}, "steps: -1"),
        ("dfa", {"device": "tpu"}, "device: 'tpu'"),
        ("dfa", {}, "connectivity=full given"),
        ("dfa", {"replicas": 10**8}, "memory: about"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(asked, more, expected):
    spec = spec_of(connectivity="full") if "connectivity" in expected else spec_of()
    with pytest.raises(SynaptreeError, match=expected) as fault:
        signal_to_noise(spec, [rules.get(asked)], **{"strings": 64} | more)
    assert len(str(fault.value).splitlines()) == 1
