"""The command line: what a user types, what comes back, and what a mistake costs (one line)."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.text import Text
from typer.main import get_command

from synaptree import SynaptreeError, cli, load, make_spec, train
from synaptree.rules import names

BIN = Path(sys.executable).parent / "synaptree"
TRAIN = "train --rule {} --v 4 --n 4 --m 4 --L 2 --P 64 --width 8 --batch 16 --steps 20".format


def call(capsys, line: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command line."""
    sys_argv, sys.argv = sys.argv, ["synaptree", *line.split()]
    try:
        with pytest.raises(SystemExit) as ended:
            cli.main()
    finally:
        sys.argv = sys_argv
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.mark.parametrize(
    "words",
    [[], ["reproduce"], ["report"], ["train"], ["rules"], ["grammar"], ["grammar", "show"],
     ["grammar", "info"]],
)  # fmt: skip
def test_help_answers_without_torch(words):
    code = "import sys; sys.argv[1:] = {}; from synaptree import cli\ntry: cli.main()\nfinally: " \
        "print(sorted(sys.modules.keys() & {{'torch', 'pandas', 'numpy', 'scipy'}}))"  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code.format([*words, "--help"])], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "[]"


def helps(command):
    """The help texts of a command, of its options, and of the commands below it."""
    yield from (command.help or "", *(getattr(p, "help", None) or "" for p in command.params))
    for below in getattr(command, "commands", {}).values():
        yield from helps(below)


def test_no_part_of_a_help_text_is_taken_for_markup():
    texts = list(helps(get_command(cli.app)))
    assert any("(default: 2000)" in text for text in texts)
    for text in texts:
        assert Text.from_markup(text).plain == text


def test_the_package_is_a_command_line_too():
    done = subprocess.run(
        [sys.executable, "-m", "synaptree", "rules", "clapx"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("synaptree: rule: 'clapx' is unknown")
    done = subprocess.run(
        [sys.executable, "-m", "synaptree", "--help"], capture_output=True, text=True
    )
    assert "Usage: synaptree" in done.stdout


def test_version_names_the_commit(capsys):
    code, out, _ = call(capsys, "--version")
    assert code == 0
    assert re.fullmatch(r"synaptree \d+\.\d+\.\d+(rc\d+)?( \([0-9a-f]{10}(\+dirty)?\))?\n", out)


def test_an_option_of_a_rule_given_as_one_of_the_command_line_says_how(capsys):
    code, _, err = call(capsys, "train --rule clapp --negative previous")
    assert code == 2
    says = "No such option: --negative; an option of clapp, as --option negative=VALUE"
    assert err == f"synaptree: {says}\n"
    assert "--option" not in call(capsys, "grammar show --negative previous")[2]
    assert "; an option" not in call(capsys, "train --nonsense 3")[2]


def test_train_prints_one_json_object_and_nothing_else(capsys):
    code, out, _ = call(capsys, TRAIN("clapp") + " --views same_class --replicas 2 --json")
    assert code == 0
    (line,) = out.splitlines()
    found = json.loads(line)
    promised = "rule views v n m s L P seed replicas steps test_error train_error probe wall_s"
    assert set(promised.split()) | {"code_version"} <= set(found)
    assert found["rule"] == "clapp"
    assert found["views"] == ["same_class", "same_class"]
    assert (found["steps"], found["replicas"]) == (20, 2)
    assert [len(found[name]) for name in ("test_error", "train_error", "probe")] == [2, 2, 2]
    assert [len(layers) for layers in found["probe"]] == [2, 2]
    assert all(0 <= e <= 1 for e in found["test_error"])


def test_a_replica_of_the_command_line_is_the_run_of_its_seed(capsys):
    _, both, _ = call(capsys, TRAIN("dfa") + " --seed 3 --replicas 2 --precision float64 --json")
    _, one, _ = call(capsys, TRAIN("dfa") + " --seed 4 --precision float64 --json")
    assert json.loads(both)["run_id"][1:] == json.loads(one)["run_id"]
    assert json.loads(both)["test_error"][1:] == json.loads(one)["test_error"]


def test_train_prints_a_table_and_keeps_results_where_asked(capsys, tmp_path):
    code, out, _ = call(capsys, TRAIN("backprop") + f" --out {tmp_path / 'kept'}")
    assert code == 0
    assert "test" in out
    n = load(tmp_path / "kept")["n"].item()
    said = f"Guessing errs on {1 - 1 / n:.4f}; a grammar is solved at {0.1 - 0.1 / n:.4f} or less."
    assert said in out
    assert load(tmp_path / "kept")["rule"].tolist() == ["backprop"]


@pytest.mark.parametrize("option", ["--weights random --masks true", "--option masks=true"])
def test_rule_options_reach_the_rule(capsys, option):
    _, out, _ = call(capsys, TRAIN("masking") + f" {option} --json")
    assert json.loads(out)["rule_options"]["masks"] == "true"


def test_rules_lists_every_rule_untruncated(capsys):
    code, out, _ = call(capsys, "rules")
    assert code == 0
    assert all(f" {name} " in out for name in names())
    assert "…" not in out


@pytest.mark.parametrize("name", names())
def test_each_rule_has_a_page_with_citation_and_equation(capsys, name):
    code, out, _ = call(capsys, f"rules {name}")
    assert code == 0
    assert "citation" in out
    assert "equation" in out
    assert "differences" in out


def test_options_behind_a_name_are_read_by_each_command(capsys):
    assert "scale = 2.5" in call(capsys, "rules dfa(scale=2.5)")[1]
    assert call(capsys, "check readout_only() dfa(scale=2)")[0] == 0
    wrong = "synaptree: rule dfa: option: 'wrong' is unknown; expected one of"
    for command in ("rules", "check", "audit", "signal --rule", "train --rule"):
        code, _, err = call(capsys, f"{command} dfa(wrong=2)")
        assert code == 2
        assert err.startswith(wrong)


def test_check_says_each_fault_with_the_rule_and_has_an_exit_code(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "from synaptree.rules import DFA, Rule\n"
        "class Mine(Rule):\n"
        "    facts = DFA.facts\n"
        "    def teach(self, net, state, batch, generators): ...\n"
    )
    code, out, err = call(capsys, "check readout_only mine.py")
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "readout_only: no fault found",
        'mine.py: has no name; expected name: Literal["my_rule"] = "my_rule"',
    ]
    assert call(capsys, "check dfa --option scale=2")[0] == 0
    assert call(capsys, "check nothing")[0] == 2


def test_grammar_show_draws_a_derivation(capsys, tmp_path):
    code, out, _ = call(capsys, "grammar show --L 4")
    assert code == 0
    assert "tokens" in out
    assert max(map(len, out.splitlines())) <= 80
    svg = tmp_path / "tree.svg"
    assert call(capsys, f"grammar show --L 4 --svg {svg}")[0] == 0
    assert svg.read_text().startswith("<svg")


def test_grammar_show_draws_variants_and_what_a_string_tells(capsys, tmp_path):
    _, plain, _ = call(capsys, "grammar show")
    _, sparse, _ = call(capsys, "grammar show --L 2 --sparse 1")
    assert sparse.split("tokens")[1].split().count("·") == 12
    _, packed, _ = call(capsys, "grammar show --m 3 --L 2 --mixed --packed --string 1")
    tokens = packed.split("tokens")[1].split()
    assert tokens == sorted(tokens, key="·".__eq__)
    _, noisy, _ = call(capsys, "grammar show --noise 0.9 --broken 0.9 --zipf 1")
    assert "×" in noisy
    assert "seen" in noisy
    _, hidden, _ = call(capsys, "grammar show --hide 0-2,7")
    assert hidden.split("seen")[1].split().count("?") == 4
    assert "%" in hidden
    _, own, _ = call(capsys, "grammar show --rules rules.json")
    assert own == ""  # no such file
    (tmp_path / "rules.json").write_text(
        '{"format": "synaptree-rules/1", "rules": [[[[0, 1]], [[1, 1, 1]]]]}'
    )
    _, own, _ = call(capsys, f"grammar show --rules {tmp_path}/rules.json")
    assert own.startswith("class")
    assert plain not in (sparse, packed, noisy, hidden, own)


def test_grammar_info_knows_uniform_inputs(capsys):
    _, out, _ = call(capsys, "grammar info --m 8 --json")
    facts = json.loads(out)
    assert facts["uniform_inputs"] is True
    assert facts["bits"][0]["siblings"] == pytest.approx(0, abs=1e-9)
    code, out, _ = call(capsys, "grammar info")
    assert code == 0
    assert "P max" in out


MISTAKES = [
    ("train --rule clap", "did you mean 'clapp'?"),
    ("train --rule backprop --m 9", "largest valid m is 8"),
    ("train --rule clapp --views sibling", "the top layer has one position"),
    ("train --rule clapp --views siblings,same_class", "did you mean 'sibling'?"),
    ("train --rule clapp", "none given"),
    ("train --rule dfa --views same_class", "does not use views"),
    ("train --rule clapp --views trace:0", "at least 1"),
    ("train --rule clapp --views trace:6", "multiple of 7"),
    ("train --rule backprop --m 2 --P 5000", "P_max"),
    ("train --rule backprop --v -1", "v: -1 given"),
    ("train --rule backprop --P 0", "greater than or equal to 1"),
    ("train --rule backprop --steps -5", "steps"),
    ("train --rule backprop --width 0", "width"),
    ("train --rule backprop --optimizer adm", "adam"),
    ("train --rule backprop --lr fast", "lr"),
    ("train --rule infonce --views same_class --option heat=1", "temperature"),
    ("train --rule infonce --views same_class --option temperature=-1", "temperature"),
    ("train --rule backprop --option x=1", "no options"),
    ("train --rule backprop --option x", "NAME=VALUE"),
    ("train --rule backprop --seed -1", "seed"),
    ("train --rule backprop --replicas 0", "replicas"),
    ("train --rule backprop --replicas 1000000000", "at most 10000"),
    ("train --rule backprop --seed 0-3", "'0-3' given; expected one whole number, as 3"),
    ("train --rule backprop --L 1_0", "'1_0' given; expected one whole number, as 3"),
    ("train --rule backprop --out=", "expected a path"),
    ("bench --seconds inf", "'inf' given; expected a number"),
    ("bench --seconds 1e9", "expected 1 to 86400"),
    ("grammar show --string 1000000000", "expected 0 to 9999"),
    ("study export /nowhere --out /", "holds none"),
    ("train --rule backprop --out /", "expected a folder for results"),
    ("train --rule backprop --device tpu", "cpu or cuda"),
    ("train", "--rule"),
    ("rules clapx", "did you mean 'clapp'?"),
    ("grammar info --s 0", "grammar s"),
    ("grammar show --L 0", "grammar L"),
    ("grammar show --hide 0,8", "hide: place 8; expected places 0 to 7"),
    ("grammar show --hide a", "expected places, as 0-3 or 1,4"),
    ("grammar show --sparse 1 --packed", "layout: 'packed' would remove the blanks"),
    ("grammar show --noise 1", "noise tokens: 1, which leaves nothing"),
    ("grammar show --mixed --rules rules.json", "mixed: given with --rules"),
    ("grammar show --svg /nowhere/tree.svg", "cannot be written"),
    ("reproduce --preset quik", "did you mean 'quick'?"),
    ("reproduce --workers 0", "workers"),
    ("report /nowhere", "holds none"),
    ("frobnicate", "frobnicate"),
    ("train --rule backprop --out /proc/nowhere", "cannot be written"),
    ("reproduce --out /proc/nowhere", "cannot be written"),
]


@pytest.mark.parametrize(("line", "says"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_a_mistake_is_one_line_and_exit_code_2(capsys, tmp_path, monkeypatch, line, says):
    monkeypatch.chdir(tmp_path)
    code, out, err = call(capsys, line)
    assert code == 2
    assert out == ""
    (sentence,) = err.splitlines()
    assert says in sentence
    assert list(tmp_path.iterdir()) == []  # nothing half-written


def test_the_deepest_grammar_has_facts_too(capsys):
    code, out, _ = call(capsys, "grammar info --m 2 --L 20")
    assert code == 0
    assert "log10 P max" in out
    code, out, _ = call(capsys, "grammar info --m 2 --L 20 --json")
    assert json.loads(out)["P_max"] is None
    assert "about 10^" in call(capsys, "grammar info --L 7")[1]


def test_no_words_at_all_is_help(capsys):
    code, out, _ = call(capsys, "")
    assert code in (0, 2)
    assert "reproduce" in out


def test_ctrl_c_is_one_line(capsys, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("synaptree.training.loop.train_replicas", interrupted)
    code, _, err = call(capsys, TRAIN("backprop"))
    assert (code, err) == (130, "synaptree: stopped\n")


def test_a_reader_that_goes_away_is_no_traceback():
    done = subprocess.run(
        f"{BIN} rules clapp | head -1", shell=True, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr


def test_reproduce_runs_judges_reports_and_goes_on(capsys, tmp_path, monkeypatch):
    """The main job on a preset of seconds: everything but the size is real."""
    from synaptree import reproduction
    from synaptree.study.files import Study
    from synaptree.study.write import study_text

    tiny = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 8, "batch": 16, "steps": 20}
    rules = ({"rule": "backprop"}, {"rule": "dfa"}, {"rule": "clapp", "views": ("same_class",)})
    specs = [spec for rule in rules for spec in make_spec(**tiny, **rule).replicate(2)]
    study = Study(specs, study_text(specs))
    monkeypatch.setattr(reproduction, "preset_study", lambda *_: study)
    out = tmp_path / "runs"
    code, said, _ = call(capsys, f"reproduce --out {out} --workers 2")
    assert code == 0
    assert "runs done" in said
    assert "The claims of the study" in said
    assert (out / "study.yaml").read_text() == study.text
    page = (out / "report.html").read_text()
    assert "clapp" in page
    files = {path: path.read_bytes() for path in (out / "journal").iterdir()}
    code, said, _ = call(capsys, f"reproduce --out {out} --workers 2")
    assert code == 0
    assert "6 of 6 runs are there already" in said
    assert {path: path.read_bytes() for path in (out / "journal").iterdir()} == files
    code, said, _ = call(capsys, f"report {out}")
    assert code == 0
    assert (out / "report.html").read_text() == page


# Studies ------------------------------------------------------------------------------------------

STUDY = """
seeds: [0, 1]
defaults: {v: 4, n: 4, m: 4, s: 2, L: 2, P: 64, width: 8, batch: 16, steps: 4, tests: 16}
runs: [{rule: [backprop, dfa]}, {rule: clapp, views: "trace:7", P: [20, 64]}]
"""


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


def test_a_study_runs_in_shards_and_keeps_failures_until_asked(capsys, tmp_path, study):
    out = tmp_path / "out"
    codes = []
    for part in (1, 2, 3):
        # The trace of 8 inputs does not fit 20 strings of 4 classes: those runs fail.
        line = f"study run {study} --out {out} --shard {part}/3 --workers 1"
        codes.append(call(capsys, line)[0])
    assert sorted(codes) == [0, 0, 1]  # of the share that has the failed runs
    frame = load(out)
    assert sorted(frame["status"]) == ["done"] * 6 + ["failed"] * 2
    assert frame["run_id"].is_unique
    code, said, _ = call(capsys, f"study status {out}")
    assert code == 0
    assert "6 runs done, 2 failed, 0 left" in said
    assert "expected a larger P or a smaller K" in said


NAMES = "`synaptree study status {}` names them, `--retry` runs them again"
# Exit codes: the same for the first call and for every call after it.
OK = STUDY.replace("[20, 64]", "64")
CODES = [
    (OK, "", 0, "6 runs done, 0 failed, 0 left"),
    (STUDY, "", 1, "6 runs done, 2 failed, 0 left"),
    (STUDY, "--retry", 1, "6 runs done, 2 failed, 0 left"),
    (OK, "--shard 9/9", 0, "share 9/9 is empty: all 6 runs are in other shares"),
    (OK, "--shard 1/9", 0, "2 runs done, 0 failed, 4 left"),
    (OK, "--shard 0/9", 2, ""),
    (OK.replace("dfa", "dfaa"), "", 2, ""),
    (OK, "--device tpu", 2, ""),
]


@pytest.mark.parametrize(("text", "options", "code", "says"), CODES)
def test_exit_codes_speak_of_the_study_and_not_of_the_call(
    capsys, tmp_path, study, text, options, code, says
):
    study.write_text(text)
    out = tmp_path / "out"
    for again in (False, True):
        found, said, err = call(capsys, f"study run {study} --out {out} --workers 1 {options}")
        assert found == code
        assert says in said
        assert ("are there already" in said) is (again and code < 2 and "empty" not in says)
        assert len(err.splitlines()) == (0 if code == 0 else 1)
        if code == 1:
            assert err == f"synaptree: 2 runs failed; {NAMES.format(out)}\n"


def test_an_empty_share_leaves_a_folder_whose_status_is_known(capsys, tmp_path, study):
    out = tmp_path / "out"
    assert call(capsys, f"study run {study} --out {out} --shard 9/9")[0] == 0
    code, said, _ = call(capsys, f"study status {out}")
    assert (code, said) == (0, f"{out}: 0 runs done, 0 failed, 8 left\n")


def test_ctrl_c_has_an_exit_code_of_its_own(capsys, tmp_path, study, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("synaptree.study.engine.run", interrupted)
    code, _, err = call(capsys, f"study run {study} --out {tmp_path / 'out'}")
    assert (code, err) == (130, "synaptree: stopped; what was finished is kept\n")


def test_a_study_file_may_be_a_pipe(tmp_path, study):
    study.write_text(OK)
    out = tmp_path / "out"
    line = f"{BIN} study run <(cat {study}) --out {out} --workers 1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert (out / "study.yaml").read_text() == OK
    assert len(load(out)) == 6


def test_a_preset_says_what_it_would_take(capsys, tmp_path):
    code, said, _ = call(capsys, f"reproduce --dry-run --workers 2 --out {tmp_path / 'out'}")
    assert code == 0
    assert re.match(r"100 runs; 100 are left, .* on 2 workers", said)
    assert not (tmp_path / "out").exists()


def test_a_dry_run_counts_and_writes_nothing(capsys, tmp_path, study):
    out = tmp_path / "out"
    study.write_text(STUDY.replace("[20, 64]", "64"))
    code, said, _ = call(capsys, f"study run {study} --out {out} --dry-run --workers 2")
    assert code == 0
    assert said.startswith("6 runs; 6 are left, in 3 groups of up to 2")
    assert not out.exists()


def test_results_are_exported(capsys, tmp_path, study):
    import pandas as pd

    out = tmp_path / "out"
    call(capsys, f"study run {study} --out {out} --workers 1")
    code, _, _ = call(capsys, f"study export {out} --to csv")
    assert code == 0
    table = pd.read_csv(out / "results.csv").set_index("run_id")
    frame = load(out).set_index("run_id")
    assert table["test_error"].dropna().tolist() == frame["test_error"].dropna().tolist()
    done = frame[frame["status"] == "done"].index[0]
    assert json.loads(table.loc[done, "probe"]) == frame.loc[done, "probe"]
    assert json.loads(table.loc[done, "curve_step"]) == [1, 2, 3, 4]


def test_all_faults_of_a_study_are_printed_a_line_each(capsys, tmp_path, study):
    study.write_text(STUDY.replace("dfa", "dfaa").replace("width", "widht"))
    code, out, err = call(capsys, f"study run {study} --out {tmp_path / 'out'}")
    assert (code, out) == (2, "")
    assert [line.split(":")[2] for line in err.splitlines()[-2:]] == ["3", "4"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "a/b", "1/0", "-1/3"])
def test_a_shard_that_is_none(capsys, tmp_path, study, shard):
    code, _, err = call(capsys, f"study run {study} --out {tmp_path / 'out'} --shard={shard}")
    assert code == 2
    assert "i from 1 to n" in err


def test_the_audit_prints_a_matrix_and_a_sentence_for_each_rule(capsys):
    code, out, _ = call(capsys, "audit dfa clapp")
    assert code == 0
    assert "own gate × the output's error, broadcast. Needs labels." in " ".join(out.split())
    code, out, _ = call(capsys, "audit clapp --option negative=previous --json")
    (found,) = json.loads(out)
    assert found["needs"]["memory"] == "yes"
    assert found["contradicted"] == []
    assert set(found["layers"]["masks_above"]) == {"no", "none"}


def test_train_names_layers_that_collapsed(capsys):
    line = "train --rule vicreg --views same_class --v 4 --n 4 --m 2 --L 2 --P 16 --batch 8"
    how = (
        " --option variance=0 --option covariance=0 --option dims=0 --lr 0.01 --steps 400 --width 8"
    )
    code, out, _ = call(capsys, line + how)
    assert code == 0
    assert "seed 0: collapsed in layer 1" in out


def test_grammar_info_has_the_signal_budget(capsys):
    _, out, _ = call(capsys, "grammar info --v 4 --n 4 --m 4 --L 2 --json")
    budget = json.loads(out)["budget"]
    assert budget["sibling"] == [pytest.approx(0, abs=1e-12), None]
    assert budget["same_class"][1] == pytest.approx(2)


# What became of runs ------------------------------------------------------------------------------

WILD = "--optimizer sgd --lr 1e38"  # of which no network comes back


def test_train_names_runs_that_diverged(capsys):
    line = TRAIN("backprop") + f" {WILD} --replicas 2"
    code, out, err = call(capsys, line)
    assert (code, err) == (0, "")
    assert out.splitlines()[-2:] == ["seed 0: diverged", "seed 1: diverged"]
    code, out, _ = call(capsys, line + " --json")
    assert code == 0
    said = json.loads(out)
    assert said["diverged"] == [True, True]
    assert (said["stopped"], said["collapsed"]) == ([False, False], [[], []])
    assert said["probe"] == [[None, None]] * 2


DIVERGING = """
seeds: [0, 1]
defaults: {v: 4, n: 4, m: 4, s: 2, L: 2, P: 64, width: 8, batch: 16, steps: 4, tests: 16}
runs: [{rule: backprop}, {rule: dfa, optimizer: sgd, lr: 1.0e+38},
       {rule: drtp, stop_loss: 100.0, steps: 40}]
"""


def test_status_and_report_name_runs_that_diverged_and_stopped(capsys, tmp_path):
    (tmp_path / "study.yaml").write_text(DIVERGING)
    out = tmp_path / "out"
    code, said, _ = call(capsys, f"study run {tmp_path / 'study.yaml'} --out {out} --workers 1")
    assert code == 0
    told = "of the runs done: diverged in 2 of 6 runs, stopped in 2 of 6 runs"
    for line in ("", f"report {out}"):  # on the scoreboard of the run, and of the folder
        said = call(capsys, line)[1] if line else said
        assert told in said
        marked = [row.split()[0] for row in said.splitlines() if "%!" in row]
        assert marked == ["dfa"]
    said = call(capsys, f"study status {out}")[1]
    assert told in said
    (row,) = (line for line in said.splitlines() if "│ dfa" in line)
    assert "diverged in 2 of 2 runs" in row
    (row,) = (line for line in said.splitlines() if "│ backprop" in line)
    assert "of 2 runs" not in row


# Tables -------------------------------------------------------------------------------------------


def number_words(text: str) -> list[str]:
    return sorted(re.findall(r"\d+\.\d+%?", text))


@pytest.mark.parametrize("columns", ["20", "40", "80"])
@pytest.mark.parametrize(
    "line",
    [TRAIN("backprop") + " --L 4 --m 2", "study status {}", "rules", "audit dfa", "report {}"],
)
def test_no_number_is_cut_at_any_width(capsys, tmp_path, monkeypatch, line, columns):
    results = Path(__file__).parent.parent / "results" / "quick-1"
    shutil.copytree(results, tmp_path / "quick")
    line = line.format(tmp_path / "quick")
    monkeypatch.setattr("synaptree.study.progress.Live.__call__", lambda *_: None)
    _, wide, _ = call(capsys, line)
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal
    monkeypatch.setenv("COLUMNS", columns)
    _, narrow, _ = call(capsys, line)
    narrow = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", narrow)
    assert number_words(narrow) == number_words(wide)
    assert "…" not in narrow


def test_without_a_terminal_there_is_no_limit_of_width(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    code, out, _ = call(capsys, TRAIN("backprop") + " --L 6 --m 2")
    assert code == 0
    row = [line for line in out.splitlines() if line.startswith("│")][-1]
    assert len(re.findall(r"0\.\d+|1\.000", row)) == 8


def test_signal_prints_a_table_for_each_step_and_a_row_for_each_rule(capsys):
    tiny = "--v 4 --n 4 --m 2 --L 2 --P 16 --width 4 --strings 64"
    asked = f"signal --rule dfa --rule masking,masks=only:2,weights=sign {tiny} --steps 0,2"
    code, out, _ = call(capsys, asked)
    assert code == 0
    for words in (
        "after 0 steps",
        "after 2 steps",
        "dfa",
        "sign feedback, masks of layers 2 alone",
    ):
        assert words in out
    code, out, _ = call(capsys, f"{asked} --rule readout_only --replicas 2 --json")
    rows = json.loads(out)["rows"]
    assert [row["step"] for row in rows] == [0] * 12 + [2] * 12
    assert all((row["ratio"] is None) == (row["rule"] == "readout_only") for row in rows)
    code, _, err = call(capsys, f"signal --rule dfa,scales=2 {tiny}")
    assert code == 2
    assert "rule dfa: option: 'scales' is unknown; expected one of error, feedback, scale" in err


RAISING = """
from typing import ClassVar, Literal
from synaptree.rules import Facts, Rule

class Raising(Rule):
    name: Literal["raising"] = "raising"
    facts: ClassVar[Facts] = Facts(
        title="x", family="reference", citation="mine", equation="x", differences="none"
    )

    def teach(self, net, state, batch, generators):
        return [z / "2" for z in batch.activity.z]
"""


@pytest.mark.parametrize(
    "line",
    [
        "audit raising.py",
        "train --rule raising.py --v 4 --n 4 --m 2 --P 32 --batch 8 --steps 2",
        "judge raising.py --quick --dry-run",
    ],
)
def test_what_a_rule_of_ones_own_raises_is_one_line(capsys, tmp_path, monkeypatch, line):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raising.py").write_text(RAISING, "utf-8")
    code, _, err = call(capsys, line)
    assert code == 2
    (sentence,) = [each for each in err.splitlines() if each.startswith("synaptree: ")]
    assert "teach: raises TypeError: unsupported operand" in sentence
    assert "(line 12 of raising.py)" in sentence
    assert "Traceback" not in err


def test_an_error_in_ones_own_rule_keeps_its_traceback_in_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raising.py").write_text(RAISING, "utf-8")
    spec = make_spec(rule="raising.py", v=4, n=4, m=2, L=2, P=8, batch=4, steps=1, width=4)
    with pytest.raises(SynaptreeError) as fault:
        train(spec)
    assert isinstance(fault.value.__cause__, TypeError)


def test_needs_has_a_folder_of_its_own_if_none_is_typed(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = "--v 4 --n 4 --m 2 --L 2 --width 4 --batch 4 --steps 2 --P 4..8 --seeds 0 --workers 1"
    code, _, err = call(capsys, f"needs --rule readout_only {small}")
    assert code == 0, err
    assert [*(tmp_path / "runs" / "needs" / "journal").iterdir()]
