"""check_rule says each fault in one line and nothing of sound rules; train refuses some at once."""

import re
import subprocess
import sys
from typing import ClassVar, Literal

import numpy as np
import pytest
import torch
from faulty_rules import PLANTED
from sound_rules import Direct, Layerwise

from synaptree import SynaptreeError, check_rule, make_spec, rules, train
from synaptree.rules import DFA, Teaching
from synaptree.training.replicas import Replicas


def test_sound_rules_have_no_fault():
    assert check_rule(Direct) == []
    assert check_rule(Layerwise()) == []


@pytest.mark.parametrize("name", rules.names())
def test_the_packages_rules_have_no_fault(name):
    assert check_rule(name) == []


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_said_in_one_line(name):
    rule, says = PLANTED[name]
    faults = check_rule(rule)
    assert any(re.search(says, fault) for fault in faults), faults
    assert all("\n" not in fault for fault in faults)
    assert len(faults) <= 4, faults


# What is wrong at the first step, and where tables of patches are in use.
AT_ONCE = (
    "a signal too few",
    "one position for all",
    "a signal that is a number",
    "signals in one tensor",
    "teach returns None",
    "no gradients",
    "a layer too few",
    "init returns a dict",
    "a state without the replica axis",
    "no facts",
)
KIND = {"v": 4, "n": 3, "m": 2, "L": 3, "P": 192, "width": 8, "steps": 2, "tests": 16,
        "evaluations": 1, "precision": "float64"}  # fmt: skip


@pytest.mark.parametrize("batch", [6, 96])
@pytest.mark.parametrize("name", AT_ONCE)
def test_training_refuses_a_fault_of_the_first_step_in_one_line(name, batch):
    rule, says = PLANTED[name]
    views = "same_class" if issubclass(rule, Layerwise) else ""
    sizes = {r"\(5, ": r"\(1, ", "R = 5": "R = 1", r", 6, ": rf", {batch}, "}
    for found, expected in sizes.items():
        says = says.replace(found, expected)
    with pytest.raises(SynaptreeError, match=says) as fault:
        train(make_spec(rule=rule(), views=views, batch=batch, **KIND))
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("batch", [6, 96])
@pytest.mark.parametrize("rule", [Direct(), Layerwise()], ids=["direct", "layerwise"])
def test_training_takes_sound_rules_with_and_without_tables(rule, batch):
    views = "same_class" if rule.needs_views else ""
    replicas = Replicas([make_spec(rule=rule, views=views, batch=batch, **KIND)])
    activity = replicas.observe().activity
    assert (activity.distinct(1) is not None) == (batch == 96)
    replicas.step()


def test_a_signal_that_is_summed_over_places_is_sound():
    """As `TreeNet.down` gives it to a rule that hands it the activity."""
    assert train(make_spec(rule=Chained(), batch=96, **KIND)).curve.train_loss == pytest.approx(
        train(make_spec(rule="backprop", batch=96, **KIND)).curve.train_loss, rel=1e-9
    )


class Chained(rules.Rule):
    """Backprop, outside of the package."""

    name: Literal["chained"] = "chained"
    facts = rules.rule_class("backprop").facts

    def teach(self, net, state, batch, generators):
        return rules.get("backprop").teach(net, state, batch, generators)


def test_the_cheap_checks_cost_the_packages_rules_nothing(monkeypatch):
    def never(*_):
        raise AssertionError

    for name in ("faults_of_state", "faults_of_teaching"):
        monkeypatch.setattr(f"synaptree.training.replicas.{name}", never)
    train(make_spec(rule="dfa", batch=6, **KIND))
    with pytest.raises(AssertionError):
        train(make_spec(rule=Direct(), batch=6, **KIND))


def test_what_is_no_rule_is_said():
    for given in (3, DFA.facts, object, "nothing_like_this", "nowhere.py:Mine"):
        (fault,) = check_rule(given)
        assert fault.startswith("rule")
        assert "expected" in fault


def test_all_faults_are_said_together(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MANY)
    assert [fault.partition(";")[0] for fault in check_rule(f"{path}:Mine")] == [
        "has no name",
        "has no facts",
    ]
    path.write_text(MANY.replace("# facts", "facts: ClassVar = DFA.facts").replace("# name", NAME))
    faults = check_rule(f"{path}:Mine")
    assert [fault.partition(";")[0] for fault in faults] == [
        "signals: layer 1 has shape (5, 6, 1, 8)",
        "own: 'V' is nothing that is trained",
        "init draws from torch's global generator",
        "teach draws from numpy's global generator",
        "init: fixed['B'][0] is on cpu when the network is on another device",
    ]


NAME = 'name: Literal["mine"] = "mine"'
MANY = """
from typing import ClassVar, Literal
import numpy as np
import torch
from synaptree.rules import DFA, Rule, State, Teaching

class Mine(Rule):
    # name
    # facts

    def init(self, net, generators):
        shape = (len(generators), net.n, net.width)
        return State(fixed={"B": [torch.randn(shape, dtype=net.dtype) for _ in range(net.L)]})

    def teach(self, net, state, batch, generators):
        size = np.random.rand()
        signals = [size * (batch.error @ B).unsqueeze(2) for B in state.fixed["B"]]
        return Teaching(signals, own={"V": signals})
"""


def test_the_check_leaves_the_generators_of_the_process_alone():
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    assert check_rule(PLANTED["torch's global generator"][0])
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002


def test_an_online_form_is_checked_too():
    class Online(Direct):
        online_options: ClassVar = {"gain": 2.0}
        gain: float = 1.0

        def teach(self, net, state, batch, generators):
            signals = self.signals(net, state.fixed["B"], batch)
            return Teaching(signals[1:] if self.online else signals)

    (fault,) = check_rule(Online)
    assert fault.startswith("with online_options, signals: 2 given; expected 3")


def test_a_pytest_helper_is_two_lines(tmp_path):
    (tmp_path / "my_rules.py").write_text(MANY)
    (tmp_path / "test_mine.py").write_text(
        "import synaptree\n\ndef test_my_rule():\n"
        '    assert synaptree.check_rule("my_rules.py:Mine") == []\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "has no name; expected name" in done.stdout
