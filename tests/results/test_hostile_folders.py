"""A results folder from a stranger harms nothing: whatever it holds, nothing beside it changes."""

import base64
import csv
import gzip
import io
import json
import os
import re
import sys
from pathlib import Path

import pytest

from synaptree import SynaptreeError, load, make_spec, train
from synaptree.cli import main
from synaptree.report.figures.base import packed_csv
from synaptree.report.inputs import Inputs
from synaptree.report.tables.runs import table
from synaptree.results.export import export
from synaptree.results.journal import Journal
from synaptree.results.row import failed_row, row_of
from synaptree.results.sessions import Session
from synaptree.safely import (
    LeftOut,
    check_folder,
    lock_file,
    plain_cell,
    printable,
    replacing,
    write,
)
from synaptree.study.lock import hold

TINY = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 8, "batch": 16, "steps": 4, "tests": 16}
ESCAPES = "\x1b]52;c;aGVsbG8=\x07 \x1b[2J\x9b31m\nsynaptree: all is well\r\u202eevil\x7f"
FORMULA = '=HYPERLINK("https://example.org";"click")'
STUDY = "runs:\n  - {rule: backprop, v: 4, n: 4, m: 4, L: 2, P: 64, batch: 16}\n"


@pytest.fixture(scope="module")
def row():
    return json.loads(json.dumps(row_of(train(make_spec(rule="backprop", **TINY)))))


@pytest.fixture
def folder(tmp_path):
    """A results folder, and beside it files of the user's that must stay as they are."""
    home = tmp_path / "home"
    (home / "thesis" / "chapter").mkdir(parents=True)
    (home / "thesis" / "chapter" / "one.tex").write_text("years of work")
    (home / "precious.txt").write_text("precious")
    folder = home / "runs" / "gift"
    (folder / "journal").mkdir(parents=True)
    return folder


@pytest.fixture
def command(capsys, monkeypatch):
    """Calls the command line and returns its exit code and all that it printed."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["synaptree", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out + printed.err

    return call


def outside(folder: Path) -> dict[str, bytes | None]:
    """All that lies beside a results folder, with its content."""
    home = folder.parent.parent
    return {
        str(path): path.read_bytes() if path.is_file() else None
        for path in home.rglob("*")
        if folder not in path.parents and path != folder
    }


def put(folder: Path, *rows: object) -> None:
    lines = "".join(f"{json.dumps(line)}\n" for line in rows)
    (folder / "journal" / "a.jsonl").write_text(lines, "utf-8")


def with_spec(row, **keys):
    return row | {"spec": row["spec"] | keys}


@pytest.mark.parametrize("name", ["{home}/thesis", "../../thesis", "../../../thesis/chapter", "."])
@pytest.mark.parametrize("to", ["tensorboard", "csv"])
def test_a_run_id_in_the_spec_of_a_row_names_no_folder(folder, row, command, name, to):
    put(folder, with_spec(row, run_id=name.format(home=folder.parent.parent)))
    before, kept = outside(folder), (folder / "journal" / "a.jsonl").read_bytes()
    code, _ = command("study", "export", folder, "--to", to)
    assert code == 0
    assert outside(folder) == before
    assert (folder / "journal" / "a.jsonl").read_bytes() == kept
    if to == "tensorboard":
        assert [path.name for path in (folder / "tensorboard").iterdir()] == [row["run_id"]]


@pytest.mark.parametrize("name", ["/tmp/thesis", "../../thesis", "", "0" * 15, "G" * 16, 7])
def test_a_run_id_is_sixteen_hexadecimal_digits_or_the_row_is_refused(folder, row, command, name):
    put(folder, row | {"run_id": name})
    before = outside(folder)
    code, printed = command("study", "export", folder, "--to", "tensorboard")
    assert code == 2
    assert "a.jsonl:1: run_id" in printed
    assert outside(folder) == before


@pytest.mark.parametrize(
    "name",
    ["run_id", "label", "seed", "rule_options", "views", "status", "error", "family",
     "source", "steps_asked", "test_error", "curve_step", "probe", "code_version"],
)  # fmt: skip
def test_a_key_of_a_spec_never_takes_the_place_of_a_column(folder, row, name):
    put(folder, row)
    expected = load(folder)
    put(folder, row, with_spec(row, **{name: ["sibling"] if name == "views" else "replaced"}))
    if name == "views":  # a setting, which does not suit the rule
        with pytest.warns(LeftOut, match="2: spec: views"):
            load(folder)
    else:
        put(folder, with_spec(row, **{name: "replaced"}))
        assert load(folder)[name].tolist() == expected[name].tolist()


def test_exporting_removes_nothing_that_it_did_not_make(folder, row, command):
    put(folder, row)
    kept = folder / "tensorboard" / row["run_id"]
    kept.mkdir(parents=True)
    (kept / "notes.txt").write_text("mine")
    assert command("study", "export", folder, "--to", "tensorboard")[0] == 0
    assert [path.name for path in kept.iterdir()] == ["notes.txt"]
    for to in ("csv", "parquet"):
        other = folder / f"results.{to}"
        other.write_text("title,author\n")
        code, printed = command("study", "export", folder, "--to", to)
        assert code == 2
        assert "was not exported by synaptree" in printed
        assert other.read_text() == "title,author\n"
        other.unlink()
        for _ in range(2):  # its own export is written anew
            assert command("study", "export", folder, "--to", to)[0] == 0
        code, printed = command("study", "export", folder, "--to", to, "--out", folder)
        assert code == 2
        assert "is a folder" in printed


def test_an_interrupted_export_leaves_what_was_there(folder, row, monkeypatch):
    writer = pytest.importorskip("torch.utils.tensorboard.writer").SummaryWriter
    put(folder, row, row | {"run_id": "f" * 16})
    export(folder, "csv")
    before = (folder / "results.csv").read_bytes()

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as now:
        now.setattr("pandas.DataFrame.to_csv", interrupt)
        now.setattr(writer, "add_hparams", interrupt)
        for to in ("csv", "tensorboard"):
            with pytest.raises(KeyboardInterrupt):
                export(folder, to)
    assert (folder / "results.csv").read_bytes() == before
    assert list((folder / "tensorboard").iterdir()) == []
    assert not [path for path in folder.iterdir() if path.name.endswith(".part")]


# Every name that synaptree writes in a results folder, and what it once called files in passing.
LINKS = [
    ".study.lock", ".1-of-2.lock", "study.yaml", "results.csv", "results.parquet", "report.html",
    "audits.json", "journal/b.jsonl", "journal/b.jsonl.gz", "sessions/aaaaaaaaaaaa.json",
    ".results.csv.PID", ".results.parquet.PID", ".report.PID",
    "sessions/aaaaaaaaaaaa.part", "journal", "sessions", "tensorboard",
]  # fmt: skip


def use(folder: Path, command) -> list[int]:
    """Everything that a user does with a results folder; the exit codes."""
    (folder.parent / "study.yaml").write_text(STUDY)
    codes = [
        command(*words)[0]
        for words in (
            ("study", "status", folder),
            *(("study", "export", folder, "--to", to) for to in ("csv", "parquet", "tensorboard")),
            ("report", folder),
        )
    ]
    for act in (
        lambda: Journal(folder).close(),
        lambda: Session(folder, 1, "cpu").finished(1),
        lambda: write(folder, "study.yaml", STUDY),
        lambda: write(folder, "audits.json", "{}"),
        lambda: hold(folder, 1, 2).__enter__(),
    ):
        try:
            act()
        except SynaptreeError:
            codes.append(2)
        else:
            codes.append(0)
    (folder.parent / "study.yaml").unlink()
    return codes


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("target", ["precious.txt", "new.txt"])
def test_nothing_is_written_through_a_link(folder, row, command, monkeypatch, name, target):
    monkeypatch.setattr("uuid.uuid4", lambda: type("Guessed", (), {"hex": "a" * 32}))
    put(folder, row)
    link = folder / name.replace("PID", str(os.getpid()))
    if name in ("journal", "sessions", "tensorboard"):
        target = "thesis" if target == "precious.txt" else "thesis/chapter"
        if name == "journal":
            link.rename(folder / "was")
            (folder.parent.parent / target / "a.jsonl").write_bytes(
                (folder / "was" / "a.jsonl").read_bytes()
            )
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(folder.parent.parent / target)
    before = outside(folder)
    codes = use(folder, command)
    assert outside(folder) == before
    assert link.is_symlink()
    if not name.startswith((".results", ".report")):  # a name that is ours no more
        assert 2 in codes
        with pytest.raises(SynaptreeError, match="is a symbolic link"):
            check_folder(folder)


def test_a_lock_with_a_second_name_elsewhere_is_not_written(folder):
    os.link(folder.parent.parent / "precious.txt", folder / ".study.lock")
    before = outside(folder)
    with pytest.raises(SynaptreeError, match="no plain file"), hold(folder):
        pass
    assert outside(folder) == before


def test_a_named_pipe_is_refused_and_not_waited_for(folder, row):
    put(folder, row)
    os.mkfifo(folder / "journal" / "b.jsonl")
    with pytest.warns(LeftOut, match="no plain file"):
        assert len(load(folder)) == 1
    os.mkfifo(folder / "pipe.lock")
    with pytest.raises(SynaptreeError, match="no plain file"):
        lock_file(folder, "pipe.lock")


def test_a_folder_that_the_user_names_by_a_link_is_used(folder, row):
    put(folder, row)
    named = folder.parent / "latest"
    named.symlink_to(folder)
    assert len(load(named)) == 1
    assert write(named, "audits.json", "{}").read_text() == "{}"
    assert (folder / "audits.json").exists()


def test_temporary_files_have_new_names_that_cannot_be_guessed(folder):
    names = set()
    for _ in range(3):
        with replacing(folder, "report.html") as file:
            file.write(b"x")
            (partial,) = folder.glob(".*.part")
            assert re.fullmatch(r"\.[0-9a-f]{24}\.part", partial.name)
            names.add(partial.name)
    assert len(names) == 3
    assert {path.name for path in folder.iterdir()} == {"journal", "report.html"}
    with pytest.raises(TypeError), replacing(folder, "report.html") as file:
        file.writelines([b"half", None])
    assert (folder / "report.html").read_bytes() == b"x"
    assert {path.name for path in folder.iterdir()} == {"journal", "report.html"}


def harmless(printed: str) -> bool:
    """Whether a terminal shows text as it stands, but for the colours of our own tables."""
    printed = re.sub(r"\x1b\[[0-9;]*m", "", printed)
    return not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", printed)


def test_escape_sequences_of_a_folder_do_not_reach_the_terminal(folder, row, command):
    spec = make_spec(rule="backprop", **TINY | {"lr": 0.5})
    put(folder, row | {"label": ESCAPES}, failed_row(spec, ESCAPES) | {"label": f"dfa{ESCAPES}"})
    (folder / "study.yaml").write_text(STUDY)
    for words in (("study", "status"), ("report",), ("study", "export")):
        code, printed = command(*words, folder)
        assert code == 0, printed
        assert harmless(printed), words
        assert not any(line.startswith("synaptree: all") for line in printed.splitlines())
    code, printed = command("study", "status", folder)
    assert r"\x1b]52;c;aGVsbG8=\x07" in printed
    assert r"\nsynaptree: all is well\r\u202eevil\x7f" in printed


def test_escape_sequences_in_errors_do_not_reach_the_terminal(folder, row, command):
    put(folder, row)
    study = folder / "study.yaml"
    study.write_text('"x\\e[2J\\nsynaptree: all is well": 1\n')
    code, printed = command("study", "run", study, "--out", folder, "--dry-run")
    assert code == 2
    assert harmless(printed)
    assert "all is well" in printed
    assert not any(line.startswith("synaptree: all") for line in printed.splitlines())
    (folder / "journal" / "x\x1b[2J\nsynaptree: all is well.jsonl").write_text("{}\n")
    code, printed = command("study", "status", folder)
    assert code == 0
    assert "x\\x1b[2J\\nsynaptree: all is well.jsonl:1: run_id: field required" in printed
    assert harmless(printed)
    assert not any(line.startswith("synaptree: all") for line in printed.splitlines())
    (folder / ".study.lock").write_text(ESCAPES)
    with open(folder / ".study.lock", "rb+") as file:
        fcntl = pytest.importorskip("fcntl")
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(SynaptreeError, match="is being written by") as fault, hold(folder):
            pass
    assert harmless(str(fault.value))
    assert "\n" not in str(fault.value)


def test_text_is_made_printable_and_stays_readable():
    assert printable("dfa, lr=0.1 · naïve 学习 → 3%") == "dfa, lr=0.1 · naïve 学习 → 3%"
    assert printable(ESCAPES).isprintable()
    assert printable("\x00\t\x85\u2028\ud800") == r"\x00\t\x85\u2028\ud800"


def unpacked(link: str) -> str:
    return gzip.decompress(base64.b64decode(link.split(",")[1])).decode()


def cells(text: str) -> list[str]:
    return [cell for line in csv.reader(io.StringIO(text)) for cell in line]


@pytest.mark.parametrize("start", "=+-@\t\r")
def test_no_cell_of_text_begins_a_formula(folder, row, start):
    label = start + FORMULA[1:]
    put(folder, with_spec(row | {"label": label, "error": label}, **{label: -1, "own": label}))
    exported = cells(export(folder, "csv").read_bytes().decode())
    shown = cells(unpacked(packed_csv(table(Inputs.of(load(folder), {})))))
    for text in (exported, shown):
        assert f"'{label}" in text
        assert not [cell for cell in text if cell.startswith(start) and not cell[1:].isdecimal()]
    assert "-1" in exported  # a number is left as it is
    assert plain_cell(-0.5) == -0.5
    assert plain_cell("a-b") == "a-b"


def test_no_cell_of_a_figures_data_begins_a_formula(folder, row, command):
    put(folder, row | {"label": FORMULA})
    assert command("report", folder)[0] == 0
    page = (folder / "report.html").read_text("utf-8")
    tables = [unpacked(link) for link in re.findall(r'"(data:application/gzip[^"]+)"', page)]
    assert sum(f"'{FORMULA}" in cells(text) for text in tables) > 1
    assert not any(cell.startswith("=") for text in tables for cell in cells(text))
