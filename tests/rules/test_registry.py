"""Rules by name, from files and from installed packages."""

import pickle
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

import synaptree
from synaptree import SynaptreeError, make_spec, rules, train
from synaptree.rules import Rule, Source, registry
from synaptree.rules.source import LOADED

HEAD = """
from typing import ClassVar, Literal
from synaptree.rules import DFA, Facts, Rule, Teaching
"""
CLASS = '''
class Mine(Rule):
    """DFA, times a size."""

    name: Literal["mine"] = "mine"
    size: float = 1.0
    facts: ClassVar[Facts] = DFA.facts

    def init(self, net, generators):
        return DFA().init(net, generators)

    def teach(self, net, state, batch, generators):
        taught = DFA().teach(net, state, batch, generators)
        return Teaching([self.size * T for T in taught.signals])
'''
KIND = {"v": 4, "n": 4, "m": 2, "L": 3, "P": 96, "width": 8, "steps": 20, "batch": 16, "tests": 64}


@pytest.fixture
def write(tmp_path):
    def written(text=HEAD + CLASS, name="my_rules.py"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return written


def test_every_rule_is_found_by_its_name_and_its_class():
    for name in rules.names():
        rule = rules.rule_class(name)
        assert rules.rule_name(rule) == name == rules.get(name).name
        assert getattr(rules, rule.__name__) is rule
        assert rules.source_of(rule) is None
        assert rules.get(name).source is None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = rules.Nothing


def test_a_file_is_found_by_path_and_class_and_trains_as_any_rule(write):
    path = write()
    rule = rules.rule_class(path)
    assert rule is rules.rule_class(f"{path}:Mine")
    assert rules.get(path, size=2.0).label == "mine (size=2.0)"
    mine, dfa = (train(make_spec(rule=each, **KIND)) for each in (path, "dfa"))
    assert mine.curve.test_error == dfa.curve.test_error
    with pytest.raises(SynaptreeError, match=r"rule mine: option: 'siz' is unknown.*'size'"):
        rules.get(path, siz=2.0)


def test_a_source_identifies_the_text_and_not_the_place(write):
    first, copy, other = (
        write(),
        write(name="copy.py"),
        write(HEAD + CLASS + "\n# more", "other.py"),
    )
    sources = [rules.source_of(rules.rule_class(path)) for path in (first, copy, other)]
    assert [s.file for s in sources] == ["my_rules.py", "copy.py", "other.py"]
    assert sources[0].sha256 == sources[1].sha256 != sources[2].sha256
    assert len(sources[0].sha256) == 16
    assert sources[0].text == HEAD + CLASS
    assert sources[0].sha256 in rules.rule_class(first).__module__
    assert rules.loaded("mine", sources[2].sha256) is rules.rule_class(other)
    assert rules.loaded("mine", "0" * 16) is None
    assert rules.loaded("other", sources[0].sha256) is None


def test_a_file_that_changed_is_loaded_again(write):
    before = rules.rule_class(write())
    after = rules.rule_class(write(HEAD + CLASS.replace("size: float = 1.0", "size: float = 3.0")))
    assert before().size == 1.0
    assert after().size == 3.0


def test_a_class_of_a_test_is_known_by_the_tests_file():
    class Local(Rule):
        name: str = "local"

    source = rules.source_of(Local)
    assert source.file == "test_registry.py"
    rules.adopt([source])  # which does not execute it
    assert source.module not in LOADED


WORKER = """
import pickle, sys
from synaptree import rules
source, spec = pickle.load(open(sys.argv[1], "rb"))
rules.adopt([source])
rule = pickle.loads(spec)
print(rule.label, rule.source == source)
"""


def test_another_process_adopts_a_file_and_reads_pickled_rules(write, tmp_path):
    rule = rules.get(write(), size=2.0)
    handed = tmp_path / "handed"
    handed.write_bytes(pickle.dumps((rule.source, pickle.dumps(rule))))
    (tmp_path / "my_rules.py").unlink()
    done = subprocess.run(
        [sys.executable, "-c", WORKER, handed], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "mine (size=2.0) True"


def test_what_was_altered_on_the_way_is_not_executed(write):
    source = rules.get(write()).source
    altered = Source(source.file, source.sha256, source.text + "raise SystemExit", source.module)
    with pytest.raises(SynaptreeError, match=r"my_rules.py: its text has the hash .*expected"):
        rules.adopt([altered])


FAULTS = [
    ("x = 1", "", "holds no rule; expected a subclass of synaptree.rules.Rule"),
    (HEAD, "", "holds no rule"),  # the rules that it imports are not its own
    (HEAD + CLASS + CLASS.replace("Mine", "Other").replace("mine", "other"), "",
     "holds 2 rules; expected one of .*:Mine, .*:Other"),
    (HEAD + CLASS, ":Min", "'Min' is unknown; expected one of Mine; did you mean 'Mine'"),
    ("import nothing_like_this", "", "does not run.*No module named.*line 1 of my_rules.py"),
    ("\n1 / 0", "", "does not run.*ZeroDivisionError.*line 2 of my_rules.py"),
    ("def f(:", "", "does not run.*SyntaxError"),
    (HEAD + CLASS.replace('    facts: ClassVar[Facts] = DFA.facts\n', ""), "", "has no facts"),
    (HEAD + CLASS.replace('Literal["mine"] = "mine"', "str"), "", "has no name"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "ending", "message"), FAULTS)
def test_a_file_that_is_no_rule_is_refused_in_one_line(text, ending, message, write):
    path, loaded = write(text), dict(LOADED)
    with pytest.raises(SynaptreeError, match=message) as fault:
        rules.rule_class(path + ending)
    assert str(fault.value).startswith(f"rule {path}")
    assert len(str(fault.value).splitlines()) == 1
    if "does not run" in message:
        assert loaded == LOADED  # nothing of it stays
        assert not any("my_rules" in name and name not in loaded for name in sys.modules)


@pytest.mark.parametrize("name", ["nothing.py", "nothing.py:Mine", "."])
def test_a_file_that_does_not_exist(name, tmp_path):
    with pytest.raises(SynaptreeError, match="rule") as fault:
        rules.rule_class(str(tmp_path / name))
    assert len(str(fault.value).splitlines()) == 1


def test_an_installed_package_is_found_by_its_entry_point(monkeypatch, tmp_path):
    (tmp_path / "their_package.py").write_text(HEAD + CLASS + "\nnumber = 1")
    monkeypatch.syspath_prepend(tmp_path)
    entries = [
        EntryPoint("their_rule", "their_package:Mine", "synaptree.rules"),
        EntryPoint("no_rule", "their_package:number", "synaptree.rules"),
        EntryPoint("broken", "their_package:Nothing", "synaptree.rules"),
    ]

    def entry_points(group, name=None):
        assert group == "synaptree.rules"
        return [e for e in entries if name in (None, e.name)]

    monkeypatch.setattr(registry, "entry_points", entry_points)
    rule = rules.rule_class("their_rule")
    assert rule.__name__ == "Mine"
    assert rules.source_of(rule).file == "their_package.py"
    for name, message in (("no_rule", "is no rule"), ("broken", "does not run.*AttributeError")):
        with pytest.raises(SynaptreeError, match=message):
            rules.rule_class(name)
    with pytest.raises(SynaptreeError, match="did you mean 'their_rule'"):
        rules.rule_class("their_rul")


# What a rule says of itself -----------------------------------------------------------------------


def test_online_forms_are_said_by_the_rules():
    forms = {name: rules.online_form(name) for name in rules.names()}
    assert {name: form.label for name, form in forms.items() if form} == {
        "clapp": "clapp (negative=previous)",
        "lpl": "lpl (statistics=running)",
        "vicreg": "vicreg (statistics=running)",
    }
    for name, form in forms.items():
        assert not rules.get(name).online
        assert form is None or form.online


def test_objectives_of_the_end_to_end_reference_are_said_by_the_rules():
    for name in ("clapp", "infonce", "nt_xent", "vicreg", "barlow_twins", "lpl"):
        assert rules.get("end_to_end_ssl", objective=name).objective == name
    with pytest.raises(SynaptreeError, match="expected one of clapp, infonce, nt_xent, lpl") as e:
        rules.get("end_to_end_ssl", objective="scff")
    assert len(str(e.value).splitlines()) == 1


def test_readings_are_of_layerwise_rules():
    read = [name for name in rules.names() if rules.rule_class(name).facts.reading]
    assert read == [n for n in rules.names() if rules.rule_class(n).facts.family == "layerwise"]


def test_a_rule_may_refuse_a_run(write):
    path = write(
        HEAD.replace("import DFA", "import SynaptreeError, DFA").replace(
            "from synaptree.rules import SynaptreeError, DFA",
            "from synaptree import SynaptreeError\nfrom synaptree.rules import DFA",
        )
        + CLASS
        + """
    def check(self, spec):
        super().check(spec)
        if spec.batch != 32:
            raise SynaptreeError(f"batch: {spec.batch} given, but mine needs 32; expected 32")
"""
    )
    with pytest.raises(SynaptreeError, match="batch: 16 given, but mine needs 32"):
        make_spec(rule=path, **KIND)
    with pytest.raises(SynaptreeError, match="does not use views"):
        make_spec(rule=path, views="same_class", **KIND)
    assert make_spec(rule=path, **KIND | {"batch": 32}).rule.name == "mine"


def test_a_states_tensors_are_found_by_layer():
    net_state = rules.State(
        learned={"U": [torch.ones(2), None]},
        feedback={"F": [None, torch.zeros(2), torch.ones(2)]},
        fixed={"B": [torch.arange(2.0)]},
        whole={"F": torch.arange(2.0)},
    )
    assert [(name, index) for name, index, _ in net_state.trained()] == [
        ("U", 0),
        ("F", 1),
        ("F", 2),
    ]
    one = net_state.select(torch.tensor([1]))
    assert one.learned["U"][1] is None
    assert one.fixed["B"][0].tolist() == one.whole["F"].tolist() == [1.0]
    assert [t.tolist() for t in one.layers("F")] == [[0.0], [1.0]]
    with pytest.raises(KeyError):
        one.layers("nothing")


# Options behind a name ----------------------------------------------------------------------------


def test_options_behind_a_name_are_read_alike_wherever_a_rule_is_named(write, monkeypatch):
    path = write()
    seen: list[Rule] = []
    monkeypatch.setattr("synaptree.audit.matrix._audited", seen.append)
    monkeypatch.setattr("synaptree.check.rule._of_form", lambda rule, _: seen.append(rule) or [])
    for name, option in ((f"{path}:Mine", "size"), (path, "size"), ("dfa", "scale")):
        text = f"{name}({option}=0.25)"
        named = [rules.named(text), make_spec(rule=text, **KIND).rule]
        seen.clear()
        synaptree.audit(text)
        assert synaptree.check_rule(text) == []
        assert [getattr(rule, option) for rule in (*named, *seen)] == 4 * [0.25]
        (fault,) = synaptree.check_rule(f"{name}(wrong=1)")
        assert fault.startswith(f"{named[0].kind()}: option: 'wrong' is unknown")


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("masking", {}),
        ("masking()", {}),
        ("masking(masks=only:2,3, weights='random',)", {"masks": "only:2,3", "weights": "random"}),
    ],
)
def test_a_name_and_its_options_are_told_apart(text, options):
    assert rules.parted(text) == ("masking", options)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("dfa", "'dfa(feedback=x)'"), ("dfa(scale=2)", "'dfa(scale=2, feedback=x)'")],
)
def test_an_option_that_stands_beside_a_rule_is_sent_behind_it(name, expected):
    with pytest.raises(SynaptreeError) as fault:
        make_spec(rule=name, feedback="x", **KIND)
    assert str(fault.value).endswith(f"expected rule={expected}")


# What was probably meant --------------------------------------------------------------------------

FACTS = "Facts(title='t', family='control', citation='c', equation='e', differences='d'"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("Facts()", "facts: no title, family, citation, equation, differences given; expected each "
         "of title, family, citation, equation, differences as text"),
        (FACTS.replace("equation='e', ", "") + ")", "facts: no equation given; expected each of "
         "title, family, citation, equation, differences as text"),
        (f"{FACTS}, weights_transport=True)", "facts: 'weights_transport' is unknown; expected one "
         ".*; did you mean 'weight_transport'[?]"),
        (f"Facts('t', {FACTS[6:]})", "does not run .TypeError"),
        ("dict(1, 2)", "does not run .TypeError"),
    ],
)  # fmt: skip
def test_facts_that_lack_something_say_what_they_need(call, says, write):
    path = write(HEAD + CLASS.replace("DFA.facts", call))
    with pytest.raises(SynaptreeError, match=f"^rule {path}: {says}") as fault:
        rules.rule_class(path)
    assert "\n" not in str(fault.value)


def test_a_class_of_a_file_in_this_folder_is_found_by_its_name_and_never_run(write, monkeypatch):
    monkeypatch.chdir(Path(write("raise SystemExit\nclass LeakyFA: ...", "leaky_fa.py")).parent)
    write("class LeakyFA(", "a_broken.py")
    write("def f():\n    class Inner: ...", "inner.py")
    with pytest.raises(SynaptreeError, match=r"^rule: 'LeakyFA' is unknown; ") as e:
        rules.rule_class("LeakyFA")
    assert str(e.value).endswith("; did you mean 'leaky_fa.py:LeakyFA'?")
    assert not any("leaky_fa" in name for name in sys.modules)
    for name in ("Inner", "LeakyF", "f"):
        with pytest.raises(SynaptreeError) as e:
            rules.rule_class(name)
        assert ".py" not in str(e.value)


def test_a_file_that_is_not_there_names_the_nearest_one(write):
    for name in ("leaky_fa.py", "other.py"):
        write(name=name)
    path = write(name="leaky_fa.txt").replace("leaky_fa.txt", "leeky_fa.py")
    for name in (path, f"{path}:Mine"):
        with pytest.raises(SynaptreeError) as fault:
            rules.rule_class(name)
        meant = path.replace("leeky", "leaky")
        assert str(fault.value).endswith(f"; did you mean {meant!r}?")
