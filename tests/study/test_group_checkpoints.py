"""A group of a study that is killed goes on from its last evaluation; studies keep networks."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from synaptree import SynaptreeError, load_network, make_spec, rules, run_study, train_replicas
from synaptree.network.saved import read_file
from synaptree.results.journal import rows
from synaptree.results.row import row_of
from synaptree.study import engine
from synaptree.training.checkpoint import Checkpoint
from synaptree.training.data import Data

RULE = """
import os
from pathlib import Path
from typing import Literal

from synaptree.rules.backprop import Backprop


class Frail(Backprop):
    name: Literal["frail"] = "frail"
    folder: str
    dies: int = 10**9

    def teach(self, net, state, batch, generators):
        calls, dead = Path(self.folder) / "calls", Path(self.folder) / "dead"
        with calls.open("a") as file:
            file.write(".")
        if calls.stat().st_size == self.dies and not dead.exists():
            dead.touch()
            os._exit(1)
        return super().teach(net, state, batch, generators)
"""
TINY = {"v": 4, "n": 4, "m": 3, "L": 2, "P": 30, "width": 8, "batch": 8, "tests": 9}
RUN = TINY | {"steps": 100, "evaluations": 10}


def frail(folder, **options):
    (folder / "frail.py").write_text(RULE)
    rule = rules.get(f"{folder / 'frail.py'}:Frail", folder=str(folder), **options)
    return make_spec(rule=rule, **RUN).replicate(2)


def calls(folder):
    return (folder / "calls").stat().st_size


@pytest.fixture
def often(monkeypatch):
    """Write checkpoints at every evaluation."""
    monkeypatch.setattr(engine, "CHECKPOINT_EVERY", 0.0)


def what_counts(found):
    """Rows by seed, without what time and machines leave in them."""
    left_out = ("wall_s", "code_version")
    by_seed = sorted(found, key=lambda row: row["spec"]["grammar_seed"])
    return [{k: v for k, v in row.items() if k not in left_out} for row in by_seed]


def undisturbed(specs):
    return what_counts(json.loads(json.dumps([row_of(r) for r in train_replicas(specs)])))


def test_a_group_whose_worker_is_killed_goes_on_to_the_same_rows(often, tmp_path):
    specs = frail(tmp_path, dies=95)
    out = tmp_path / "out"
    run_study(specs, out, workers=1)
    assert calls(tmp_path) == 95 + 10  # step 95 killed it; 91 to 100 were made once more
    assert what_counts(rows(out)) == undisturbed(specs)
    assert not (out / "checkpoints").exists()


LONG = TINY | {"steps": 3000, "evaluations": 30}
DRIVER = """
import sys
from synaptree import make_spec, run_study
from synaptree.study import engine

if __name__ == "__main__":
    engine.CHECKPOINT_EVERY = 0.0
    specs = make_spec(rule="dfa", **eval(sys.argv[2])).replicate(2)
    run_study(specs, sys.argv[1], workers=1)
"""


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """The runs of a study that was killed amid its only group, and the file of its checkpoint."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "driver.py").write_text(DRIVER)
    specs = make_spec(rule="dfa", **LONG).replicate(2)
    file = Checkpoint.of(folder / "out", specs).path
    driver = subprocess.Popen([sys.executable, folder / "driver.py", folder / "out", repr(LONG)])
    try:
        while not file.exists():
            assert driver.poll() is None
            time.sleep(0.02)
    finally:
        driver.kill()
        driver.wait()
    return specs, file


@pytest.mark.parametrize("broken", [False, True], ids=["whole", "broken"])
def test_a_study_that_is_started_again_goes_on_or_says_why_not(left, broken, tmp_path):
    specs, file = left
    copy = tmp_path / "checkpoints" / file.name
    copy.parent.mkdir()
    copy.write_bytes(file.read_bytes()[: -1 if broken else None])
    before = 0 if broken else read_file(copy)[0]["training"]["steps"]
    told = []
    run_study(specs, tmp_path, workers=1, progress=told.append)
    assert next(update.step for update in told if update.step) > before
    ignored = [update.message for update in told if update.message]
    assert len(ignored) == broken
    assert all(said.startswith(f"checkpoint {copy} is ignored: network ") for said in ignored)
    assert what_counts(rows(tmp_path)) == undisturbed(specs)
    assert not copy.parent.exists()


def test_a_short_group_writes_no_checkpoint(tmp_path):
    seen = []
    run_study(
        make_spec(rule="dfa", **RUN).replicate(2),
        tmp_path,
        workers=1,
        progress=lambda _: seen.append((tmp_path / "checkpoints").exists()),
    )
    assert seen
    assert not any(seen)


def test_a_study_keeps_its_networks_where_asked(tmp_path):
    specs = make_spec(rule="dfa", **RUN).replicate(2)
    frame = run_study(specs, tmp_path, workers=1, save=True).set_index("run_id")
    for spec in specs:
        net = load_network(tmp_path / "networks" / spec.run_id)
        data = Data.draw([spec], net.device)
        wrong = net.activity(data.test_x).logits.argmax(-1) != data.test_y
        found = float(wrong.double().mean())
        assert found == pytest.approx(frame.loc[spec.run_id, "test_error"], abs=1e-7)
    with pytest.raises(SynaptreeError, match="save: given with a cluster"):
        run_study(specs, tmp_path, scheduler="tcp://127.0.0.1:1", save=True)


@pytest.mark.parametrize("name", ["checkpoints", "networks"])
def test_no_link_is_followed(name, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    out = tmp_path / "out"
    out.mkdir()
    (out / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SynaptreeError, match="is a symbolic link"):
        run_study(make_spec(rule="dfa", **RUN).replicate(1), out, workers=1)
    assert not list(Path(tmp_path / "elsewhere").iterdir())
