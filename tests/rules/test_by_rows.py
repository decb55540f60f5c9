"""Rules that work on rows and compiled loops, beside the same equations on whole tensors."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scene import flat
from synaptree import make_spec, rules
from synaptree.network.lazy import Lazy
from synaptree.network.tree import TreeNet
from synaptree.rules import Batch
from synaptree.rules.shared import compiled
from synaptree.rules.shared.sides import Contexts
from synaptree.training.observation import output_error
from synaptree.training.replicas import Replicas
from synaptree.views.base import places_beside
from synaptree.views.registry import parse_view, per_layer

PROJECTED = ("vicreg", "lpl", "barlow_twins", "nt_xent")
RULES = [
    *(rules.get(name) for name in ("clapp", "clapp_pp", "infonce")),
    *(rules.get(name, predictor="shared") for name in ("clapp", "clapp_pp", "infonce")),
    rules.get("infonce", temperature=0.3),
    *(rules.get("clapp_pp", context=context) for context in ("same", "top")),
    rules.get("clapp", negative="previous"),
    *(rules.get(name, dims=3) for name in PROJECTED),
    *(rules.get(name, dims=3, projection="shared") for name in PROJECTED),
    *(rules.get(name, dims=0) for name in PROJECTED),
    *(rules.get(name, dims=3, statistics="running") for name in ("vicreg", "lpl")),
]  # fmt: skip
VIEWS = [
    ("same_class",),
    ("trace:3",),
    ("sibling", "same_class"),
    ("half_mask", "trace:2"),
    ("movie:0.1",),
    ("same_latent:1",),
    ("half_mask:neurons",),
    ("sibling", "half_mask:redrawn"),
]


def on_whole_tensors(monkeypatch):
    monkeypatch.setattr(compiled, "compiles", lambda t: False)


class Shown:
    """A rule, and the batch that a run would show it."""

    def __init__(
        self, rule, views, connectivity="shared", s=2, L=3, R=2, objects=8, dtype=torch.float64
    ):
        self.rule = rule
        g = [torch.Generator().manual_seed(3 + r) for r in range(R)]
        self.net = TreeNet(3, 3, s, L, 5, g, connectivity=connectivity, dtype=dtype)
        for b in self.net.b:
            b.normal_(generator=g[0])
        self.state = rule.init(self.net, g)
        self.views = [parse_view(name) for name in per_layer(views, L)]
        self.members = max(view.members for view in self.views)
        self.B = objects * self.members
        x = torch.randint(3, (R, self.B, s**L), generator=g[0])
        self.y = torch.randint(3, (R, self.B), generator=g[0])
        self.activity = self.net.activity(x)
        self.error, _ = output_error(self.activity.logits, self.y)

    def second_view(self, layer, t):
        return self.views[layer - 1].context(t, self.net.s, self.members)

    def places(self, layer):
        N = self.net.positions(layer)
        return places_beside(
            self.views[layer - 1], self.net.s, self.members, self.B, N, self.y.device
        )

    def contexts(self):
        whole = [not view.halves_units for view in self.views]
        return Contexts(self.activity, self.second_view, self.places, whole)

    def updates(self, by_rows):
        activity, contexts = self.activity, None
        if by_rows:
            contexts = self.contexts()
        else:
            activity = activity.place_by_place()
            contexts = [self.second_view(l, z) for l, z in enumerate(activity.z, start=1)]
        crossed = [view.needs_positions for view in self.views]
        batch = Batch(
            activity, self.y, self.error, contexts, self.members, self.second_view, crossed
        )
        for each in self.state.running.values():
            for t in each:
                t.fill_(0.5)
        taught = self.rule.teach(self.net, self.state, batch, [])
        return taught, taught.updates(self.net, activity, self.error)


def same(shown, monkeypatch):
    # NT-Xent holds the length of silent units at 1e-8, which enlarges what is left by rounding.
    tolerance = 1e-6 if shown.rule.name == "nt_xent" else 1e-10

    def close(found, expected):
        assert found.shape == expected.shape
        scale = expected.abs().max().clamp_min(1e-3)
        assert float((found - expected).abs().max() / scale) < tolerance

    found, updates = shown.updates(by_rows=True)
    with monkeypatch.context() as changed:
        on_whole_tensors(changed)
        expected, updates_expected = shown.updates(by_rows=False)
    for f, e in zip(updates, updates_expected, strict=True):
        close(f, e)
    own, own_expected = flat(found.own), flat(expected.own)
    assert own.keys() == own_expected.keys()
    for key, e in own_expected.items():
        close(own[key], e)
    close(found.loss, expected.loss)
    for terms, terms_expected in zip(found.terms or (), expected.terms or (), strict=True):
        for f, e in zip(terms, terms_expected, strict=True):
            close(f[0], e[0])
            close(f[1], e[1])


@pytest.mark.parametrize("connectivity", ["shared", "local", "full"])
@pytest.mark.parametrize("views", VIEWS, ids=",".join)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_rows_and_whole_tensors_teach_the_same(rule, views, connectivity, monkeypatch):
    same(Shown(rule, views, connectivity), monkeypatch)


@pytest.mark.parametrize("rule", RULES[:7], ids=lambda rule: rule.label)
@settings(max_examples=15)  # the first example compiles the loops
@given(
    st.integers(1, 3),
    st.integers(2, 3),
    st.integers(2, 4),
    st.integers(2, 40),
    st.sampled_from(VIEWS),
)
def test_so_they_do_in_every_shape(rule, R, s, L, objects, views):
    if s**L > 30:
        L = 3
    with pytest.MonkeyPatch.context() as monkeypatch:
        same(Shown(rule, views, s=s, L=L, R=R, objects=objects), monkeypatch)


@pytest.mark.parametrize("views", VIEWS, ids=",".join)
def test_a_view_that_moves_activities_says_from_where(views):
    shown = Shown(rules.get("clapp"), views)
    for layer, (view, z) in enumerate(zip(shown.views, shown.activity.z, strict=True), start=1):
        places = shown.places(layer)
        assert (places is None) == (view.halves_units or getattr(view, "K", 1) > 1)
        if places is not None:
            moved = z.flatten(1, 2)[:, places.flatten()].view_as(z)
            assert torch.equal(moved, shown.second_view(layer, z))


def test_contexts_that_somebody_changed_are_used():
    """As the audit and a user's own code do: a list in place of the contexts of the run."""
    shown = Shown(rules.get("clapp"), ("same_class",))
    contexts = list(shown.contexts())
    contexts[0] = 2 * contexts[0]
    taught = shown.rule.teach(
        shown.net,
        shown.state,
        Batch(shown.activity, shown.y, shown.error, contexts, shown.members, shown.second_view),
        [],
    )
    before, _ = shown.updates(by_rows=True)
    own, own_before = taught.own["W"], before.own["W"]
    assert not torch.allclose(own[0], own_before[0])
    assert torch.allclose(own[1], own_before[1])


def test_of_a_lazy_list_only_what_is_read_is_made():
    made = []
    listed = Lazy([partial(lambda i: made.append(i) or 10 * i, i) for i in range(4)])
    assert len(listed) == 4
    assert not made
    assert listed[1] == listed[-3] == 10
    assert made == [1]
    assert listed[2:] == [20, 30]
    assert list(listed) == [0, 10, 20, 30]
    assert sorted(made) == [0, 1, 2, 3]
    with pytest.raises(IndexError):
        listed[4]


def test_without_a_folder_for_machine_code_the_loops_still_run(monkeypatch):
    import numba

    njit = numba.njit

    def refusing(*given, cache=False, **how):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(*given, **how)

    monkeypatch.setattr(numba, "njit", refusing)
    monkeypatch.setattr(compiled, "_COMPILED", {})
    same(Shown(rules.get("clapp"), ("same_class",)), monkeypatch)
    assert compiled._COMPILED


@pytest.mark.parametrize("rule", ["clapp", "clapp_pp"])
def test_a_replica_that_diverged_does_not_learn_silently(rule, monkeypatch):
    """NaN goes the same way in both forms."""
    shown = Shown(rules.get(rule), ("same_class",))
    shown.state.learned["W"][0][0] = torch.nan
    for by_rows in (True, False):
        with monkeypatch.context() as changed:
            if not by_rows:
                on_whole_tensors(changed)
            taught, updates = shown.updates(by_rows)
        assert taught.loss[0, 0].isnan()
        assert updates[0][0].isnan().any()
        assert not updates[0][1].isnan().any()


@pytest.mark.parametrize("rule", ["clapp", "clapp_pp"])
def test_runs_with_and_without_rows_end_alike(rule, monkeypatch):
    kind = {"v": 4, "n": 4, "m": 3, "L": 3, "P": 256, "width": 8, "batch": 64, "tests": 100}
    spec = make_spec(rule=rule, views="sibling,same_class", precision="float64", **kind)

    def trained():
        program = Replicas(spec.replicate(2))
        for _ in range(30):
            program.step()
        return program.net.parameters()

    found = trained()
    on_whole_tensors(monkeypatch)
    for f, e in zip(found, trained(), strict=True):
        assert torch.allclose(f, e, rtol=1e-9, atol=1e-9)
