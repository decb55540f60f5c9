"""Tables of the v**s patches beside the same sums taken place by place."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_battery import LAYERWISE, WIDTH, N, Scene, V, close

from synaptree import rules
from synaptree.network import TreeNet
from synaptree.patches import Rows, every_patch, numbers
from synaptree.program import Program
from synaptree.spec import make_spec

MASKS = ("true", "none", "other_input", "batch_mean", "mean_jacobian", "kept:0.5", "nearest:1")
RULES = [
    *(rules.get(name) for name in rules.names() if name != "global_error_vector"),
    *(rules.get("masking", masks=masks) for masks in MASKS),
    rules.get("masking", masks="none", own_gate=False),
    rules.get("symmetric_direct", feedback="mean_jacobian"),
]


def scene(rule, parametrisation="standard", s=2, L=3):
    """Enough inputs for tables."""
    views = ("same_class",) if rule.name in LAYERWISE or rule.needs_views else ()
    made = Scene(rule, s, L, parametrisation, views=views, objects=128 if s == 3 else 32)
    assert made.activity.tables is not None
    return made


@given(st.integers(2, 6), st.integers(1, 4), st.data())
def test_a_number_is_a_patch(v, s, data):
    d = s * data.draw(st.integers(1, 3))
    tokens = torch.tensor(data.draw(st.lists(st.integers(0, v - 1), min_size=d, max_size=d)))
    found = numbers(tokens.to(torch.uint8), v, s)
    assert every_patch(v, s).shape == (v**s, s)
    assert every_patch(v, s)[found.long()].flatten().tolist() == tokens.tolist()


@settings(max_examples=30)
@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 3), st.integers(1, 3), st.data())
def test_rows_are_looked_up_and_summed_as_a_slow_loop_does_it(R, B, s, N2, data):
    v, C = 3, 2
    g = torch.Generator().manual_seed(data.draw(st.integers(0, 99)))
    of = torch.randint(v**s, (R, B, N2 * s), generator=g)
    table = torch.randn(R, s, v**s, C, generator=g, dtype=torch.float64)
    signals = [torch.randn(R, B, n, C, generator=g, dtype=torch.float64) for n in (N2 * s, N2)]
    rows = Rows(of, v, s)
    spread, summed = torch.zeros_like(signals[0]), torch.zeros_like(signals[1])
    collected = [torch.zeros_like(table), torch.zeros_like(table)]
    for r in range(R):
        for b in range(B):
            for p in range(N2 * s):
                row = (r, p % s, of[r, b, p])
                spread[r, b, p] = table[row]
                summed[r, b, p // s] += table[row]
                collected[0][row] += signals[0][r, b, p]
                collected[1][row] += signals[1][r, b, p // s]
    assert torch.equal(rows.spread(table), spread)
    assert torch.allclose(rows.summed(table), summed, atol=1e-12)
    if s > 1:  # layers 1 and 2 are told apart by how many places they have
        for signal, expected in zip(signals, collected, strict=True):
            assert torch.allclose(rows.collected(signal), expected, atol=1e-12)


@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
@pytest.mark.parametrize(("s", "L"), [(2, 3), (3, 2), (2, 2), (2, 4)])
def test_the_forward_pass_is_the_same(s, L, parametrisation):
    made = scene(rules.get("backprop"), parametrisation, s, L)
    dense = made.net.forward(made.activity.x[0])
    assert dense.tables is None
    for name in ("x", "h", "z"):
        for f, e in zip(getattr(made.activity, name), getattr(dense, name), strict=True):
            close(f, e)
    close(made.activity.logits, dense.logits)


@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_every_rule_makes_the_same_update(rule, parametrisation):
    made = scene(rule, parametrisation)
    found, own = made.updates()
    expected, own_expected = made.updates(activity=replace(made.activity, tables=None))
    for f, e in zip(found, expected, strict=True):
        assert (f is None) == (e is None)
        if f is not None and e is not None:
            close(f, e)
    for name, e in own_expected.items():
        close(own[name], e)


def test_true_masks_remain_backprop_bit_for_bit():
    backprop, corner = (
        scene(rules.get(name, **options)).updates()[0]
        for name, options in (("backprop", {}), ("masking", {"masks": "true"}))
    )
    for f, e in zip(corner, backprop, strict=True):
        assert torch.equal(f, e)


def test_what_is_changed_is_looked_up_no_more():
    made = scene(rules.get("backprop"))
    a = made.activity
    assert replace(a, z=list(a.z), x=list(a.x), logits=2 * a.logits).tables is a.tables
    assert replace(a, h=[2 * h for h in a.h], z=[*a.z[:1], 2 * a.z[1], a.z[2]]).tables is a.tables
    for changed in (
        {"z": [a.z[0].clone(), *a.z[1:]]},
        {"x": [a.x[0].clone(), *a.x[1:]]},
        {"x": [a.x[0], a.x[1].clone(), a.x[2]]},
        {"x": a.x[-1:], "h": a.h[-1:], "z": a.z[-1:]},
    ):
        assert replace(a, **changed).tables is None
    moved = replace(a, x=[2 * x for x in a.x])
    for f, e in zip(made.updates(activity=moved)[0][:3], made.updates()[0][:3], strict=True):
        close(f, 2 * e)


def test_the_textbook_form_keeps_every_place():
    made = scene(rules.get("feedback_alignment"))
    terms = made.rule.factors(made.net, made.state, made.batch(), made.generators)
    assert [t.dendrite.shape for (t,) in terms] == [z.shape for z in made.activity.z]


def test_where_patches_are_rare_or_weights_differ_there_are_no_tables():
    def net(s=2, L=3, **options):
        return TreeNet(V, N, s, L, WIDTH, [torch.Generator()], **options)

    least = 2 * 2 * V**2 // 4
    assert net().repeats(least)
    assert not net().repeats(least - 1)
    assert not net(L=1).repeats(10**6)
    assert not net(connectivity="local").repeats(10**6)
    vectors = rules.get("global_error_vector").network(
        *(V, N, 2, 3, WIDTH), generators=[torch.Generator()]
    )
    assert not vectors.repeats(10**6)


@pytest.mark.parametrize("rule", ["backprop", "clapp"])
def test_a_run_with_tables_ends_where_one_without_does(rule, monkeypatch):
    views = {"views": "sibling,same_class"} if rule == "clapp" else {}
    spec = make_spec(
        rule=rule, v=4, n=4, m=3, L=3, P=256, width=8, batch=64, precision="float64", steps=60,
        **views,
    )  # fmt: skip
    programs = [Program(spec.replicate(3))]
    with monkeypatch.context() as patched:
        patched.setattr(TreeNet, "tabular", False)
        programs.append(Program(spec.replicate(3)))
        for _ in range(30):
            programs[1].step()
        programs[1].select([0, 2])
        for _ in range(30):
            programs[1].step()
    assert programs[0].patches is not None
    assert programs[1].patches is None
    for _ in range(30):
        programs[0].step()
    programs[0].select([0, 2])
    for _ in range(30):
        programs[0].step()
    for f, e in zip(*(p.net.parameters() for p in programs), strict=True):
        assert torch.allclose(f, e, rtol=1e-9, atol=1e-9)
