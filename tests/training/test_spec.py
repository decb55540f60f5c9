"""RunSpec: equal runs have equal ids, and each mistake has its sentence."""

import importlib.util
import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synaptree import RunSpec, SynaptreeError, make_spec, rules

BASE = {"rule": "backprop", "v": 8, "n": 8, "m": 4, "L": 3, "P": 1024}
DFA = BASE | {"rule": "dfa"}
LAYERWISE = BASE | {"rule": "clapp", "views": ("sibling", "same_class")}


def test_the_same_run_written_otherwise_has_the_same_id():
    whole = LAYERWISE | {"views": ("sibling", "sibling", "same_class"), "rule": rules.get("clapp")}
    assert make_spec(**LAYERWISE).run_id == make_spec(**whole).run_id
    assert make_spec(**LAYERWISE | {"views": "sibling,same_class"}) == make_spec(**LAYERWISE)
    assert make_spec(**BASE | {"views": ""}) == make_spec(**BASE)
    spelled = BASE | {"optimizer": "sgd"}
    assert make_spec(**spelled).run_id == make_spec(**spelled, lr=0.1).run_id


CHANGES = {
    "rule": "dfa", "v": 9, "n": 9, "m": 5, "s": 3, "L": 4, "P": 1025, "width": 64,
    "parametrisation": "mean_field", "connectivity": "local", "optimizer": "sgd", "lr": 0.5,
    "momentum": 0.5, "lr_schedule": "cosine", "weight_decay": 0.1, "schedule": "plateau",
    "batch": 64, "steps": 7, "readout_steps": 1, "stop_loss": 0.1, "evaluations": 3,
    "validation": 0.1, "tests": 9,
    "precision": "float64", "variant": "zipf=1",
    "grammar_seed": 1, "data_seed": 1, "network_seed": 1,
}  # fmt: skip


def test_every_field_changes_the_id():
    assert set(CHANGES) | {"views", "data"} == set(RunSpec.model_fields)
    ids = {make_spec(**BASE | {name: value}).run_id for name, value in CHANGES.items()}
    assert len(ids | {make_spec(**BASE).run_id}) == len(CHANGES) + 1


def test_a_rules_options_change_the_id():
    ids = {
        make_spec(**BASE | {"rule": rules.get("masking", weights=w, masks=m)}).run_id
        for w in ("transpose", "random")
        for m in ("true", "none", "other_input")
    }
    assert len(ids) == 6


@pytest.mark.parametrize("given", [BASE, LAYERWISE, BASE | {"rule": {"name": "dfa", "scale": 2.0}}])
def test_a_spec_survives_json(given):
    spec = make_spec(**given)
    again = RunSpec.model_validate_json(spec.model_dump_json())
    assert again == spec
    assert again.run_id == spec.run_id
    assert type(again.rule) is type(spec.rule)


def test_an_id_is_the_same_in_every_process_and_version():
    # A changed id would orphan every journal: change it knowingly.
    assert make_spec(**BASE).run_id == "3b9ef16b81c7c306"


@given(st.sampled_from(sorted(set(RunSpec.model_fields) - {"rule", "v", "n", "m", "L", "P"})))
def test_a_setting_that_is_added_later_leaves_old_ids_alone(name):
    spec = make_spec(**BASE)
    assert make_spec(**BASE | {name: getattr(spec, name)}).run_id == spec.run_id


def test_replicas_count_all_seeds_up():
    specs = make_spec(**BASE, grammar_seed=5, data_seed=50).replicate(3)
    assert [s.grammar_seed for s in specs] == [5, 6, 7]
    assert [s.data_seed for s in specs] == [50, 51, 52]
    assert [s.network_seed for s in specs] == [0, 1, 2]
    assert len({s.group for s in specs}) == 1
    assert len({s.run_id for s in specs}) == 3


def test_options_of_a_rule_may_stand_behind_its_name():
    run = {"v": 4, "n": 4, "m": 2, "L": 2, "P": 8, "batch": 8}
    typed = make_spec(rule="masking(weights=sign, masks='kept:0.5')", **run)
    assert typed == make_spec(rule=rules.get("masking", weights="sign", masks="kept:0.5"), **run)
    assert make_spec(rule="dfa()", **run) == make_spec(rule="dfa", **run)


MISTAKES = [
    ({"rule": "backprob"}, "did you mean 'backprop'"),
    ({"rule": {"name": "dfa", "scale": -1}}, "scale"),
    ({"rule": {"name": "dfa", "scales": 1}}, "did you mean 'scale'"),
    ({"stepz": 3}, "did you mean 'steps'"),
    ({"learning_rate": 0.1}, "did you mean 'lr'"),
    ({"rule": "dfa", "scale": 2}, "option of dfa; expected rule='dfa(scale=2)'"),
    ({"rule": "dfa(scale)"}, "option 'scale' given; expected NAME=VALUE"),
    ({"Batch-Size": 8}, "did you mean 'batch'"),
    ({"m": 9}, "largest valid m is 8"),
    ({"P": 131072}, "expected at most 131071"),
    ({"P": 10**30}, "P_max = 131072"),
    ({"batch": 2000}, "expected at most P"),
    ({"lr": 0}, "greater than 0"),
    ({"lr": float("inf")}, "finite"),
    ({"rule": {"name": "dfa", "scale": float("inf")}}, "finite"),
    ({"momentum": 1}, "less than 1"),
    ({"steps": 0}, "steps: 0"),
    ({"width": -3}, "width: -3"),
    ({"v": 0}, "v: 0"),
    ({"v": "eight"}, "v: 'eight'"),
    ({"views": ("same_class",)}, "does not use views"),
    ({"rule": "clapp"}, "compares two views"),
    ({"rule": "clapp", "views": ("sibling",)}, "the top layer has one position"),
    ({"rule": {"name": "vicreg", "dims": 0}, "views": ("half_mask:neurons",)}, "dims above 0"),
    ({"rule": {"name": "nt_xent", "dims": 0}, "views": ("half_mask:redrawn",)}, "dims above 0"),
    ({"rule": {"name": "barlow_twins", "dims": 0}, "views": ("half_mask:neurons",)}, "same units"),
    (
        {"rule": {"name": "clapp", "negative": "previous"}, "views": ("half_mask:neurons",)},
        "online",
    ),
    ({"rule": {"name": "lpl", "statistics": "running"}, "views": "half_mask:neurons"}, "online"),
    ({"rule": "clapp", "views": ("sibling",) * 4 + ("same_class",)}, "5 given for 3 layers"),
    ({"rule": "clapp", "views": ("same_clas",)}, "did you mean 'same_class'"),
    ({"rule": "clapp", "views": ("trace",)}, "as trace:16"),
    ({"rule": "clapp", "views": ("trace:0",)}, "K of at least 1"),
    ({"rule": "clapp", "views": ("trace:4",)}, "multiple of 5"),
    ({"rule": "clapp", "views": ("same_class",), "batch": 2}, "at least 4"),
    ({"optimizer": "rmsprop"}, "expected one of adam, sgd"),
    ({"precision": "float8"}, "float32"),
]


@pytest.mark.parametrize(("change", "says"), MISTAKES)
def test_a_mistake_is_one_sentence(change, says):
    with pytest.raises(SynaptreeError) as caught:
        make_spec(**BASE | change)
    (sentence,) = str(caught.value).splitlines()
    assert says in sentence


def test_all_that_is_required_is_named():
    for name in BASE.keys() - {"rule"}:
        with pytest.raises(SynaptreeError, match=f"^{name}: "):
            make_spec(**{key: value for key, value in BASE.items() if key != name})


POSITIVE = ["v", "n", "m", "s", "L", "P", "width", "batch", "steps", "evaluations", "tests", "lr"]


@settings(max_examples=60)
@given(name=st.sampled_from(POSITIVE), value=st.integers(-(10**20), 0))
def test_nothing_that_is_counted_may_be_zero_or_negative(name, value):
    with pytest.raises(SynaptreeError) as caught:
        make_spec(**BASE | {name: value})
    (sentence,) = str(caught.value).splitlines()
    assert sentence.startswith(f"{name}: ")
    assert str(value) in sentence or "e+" in sentence


@pytest.mark.parametrize("seed", ["grammar_seed", "data_seed", "network_seed"])
def test_a_seed_may_be_zero_but_not_below(seed):
    assert make_spec(**BASE | {seed: 0})
    with pytest.raises(SynaptreeError, match=f"{seed}: -1"):
        make_spec(**BASE | {seed: -1})


names = st.sampled_from(["sibling", "same_class", "trace:2", "trace:7"])


@settings(max_examples=40)
@given(below=names, top=names.filter(lambda name: name != "sibling"), L=st.integers(3, 5))
def test_views_written_short_or_in_full_are_one_run_that_survives_json(below, top, L):
    size = {"batch": 48, "L": L}
    short = make_spec(**LAYERWISE | {"views": (below, top)} | size)
    full = make_spec(**LAYERWISE | {"views": [below] * (L - 1) + [top]} | size)
    assert short == full == RunSpec.model_validate_json(short.model_dump_json())
    assert short.run_id == full.run_id
    assert len(short.views) == L
    needed = {"sibling": 1, "same_class": 2, "trace:2": 3, "trace:7": 8}
    assert short.members == max(needed[below], needed[top])


@pytest.mark.parametrize("L", ["3", 3.0])
def test_views_are_completed_however_the_depth_is_written(L):
    assert make_spec(**LAYERWISE | {"L": L}).run_id == make_spec(**LAYERWISE).run_id


@pytest.mark.parametrize("views", [5, (1,)])
def test_views_that_are_no_list_of_names_are_one_sentence(views):
    with pytest.raises(SynaptreeError, match=r"^views.*given; expected a valid"):
        make_spec(**LAYERWISE | {"views": views})


def test_masks_of_another_input_need_another_input():
    with pytest.raises(SynaptreeError, match="batch: 1 given"):
        make_spec(**BASE | {"rule": rules.get("masking", masks="other_input"), "batch": 1})


def test_a_missing_field_is_called_missing():
    with pytest.raises(SynaptreeError, match=r"^rule: none given") as caught:
        make_spec(v=8)
    assert "expected Field required" not in str(caught.value)


@settings(max_examples=30)
@given(K=st.integers(1, 20), objects=st.integers(2, 9))
def test_the_batch_that_an_error_offers_is_valid(K, objects):
    given = BASE | {"rule": "infonce", "views": (f"trace:{K}",), "batch": (K + 1) * objects + 1}
    with pytest.raises(SynaptreeError) as caught:
        make_spec(**given)
    offered = int(str(caught.value).rsplit(" ", 1)[1])
    assert make_spec(**given | {"batch": offered}).batch == offered


RULE = """
from synaptree.rules import Facts, Rule, Teaching


class Still(Rule):
    name: str = "still"
    size: float = 1.0
    facts = Facts(
        title="Still", family="control", citation="nobody, 2020", equation="T = 0",
        differences="none", labels=False, weight_transport=False, error_network=False,
        downstream_masks=False, other_samples=False,
    )

    def teach(self, net, state, batch, generators):
        return Teaching([None] * net.L)
"""


@pytest.fixture
def rule_from_file(tmp_path, monkeypatch):
    def load(text):
        path = tmp_path / f"rule_{abs(hash(text))}.py"
        path.write_text(text)
        module_spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(module_spec)
        monkeypatch.setitem(sys.modules, path.stem, module)
        module_spec.loader.exec_module(module)
        return module.Still

    return load


def test_a_rule_from_a_file_survives_json_with_its_hash(rule_from_file):
    still = rule_from_file(RULE + "# one\n")
    spec = make_spec(**BASE | {"rule": still(size=2.0)})
    dumped = json.loads(spec.model_dump_json())
    assert dumped["rule"].keys() == {"name", "size", "source"}
    again = RunSpec.model_validate(dumped)
    assert type(again.rule) is still
    assert (again, again.run_id) == (spec, spec.run_id)
    assert "source" not in make_spec(**BASE).model_dump()["rule"]


def test_another_text_of_the_file_is_another_run(rule_from_file):
    texts = (RULE + "# two\n", RULE + "# three\n")
    specs = [make_spec(**BASE | {"rule": rule_from_file(text)()}) for text in texts]
    assert specs[0].run_id != specs[1].run_id
    assert specs[0].group != specs[1].group


def test_a_rule_whose_file_is_not_loaded_is_one_line():
    rule = {"name": "still", "source": "0123456789abcdef", "size": 1.0}
    with pytest.raises(SynaptreeError, match=r"rule still: .* 0123456789abcdef.* not loaded") as e:
        make_spec(**BASE | {"rule": rule})
    assert "\n" not in str(e.value)


def test_one_seed_stands_for_all_that_are_not_given():
    same = make_spec(**DFA, seed=3)
    assert (same.grammar_seed, same.data_seed, same.network_seed) == (3, 3, 3)
    assert same == make_spec(**DFA).replicate(4)[3]
    assert make_spec(**DFA, seed=3, data_seed=1).data_seed == 1
    with pytest.raises(SynaptreeError, match="grammar_seed: -1 given"):
        make_spec(**DFA, seed=-1)


def test_a_rule_without_views_says_so_before_anything_about_the_view():
    with pytest.raises(SynaptreeError, match="views: sibling given, but dfa does not use views"):
        make_spec(**DFA, views="sibling")
