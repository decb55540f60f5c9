"""Other systems, simulated: every command of a list runs there, or says one sentence."""

import builtins
import ctypes
import io
import os
import subprocess
import sys
from pathlib import Path, PureWindowsPath

import pytest

from synaptree import cli, make_spec, train
from synaptree.results.journal import Journal
from synaptree.results.row import row_of
from synaptree.safely import SynaptreeError, check_folder

TINY = "--v 4 --n 4 --m 4 --L 3 --P 64 --width 4 --batch 8 --steps 2"
STUDY = "runs: [{rule: backprop, v: 4, n: 4, m: 4, L: 2, P: 64, width: 4, batch: 8, steps: 2}]\n"
COMMANDS = [
    "--version", "rules", "rules clapp", "rules clap", f"train --rule backprop {TINY} --out made",
    f"train --rule backprop {TINY} --json", "grammar show", "grammar show --svg tree.svg",
    "grammar info", "study status {0}", "study export {0}", "study export {0} --to parquet",
    "study run study.yaml --out out --dry-run", "report {0}", "audit backprop",
    "audit backprop --json", "bench --seconds 0", "study status nowhere",
]  # fmt: skip
HELP = ["--help", "train --help", "reproduce --help", "study run --help", "study export --help",
        "grammar show --help", "audit --help", "bench --help", "report --help"]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("results")
    small = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 4, "batch": 8, "steps": 2}
    journal = Journal(path)
    journal.append(*(row_of(train(make_spec(rule=rule, **small))) for rule in ("backprop", "dfa")))
    journal.close()
    return path


def windows(monkeypatch):
    """No fcntl, no resource, none of what POSIX alone has, and no library called None."""
    for name in ("fcntl", "resource", "pwd", "grp", "termios"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "fchmod", "pwrite", "pread", "getuid", "fork",
                 "sysconf", "sched_getaffinity", "getloadavg", "uname", "mkfifo"):  # fmt: skip
        monkeypatch.delattr(os, name, raising=False)
    library = ctypes.CDLL

    def load(name, *args, **kwargs):
        if name is None:
            raise TypeError("expected a name, not None")
        return library(name, *args, **kwargs)

    monkeypatch.setattr(ctypes, "CDLL", load)


def macos(monkeypatch):
    """A C library without mallopt, and none of what Linux alone has."""
    for name in ("sched_getaffinity", "posix_fadvise", "memfd_create"):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.setattr(ctypes, "CDLL", lambda name, *_, **__: object())
    read = builtins.open

    def without_proc(file, *args, **kwargs):
        # psutil, which asks another system otherwise, reads meminfo here.
        if str(file).startswith("/proc") and file != "/proc/meminfo":
            raise FileNotFoundError(2, "No such file or directory", file)
        return read(file, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", without_proc)


@pytest.mark.parametrize("line", COMMANDS)
@pytest.mark.parametrize("system", [windows, macos])
def test_a_command_runs_or_says_one_sentence(folder, tmp_path, monkeypatch, capfd, system, line):
    from synaptree.training.process import prepare

    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(STUDY)
    monkeypatch.setattr("synaptree.study.run.seconds_left", lambda *_: 1.0)
    prepare.cache_clear()
    with monkeypatch.context() as there:
        system(there)
        there.setattr(sys, "argv", ["synaptree", *line.format(folder).split()])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    out, err = capfd.readouterr()
    fails = "clap" in line.split() or "nowhere" in line or line.startswith("bench")
    assert ended.value.code == (2 if fails else 0), err
    assert len(err.splitlines()) == fails
    assert bool(out) is not fails


CONSOLES = ["cp1252", "ascii", "latin-1", "cp437", "utf-16", "utf-8"]


@pytest.mark.parametrize("encoding", CONSOLES)
def test_every_console_can_read_what_is_printed(folder, tmp_path, monkeypatch, encoding):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "60")
    quick = [line for line in COMMANDS if "dry-run" not in line and "report" not in line]
    whole = ""
    for line in [*quick, *HELP]:
        screen, errors = (io.TextIOWrapper(io.BytesIO(), encoding, "strict") for _ in range(2))
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setattr(sys, "stderr", errors)
        monkeypatch.setattr(sys, "argv", ["synaptree", *line.format(folder).split()])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = [stream.buffer.getvalue().decode(encoding) for stream in (screen, errors)]
        assert ended.value.code == (2 if printed[1] and "--out" not in line else 0), line
        whole += printed[0]
    assert "CLAPP" in whole
    assert "backprop" in whole
    assert whole.isascii() is (encoding == "ascii")
    assert (tmp_path / "tree.svg").read_text("utf-8").startswith("<svg")


def printed(line, **environment):
    return subprocess.run(
        [sys.executable, "-m", "synaptree", *line.split()], capture_output=True,
        env=os.environ | environment,
    )  # fmt: skip


def test_an_ascii_locale_prints_its_own_words():
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = printed("rules clapp", PYTHONIOENCODING="ascii:strict", **locale)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"arXiv 2010.08262" in done.stdout


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_closed_streams_are_no_fault(tmp_path, closed):
    svg = tmp_path / "tree.svg"
    line = f"{sys.executable} -m synaptree grammar show --svg {svg} {closed}"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert svg.read_text("utf-8").startswith("<svg")
    assert "wrote" not in svg.read_text("utf-8")  # which would be in the file that took its number


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
@pytest.mark.parametrize("line", ["rules", "grammar info --json"])
def test_output_that_cannot_be_written_is_one_sentence_with_its_own_code(line):
    done = subprocess.run(
        f"{sys.executable} -m synaptree {line} > /dev/full", shell=True, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 74
    (sentence,) = done.stderr.splitlines()
    assert "output: cannot be written (no space left on device)" in sentence


@pytest.mark.parametrize("line", ["rules", "grammar info"])
def test_a_reader_that_went_away_has_its_code(line):
    words = f"{sys.executable} -m synaptree {line} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_report_needs_nothing_of_the_users(folder, tmp_path):
    (tmp_path / "file").write_text("")
    gone = str(tmp_path / "file" / "below")
    nothing = {"MPLBACKEND": "nope", "HOME": gone, "TMPDIR": gone, "TERM": "dumb"}
    done = printed(f"report {folder}", **nothing, LANG="nonsense")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["STUDY.YAML", "Results.CSV", "Journal", ".Study.lock"])
def test_links_are_refused_where_names_have_no_case(tmp_path, name):
    (tmp_path / name).symlink_to("/etc/passwd")
    with pytest.raises(SynaptreeError, match="symbolic link"):
        check_folder(tmp_path)


def test_paths_of_windows_are_named_as_they_are():
    from synaptree.safely import unwritable

    path = PureWindowsPath(r"C:\\Users\\me\\runs")
    assert r"C:\\Users\\me\\runs" in str(unwritable(path, PermissionError(13, "Permission denied")))
