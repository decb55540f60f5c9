"""Tables of the v**s patches beside the same sums taken place by place."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scene import WIDTH, N, Scene, V, close, flat
from synaptree import rules
from synaptree.network.synapse import updates
from synaptree.network.tables import Rows, every_patch, numbers
from synaptree.network.tree import TreeNet
from synaptree.training.evaluation import error_rate
from synaptree.training.replicas import Replicas
from synaptree.training.spec import make_spec

MASKS = ("true", "other_input", "batch_mean", "mean_jacobian", "kept:0.5", "nearest:1")
RULES = [
    *(rules.get(name) for name in rules.names() if name != "global_error_vector"),
    *(rules.get("masking", masks=masks) for masks in MASKS),
    rules.get("masking", masks="none", own_gate=False),
    rules.get("symmetric_direct", feedback="mean_jacobian"),
]


def scene(rule, parametrisation="standard", s=2, L=3, **options):
    """Enough inputs for tables."""
    views = ("same_class",) if rule.needs_views else ()
    objects = 128 if s == 3 else 32
    made = Scene(rule, s, L, parametrisation, views=views, objects=objects, **options)
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
    for signal, expected in zip(signals, collected, strict=True):
        assert torch.allclose(rows.collected(signal), expected, atol=1e-12)


@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
@pytest.mark.parametrize(("s", "L"), [(2, 3), (3, 2), (2, 2), (2, 4)])
def test_the_forward_pass_is_the_same(s, L, parametrisation):
    made = scene(rules.get("backprop"), parametrisation, s, L)
    patches = torch.nn.functional.one_hot(made.x, V).double().reshape(made.activity.x[0].shape)
    dense = made.net.forward(patches)
    assert dense.tables is None
    for name in ("x", "h", "z"):
        for f, e in zip(getattr(made.activity, name), getattr(dense, name), strict=True):
            close(f, e)
    close(made.activity.logits, dense.logits)


def same_updates(made):
    found, own = made.updates()
    expected, own_expected = made.updates(activity=made.activity.place_by_place())
    for f, e in zip(found, expected, strict=True):
        assert (f is None) == (e is None)
        if f is not None and e is not None:
            close(f, e)
    own, own_expected = flat(own), flat(own_expected)
    assert set(own) == set(own_expected)
    for key, e in own_expected.items():
        close(own[key], e)


@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_every_rule_makes_the_same_update(rule, parametrisation):
    same_updates(scene(rule, parametrisation))


@pytest.mark.parametrize("name", ["backprop", "feedback_alignment", "dfa", "clapp"])
@pytest.mark.parametrize(("s", "L"), [(2, 2), (3, 2), (2, 4)])
def test_updates_are_the_same_in_other_trees(s, L, name):
    same_updates(scene(rules.get(name), s=s, L=L))


def test_as_many_places_as_kinds_are_not_taken_for_a_table(monkeypatch):
    monkeypatch.setattr("scene.V", 2)
    made = scene(rules.get("dfa"))
    z = made.activity.tables.z
    assert made.activity.z[0].shape[2:] == z.shape[2:]
    same_updates(made)


def test_a_signal_may_be_summed_over_the_places_of_each_distinct_activity():
    made = scene(rules.get("backprop"))
    distinct = made.activity.distinct(1)
    assert made.activity.distinct(2) is None
    assert made.activity.place_by_place().distinct(1) is None
    T = torch.randn_like(made.activity.z[0])
    summed = torch.zeros_like(distinct.rows)
    for r, of_replica in enumerate(distinct.numbers.tolist()):
        for b, of_input in enumerate(of_replica):
            for n, k in enumerate(of_input):
                assert torch.equal(distinct.rows[r, k], made.activity.z[0][r, b, n])
                assert torch.equal(distinct.x[r, k], made.activity.x[0][r, b, n])
                summed[r, k] += T[r, b, n]
    found, expected = (
        updates(made.net, made.activity, [signal, None, None], made.error) for signal in (summed, T)
    )
    for f, e in zip(found, expected, strict=True):
        assert (f is None) == (e is None)
        if f is not None:
            close(f, e)


def test_a_signal_alike_at_all_places_is_spread():
    made = scene(rules.get("backprop"))
    T = [torch.randn_like(z[:, :, :1]) for z in made.activity.z]
    found, expected = (
        updates(made.net, activity, T, made.error)
        for activity in (made.activity, made.activity.place_by_place())
    )
    for f, e in zip(found, expected, strict=True):
        close(f, e)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_true_masks_remain_backprop_bit_for_bit(dtype):
    backprop, corner = (
        scene(rules.get(name, **options), dtype=dtype).updates()[0]
        for name, options in (("backprop", {}), ("masking", {"masks": "true"}))
    )
    for f, e in zip(corner, backprop, strict=True):
        assert torch.equal(f, e)


def test_a_changed_activity_has_no_tables():
    made = scene(rules.get("backprop"))
    a = made.activity
    for changed in (
        {"z": [a.z[0].clone(), *a.z[1:]]},
        {"h": [2 * h for h in a.h]},
        {"x": a.x[-1:], "h": a.h[-1:], "z": a.z[-1:]},
        {"logits": 2 * a.logits},
        {},
    ):
        new = a.replaced(**changed)
        assert new.tables is None
        for name in ("x", "h", "z", "logits"):
            assert getattr(new, name) is changed.get(name, getattr(a, name))
    moved = a.replaced(x=[2 * x for x in a.x])
    for f, e in zip(made.updates(activity=moved)[0][:3], made.updates()[0][:3], strict=True):
        close(f, 2 * e)


def test_a_signal_is_gated_by_places_or_by_rows():
    made = scene(rules.get("backprop"))
    a = made.activity
    assert a.beside(1, a.z[0]) is a.z[0]
    assert a.beside(1, torch.ones_like(a.tables.z)) is a.tables.z
    assert a.beside(2, a.z[1]) is a.z[1]


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


def trained(spec, steps=30):
    """Three replicas, of which one is dropped on the way; and test errors in uneven chunks."""
    program = Replicas(spec.replicate(3))
    for _ in range(steps):
        program.step()
    program.select([0, 2])
    for _ in range(steps):
        program.step()
    errors = error_rate(program.net, program.data.test_x, program.data.test_y, chunk=70)
    return program, errors


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("backprop", {}),
        ("backprop", {"v": 17, "n": 3, "m": 4, "batch": 300, "P": 600}),  # 289 kinds
        ("clapp", {"views": "sibling,same_class"}),
        ("clapp", {"views": "half_mask:neurons"}),
        ("end_to_end_ssl", {"views": "half_mask:neurons"}),
    ],
)
def test_a_run_with_tables_ends_where_one_without_does(rule, changed, monkeypatch):
    given = {"v": 4, "n": 4, "m": 3, "L": 3, "P": 256, "width": 8, "batch": 64, "tests": 100}
    spec = make_spec(rule=rule, precision="float64", steps=60, **given | changed)
    program, errors = trained(spec)
    assert program.reads_numbers
    monkeypatch.setattr(TreeNet, "repeats", lambda *_: False)
    dense, expected = trained(spec)
    assert not dense.reads_numbers
    for f, e in zip(program.net.parameters(), dense.net.parameters(), strict=True):
        assert torch.allclose(f, e, rtol=1e-9, atol=1e-9)
    assert torch.equal(errors, expected)
