"""Views against their definitions; the slow contexts of the rules' battery are another oracle."""

import pytest
import torch

from synaptree import SynaptreeError, make_spec, train
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.views import registry
from synaptree.views.base import View
from synaptree.views.budget import signal_budget
from synaptree.views.registry import parse_view, per_layer


def activity(B, N, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(2, B, N, 3, generator=g, dtype=torch.float64)


@pytest.mark.parametrize("s", [2, 3])
def test_a_sibling_is_the_next_patch_under_the_same_parent(s):
    z = activity(4, s * s)
    c = parse_view("sibling").context(z, s, 1)
    for p in range(s * s):
        parent = p // s
        assert torch.equal(c[:, :, p], z[:, :, parent * s + (p % s + 1) % s])


def test_same_class_is_the_other_input_of_the_object_to_the_bit():
    z = activity(6, 4)
    c = parse_view("same_class").context(z, 2, 2)
    assert torch.equal(c, z[:, [1, 0, 3, 2, 5, 4]])


@pytest.mark.parametrize(("K", "members"), [(1, 2), (2, 3), (3, 4), (1, 4), (2, 4), (7, 8)])
def test_a_trace_is_the_mean_over_other_inputs_of_the_object(K, members):
    z = activity(2 * members, 4)
    c = parse_view(f"trace:{K}").context(z, 2, members)
    for b in range(2 * members):
        first = b - b % members
        others = [first + (b - first + k) % members for k in range(1, K + 1)]
        assert b not in others
        assert torch.allclose(c[:, b], z[:, others].mean(1), atol=1e-14)


def test_a_trace_of_an_object_of_its_own_size_is_its_mean_without_oneself():
    z = activity(12, 2)
    total = z.view(2, 3, 4, 2, 3).sum(2, keepdim=True).expand(2, 3, 4, 2, 3).reshape(z.shape)
    assert torch.allclose(parse_view("trace:3").context(z, 2, 4), (total - z) / 3, atol=1e-14)


def test_a_sibling_does_not_care_how_large_an_object_is():
    z = activity(8, 4)
    sibling = parse_view("sibling")
    assert torch.equal(sibling.context(z, 2, 4), sibling.context(z, 2, 1))


@pytest.mark.parametrize("name", ["sibling", "same_class", "trace:2", "trace:3"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_view_leaves_the_activity_alone(name, dtype):
    z = activity(8, 4).to(dtype)
    before = z.clone()
    c = parse_view(name).context(z, 2, 4)
    assert torch.equal(z, before)
    assert (c.shape, c.dtype) == (z.shape, dtype)


@pytest.mark.parametrize(("name", "K"), [("sibling", 1), ("same_class", 2), ("trace:5", 6)])
def test_members_that_a_view_needs(name, K):
    assert parse_view(name).members == K


def test_views_are_completed_for_each_layer():
    assert per_layer(("same_class",), 3) == ("same_class",) * 3
    assert per_layer(("sibling", "trace:4"), 4) == ("sibling",) * 3 + ("trace:4",)
    assert per_layer(("sibling", "same_class"), 2) == ("sibling", "same_class")
    mixed = ("trace:2", "sibling", "same_class")
    assert per_layer(mixed, 3) == mixed


@pytest.mark.parametrize(
    ("names", "L", "says"),
    [
        (("sibling",), 3, "as in sibling,same_class"),
        (("sibling",), 1, "as in same_class"),
        (("same_class", "sibling"), 3, "no sibling"),
        (("sibling",) * 3, 2, "3 given for 2 layers"),
        ((), 3, "0 given for 3 layers"),
        (("trace:x",), 3, "whole number"),
        (("cinema",), 3, "is unknown"),
        (("movie:1.5",), 3, "as movie:0.1"),
        (("movie:x",), 3, "as movie:0.1"),
        (("same_latent:0",), 3, "as same_latent:1"),
        (("same_latent:4",), 3, "at most 3"),
        (("movie:0.1", "trace:3"), 2, "movie:0.1 and class given"),
        (("movie:0.1", "movie:0.2"), 2, "one kind of object"),
        (("half_mask",), 3, "no other half"),
        (("trace:0",), 3, "K = 0"),
        (("trace:-1",), 3, "whole number"),
        (("trace:1.5",), 3, "whole number"),
        (("trace:01",), 3, "whole number"),
        (("trace:٣",), 3, "whole number"),
        (("trace: 2",), 3, "whole number"),
        (("Sibling",), 3, "did you mean 'sibling'"),
        (("same_class",) * 2, 1, "2 given for 1 layers"),
    ],
)
def test_mistakes(names, L, says):
    with pytest.raises(SynaptreeError, match=says):
        per_layer(names, L)


def test_half_a_layer_further_on():
    z = activity(3, 4)
    assert torch.equal(parse_view("half_mask").context(z, 2, 1), z[:, :, [2, 3, 0, 1]])


@pytest.mark.parametrize("name", ["half_mask:neurons", "half_mask:redrawn"])
def test_one_half_of_the_units_is_compared_with_the_other_in_turns(name):
    view = parse_view(name)
    z = torch.rand(2, 3, 4, 10, dtype=torch.float64) + 1
    halves = []
    for step in range(6):
        anchors = view.anchors(z, step)
        context = view.context(z, 2, 1, step)
        assert anchors.sum() == 5
        assert torch.equal(context, z * (1 - anchors))
        assert not (z * anchors * context).any()  # no unit is its own context
        halves.append(anchors)
    for even, odd in zip(halves[::2], halves[1::2], strict=True):
        assert torch.equal(even + odd, torch.ones(10))
    fixed = torch.equal(halves[0], halves[2]) and torch.equal(halves[0], halves[4])
    assert fixed == (name == "half_mask:neurons")


def test_clips_are_compared_frame_with_frame():
    z = activity(6, 4)
    for name in ("movie:0.5", "same_latent:2"):
        view = parse_view(name)
        assert view.members == 2
        assert torch.equal(view.context(z, 2, 2), z[:, [1, 0, 3, 2, 5, 4]])
    assert parse_view("movie:.10") == parse_view("movie:0.1")
    assert per_layer(("sibling", "movie:0.1"), 3) == ("sibling", "sibling", "movie:0.1")


class Mirror(View):
    """The position opposite to each."""

    names = ("mirror",)
    missing_at_top = "opposite"

    @classmethod
    def parse(cls, name):
        return cls() if name == "mirror" else None

    def context(self, z, s, members, step=0):
        return z.flip(2)

    def information(self, model, level, node):
        return 0.5


def test_a_new_view_is_a_class_and_a_place_in_the_list(monkeypatch):
    with pytest.raises(SynaptreeError, match="'mirror' is unknown"):
        parse_view("mirror")
    monkeypatch.setattr(registry, "VIEWS", (*registry.VIEWS, Mirror))
    model = RandomHierarchyModel(v=4, n=4, m=2, s=2, L=3, seed=0)
    assert signal_budget(model, "mirror") == [0.5, 0.5, None]
    with pytest.raises(SynaptreeError, match="no opposite"):
        per_layer(("mirror",), 3)
    kind = {"v": 4, "n": 4, "m": 2, "L": 3, "P": 64, "batch": 16, "width": 8, "steps": 4}
    results = [
        train(make_spec(rule="clapp", views=views, **kind, tests=32), portrait=False)
        for views in ("mirror,same_class", "sibling,same_class")
    ]
    assert results[0].curve.train_loss[-1] != results[1].curve.train_loss[-1]
