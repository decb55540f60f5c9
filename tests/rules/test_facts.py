"""What a rule declares: its family, its subfamily, and where labels enter."""

from typing import get_args

import pytest
import torch

from scene import LAYERWISE, Scene
from synaptree import rules
from synaptree.errors import SynaptreeError
from synaptree.rules import Facts
from synaptree.rules.facts import SUBFAMILIES, Family, Subfamily, label_tier, members

TEXTS = {"title": "t", "citation": "nobody, 2020", "equation": "T = 0", "differences": "none"}
# The families of the second registration, as it lists them.
LISTED = {
    "fixed direct feedback": {"dfa", "drtp", "pepita"},
    "learned direct feedback": {"direct_kolen_pollack", "forward_dfa", "error_broadcast"},
    "perturbation": {"node_perturbation"},
    "vector units": {"global_error_vector"},
    "contrastive": {"clapp", "clapp_pp", "infonce", "nt_xent", "scff"},
    "non-contrastive": {"lpl", "vicreg", "barlow_twins"},
}


def test_the_rules_of_the_package_are_in_the_families_that_were_registered():
    found = {name: rules.rule_class(name).facts.subfamily for name in rules.names()}
    for subfamily, names in LISTED.items():
        assert {name for name, own in found.items() if own == subfamily} == names


@pytest.mark.parametrize("family", get_args(Family))
def test_a_rule_that_names_no_subfamily_has_the_first(family):
    assert Facts(family=family, **TEXTS).subfamily == SUBFAMILIES[family][0]
    for subfamily in SUBFAMILIES[family]:
        facts = Facts(family=family, subfamily=subfamily, **TEXTS)
        assert facts.subfamily == subfamily


def test_every_subfamily_is_in_a_family():
    assert {name for names in SUBFAMILIES.values() for name in names} == set(get_args(Subfamily))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"family": "layer-wise"}, "did you mean 'layerwise'"),
        ({"family": "layerwise", "subfamily": "contrastiv"}, "did you mean 'contrastive'"),
        ({"family": "layerwise", "subfamily": "vector units"}, "expected one of contrastive, non"),
    ],
)
def test_an_unknown_family_is_one_line(given, words):
    with pytest.raises(SynaptreeError, match=words) as fault:
        Facts(**TEXTS, **given)
    assert "\n" not in str(fault.value)


def test_a_file_with_an_unknown_family_is_refused_in_one_line(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from synaptree.rules import Facts\n"
        'Facts(title="t", family="directfeedback", citation="c", equation="e", differences="d")\n'
    )
    with pytest.raises(SynaptreeError, match="did you mean 'direct feedback'"):
        rules.rule_class(str(path))


FORMS = [
    *map(rules.get, LAYERWISE),
    *(rules.get("clapp_pp", context=context) for context in ("same", "top")),
    *filter(None, map(rules.online_form, LAYERWISE)),
]


@pytest.mark.parametrize("rule", FORMS, ids=lambda rule: rule.label)
def test_what_the_top_layer_compares_reaches_other_layers_where_that_is_declared(rule):
    """Where inputs of one class are paired at the top, the label tier hangs on it."""
    scene = Scene(rule, 2, 3, views=("sibling", "same_class"))
    drawn = torch.Generator().manual_seed(1)
    batch = scene.batch()
    *below, top = batch.contexts
    other = torch.rand(top.shape, generator=drawn, dtype=top.dtype)

    def second_view(layer, t):
        return other if layer == scene.net.L else batch.second_view(layer, t)

    before, _ = scene.updates()
    after, _ = scene.updates(contexts=[*below, other], second_view=second_view)
    changed = [not torch.equal(before[l], after[l]) for l in range(scene.net.L)]
    assert changed[-1]
    assert set(changed[:-1]) == {rule.declared.top_context}
    tier = label_tier(("sibling", "sibling", "same_class"), top_context=rule.declared.top_context)
    assert tier == ("T2" if changed[0] else "T1")


@pytest.mark.parametrize("name", rules.names())
def test_every_rule_says_what_biology_leaves_open(name):
    said = rules.rule_class(name).facts.open_in_biology
    assert len(said.split()) >= 15
    assert said[-1] in ".)"


@pytest.mark.parametrize(
    ("views", "tier", "inputs"),
    [
        ("", None, 1),
        ("sibling,sibling,movie:0.1", "T0", 2),
        ("half_mask,same_latent:1", "T0", 2),
        ("sibling,sibling,same_class", "T1", 2),
        ("sibling,trace:7", "T1", 8),
        ("same_class,same_class", "T2", 2),
        ("same_class,movie:0.1", "T2", 2),
        ("trace:3", "T1", 4),
    ],
)
def test_labels_enter_where_views_are_of_one_class(views, tier, inputs):
    names = tuple(views.split(",")) if views else ()
    assert label_tier(names) == tier
    assert members(names) == inputs
    assert label_tier(names, labels=True) == ("T2" if views else None)
    reached = "T2" if tier == "T1" and len(names) > 1 else tier
    assert label_tier(names, top_context=True) == reached
