"""The masking laboratory against loops over inputs, positions and layers, and its corners."""

from itertools import pairwise

import pytest
import torch

from scene import SHAPES, Scene, close, parents
from synaptree import SynaptreeError, make_spec, rules

MASKS = [
    "true", "none", "other_input", "batch_mean", "kept:0.4", "mixed:0.4", "fresh", "fresh:0.4",
    "frozen:0.4", "nearest:1", "only:3", "only:2", "except:2", "mean_jacobian",
]  # fmt: skip
WEIGHTS = ["transpose", "sign", "random", "interpolated:0.3"]


def masking(**options):
    return rules.get("masking", **options)


def slow_signals(scene) -> list[torch.Tensor]:
    """T_l of one input at a time, as the matrix of the chain from the output to each layer."""
    rule, net, z = scene.rule, scene.net, scene.activity.z
    R, B = scene.error.shape[:2]
    L, H = net.L, net.width
    streams = [torch.Generator().set_state(state) for state in scene.noise]
    numbers = [  # for layers 2..L, then replicas: (B, N_l, H), as they come from each stream
        [torch.rand(B, net.positions(k), H, generator=g) for g in streams] for k in range(2, L + 1)
    ]

    def F(r, l, position):  # (I, H): what stands for W_l at a position; l = L + 1 is the readout
        W = net.W_out if l == L + 1 else net.W[l - 1]
        gain = net.gain_out if l == L + 1 else net.gains[l - 1]
        std = net.std_out if l == L + 1 else net.stds[l - 1]
        own = W[r] if W.ndim == 3 else W[r, position]
        if rule.weights == "sign":
            return gain * std * own.sign()
        if rule.weights == "transpose":
            return gain * own
        drawn = scene.state.fixed["F"][l - 1]
        drawn = drawn[r] if drawn.ndim == 3 else drawn[r, position]
        if rule.weights == "random":
            return gain * drawn
        return gain * (0.3 * own + (1 - 0.3**2) ** 0.5 * drawn)

    def M(r, b, l, k, position):  # (H,): what stands for the gates of layer k on the way to layer l
        own = (z[k - 1][r, b, position] > 0).double()
        other = (z[k - 1][r, (b - 1) % B, position] > 0).double()
        mean = sum((z[k - 1][r, i, position] > 0).double() for i in range(B)) / B
        ones = torch.ones_like(own)
        if rule.masks in ("kept:0.4", "mixed:0.4", "frozen:0.4"):
            chosen = scene.state.fixed["chosen"][k - 1][r, 0, position]
            yes, no = {"kept": (own, ones), "mixed": (own, other)}.get(
                rule.masks.partition(":")[0], (ones, 0 * ones)
            )
            return torch.stack([yes[h] if chosen[h] else no[h] for h in range(H)])
        if rule.masks.startswith("fresh"):
            q = [0.4] * H if rule.masks == "fresh:0.4" else mean.tolist()
            u = numbers[k - 2][r][b, position].tolist()
            return torch.tensor([float(u[h] < q[h]) for h in range(H)], dtype=torch.float64)
        return {
            "none": ones, "other_input": other, "batch_mean": mean, "true": own,
            "nearest:1": own if k == l + 1 else ones, "only:3": own if k == 3 else ones,
            "only:2": own if k == 2 else ones, "except:2": ones if k == 2 else own,
            "mean_jacobian": own,
        }[rule.masks]  # fmt: skip

    def jacobian(r, b, l, layer, position):  # (n, H): from z of a layer up, on the way to layer l
        if layer == L:
            return F(r, L + 1, 0).T
        down = []
        for parent, place in parents(net, layer, position):
            above = jacobian(r, b, l, layer + 1, parent) * M(r, b, l, layer + 1, parent)
            own = slice(place * H, place * H + H)
            down.append(above @ F(r, layer + 1, parent)[own].T)
        return sum(down)

    found = []
    for l in range(1, L + 1):
        T = torch.zeros(R, B, net.positions(l), H, dtype=torch.float64)
        for r in range(R):
            for position in range(net.positions(l)):
                each = [jacobian(r, b, l, l, position) for b in range(B)]
                if rule.masks == "mean_jacobian":
                    each = [sum(each) / B] * B
                for b in range(B):
                    T[r, b, position] = each[b].T @ scene.error[r, b]
        found.append(T)
    return found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("masks", MASKS)
def test_every_combination_is_its_equation(shape, weights, masks):
    scene = Scene(masking(weights=weights, masks=masks), *shape)
    for found, expected in zip(scene.teach().signals, slow_signals(scene), strict=True):
        close(found, expected)


def signals(rule, L=4, objects=4):
    """The signals of a rule on one and the same network and batch."""
    scene = Scene(rules.get("backprop"), 2, L, objects=objects)
    g = [torch.Generator().manual_seed(40 + r) for r in range(2)]
    return rule.teach(scene.net, rule.init(scene.net, g), scene.batch(), g).signals


@pytest.mark.parametrize(
    ("options", "corner"),
    [
        ({"masks": "kept:1"}, {"masks": "true"}),
        ({"masks": "kept:0"}, {"masks": "none"}),
        ({"masks": "nearest:3"}, {"masks": "true"}),
        ({"masks": "mixed:1"}, {"masks": "true"}),
        ({"masks": "mixed:0"}, {"masks": "other_input"}),
        ({"masks": "fresh:1"}, {"masks": "none"}),
        ({"masks": "frozen:1"}, {"masks": "none"}),
        ({"masks": "only:2,3,4"}, {"masks": "true"}),
        ({"masks": "except:2,3,4"}, {"masks": "none"}),
        ({"masks": "only:2,3"}, {"masks": "except:4"}),
        ({"masks": "nearest:0"}, {"masks": "none"}),
        ({"weights": "interpolated:1"}, {"weights": "transpose"}),
        ({"weights": "interpolated:0"}, {"weights": "random"}),
    ],
)
def test_the_ends_of_each_dial_are_the_corners(options, corner):
    for a, b in zip(signals(masking(**options)), signals(masking(**corner)), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("masks", ["batch_mean", "mean_jacobian"])
def test_means_over_one_input_are_backprop(masks):
    expected = signals(masking(masks="true"), objects=1)  # which is backprop, as tested above
    for a, b in zip(signals(masking(masks=masks), objects=1), expected, strict=True):
        close(a, b)


def test_more_layers_of_masks_change_only_what_lies_below_them():
    by_k = [signals(masking(masks=f"nearest:{k}")) for k in range(4)]
    for l in range(1, 5):
        same = [torch.equal(a[l - 1], b[l - 1]) for a, b in pairwise(by_k)]
        assert same == [l + k > 4 for k in (1, 2, 3)]


@pytest.mark.parametrize("kind", ["kept", "mixed", "frozen"])
def test_a_fraction_q_of_the_units_is_chosen_in_each_replica_its_own(kind):
    scene = Scene(masking(masks=f"{kind}:0.3"), 2, 3)
    scene.net.width = 4000
    drawn = scene.rule.init(scene.net, scene.generators).fixed["chosen"][1]
    assert drawn.shape == (2, 1, 2, 4000)
    assert drawn.float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert not torch.equal(drawn[0], drawn[1])


def test_without_open_masks_no_signal_passes():
    for masks in ("fresh:0", "frozen:0"):
        *below, top = signals(masking(masks=masks))
        assert not any(T.any() for T in below)
        assert top.any()


def test_fresh_masks_are_drawn_anew_for_each_input_and_step_and_frozen_ones_never():
    def ratios(masks):  # of two inputs whose errors are the same, at two steps
        scene = Scene(masking(masks=masks), 2, 3)
        scene.error[:, 1] = scene.error[:, 0]
        batch = scene.batch()
        return [
            scene.rule.teach(scene.net, scene.state, batch, scene.generators).signals[0]
            for _ in range(2)
        ]

    first, second = ratios("fresh:0.5")
    assert not torch.equal(first[:, 0], first[:, 1])
    assert not torch.equal(first, second)
    first, second = ratios("frozen:0.5")
    assert torch.equal(first[:, 0], first[:, 1])
    assert torch.equal(first, second)


def test_fresh_masks_open_each_unit_as_often_as_it_is_active():
    """So the signal's mean over many draws is that of mean masks (for two layers exactly)."""
    scene = Scene(masking(masks="fresh"), 2, 2)
    batch = scene.batch()
    draws = [
        scene.rule.teach(scene.net, scene.state, batch, scene.generators).signals[0]
        for _ in range(4000)
    ]
    expected = masking(masks="batch_mean").teach(scene.net, scene.state, batch, None).signals[0]
    mean, error = torch.stack(draws).mean(0), torch.stack(draws).std(0) / len(draws) ** 0.5
    assert float(((mean - expected).abs() / error.clamp_min(1e-12)).max()) < 5


def test_a_layer_that_the_network_lacks_is_a_mistake():
    with pytest.raises(SynaptreeError, match="layer 4 given, but L is 3; expected layers from 2"):
        make_spec(rule=masking(masks="only:2,4"), v=8, n=8, m=4, L=3, P=256)
    assert make_spec(rule=masking(masks="except:3"), v=8, n=8, m=4, L=3, P=256).rule.masks


def test_the_cosine_of_interpolated_weights_with_the_forward_ones_is_alpha():
    net = Scene(masking(weights="interpolated:0.6"), 2, 3).net
    g = [torch.Generator().manual_seed(r) for r in range(2)]
    big = type(net)(8, 8, 2, 3, 200, g, dtype=torch.float64)
    rule = masking(weights="interpolated:0.6")
    F = rule.feedback(big, rule.init(big, g))
    for index, W in ((1, big.W[1]), (2, big.W[2])):
        cosine = torch.nn.functional.cosine_similarity(F[index].flatten(), W.flatten(), dim=0)
        assert float(cosine) == pytest.approx(0.6, abs=0.02)


def test_without_its_own_gate_the_synapse_is_the_plain_outer_product():
    scene = Scene(masking(masks="none", own_gate=False), 2, 3)
    updates, T = scene.updates()[0], scene.teach().signals
    for l in range(3):
        x = scene.activity.x[l]
        expected = scene.net.gains[l] * torch.einsum("rbni,rbnh->rih", x, T[l])
        close(updates[l], expected)


@pytest.mark.parametrize(
    "options",
    [
        {"masks": "kept"},
        {"masks": "kept:1.5"},
        {"masks": "kept:-0.1"},
        {"masks": "kept:nan"},
        {"masks": "kept:"},
        {"masks": "nearest:0.5"},
        {"masks": "none:1"},
        {"masks": "only:1"},
        {"masks": "only:2,"},
        {"masks": "except"},
        {"masks": "except:2.5"},
        {"masks": "mixed"},
        {"masks": "fresh:2"},
        {"masks": ["true"]},
        {"masks": 1},
        {"weights": "interpolated"},
        {"weights": "interpolated:2"},
        {"weights": "transposed"},
        {"weights": True},
    ],
)
def test_a_dial_that_does_not_exist_is_a_mistake(options):
    with pytest.raises(
        SynaptreeError, match=r"rule masking: .*expected one of .*with α and q"
    ) as e:
        masking(**options)
    assert len(str(e.value).splitlines()) == 1


def test_a_dial_written_otherwise_is_the_same_rule():
    assert masking(masks="kept:.50") == masking(masks="kept:0.5")
    assert masking(masks="nearest:02") == masking(masks="nearest:2")
    assert masking(masks=True) == masking(masks="true")
    assert masking(masks="Only: 3, 2,3") == masking(masks="only:2,3")
    assert masking(masks="frozen") == masking(masks="frozen:0.50")
    assert masking(masks="fresh") != masking(masks="fresh:0.5")


def test_labels_tell_all_combinations_apart():
    made = [masking(weights=w, masks=m, own_gate=g) for w in WEIGHTS for m in MASKS for g in (0, 1)]
    made += [masking(masks="kept:0.1"), masking(masks="nearest:2")]
    made += [masking(weights="interpolated:0.1")]
    assert len({rule.label for rule in made}) == len(made)
