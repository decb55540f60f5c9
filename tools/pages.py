"""Run the code of a page of the documentation as a reader would, and write its output anew.

python tools/pages.py docs/tutorials/*.md      # after a change to the code of a page

Blocks of a page run in their order, in one folder, and share what they define:

- ``python`` and ``bash`` blocks are run.
- A block whose first line is a comment with nothing but a file name is written to that file.
- A ``text`` block is the output of the code before it. Code that fails must have one: its last line
  is then the message. In it, ``...`` stands for anything.
- A picture that lies beside the page is one that its code draws, under the same name.
- Nothing is done with a block after ``<!-- skip: next -->``.
"""

import io
import math
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser, SkipParser

from synaptree import cli
from synaptree.errors import SynaptreeError

NUMBER = r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?%?"
# Trained networks differ a little between processors; whole numbers do not. How far a number may be
# off: one between 0 and 1, which is a share; another, which may be a share in percent; or by a part
# of itself.
SHARE, PERCENT, PART = 0.05, 5.0, 0.25
SHELL = re.compile(r"[|&;<>$`*]")  # what only a shell understands
FILE = re.compile(r"(?:#!.*\n)?# ([\w./-]+\.\w+)\n")


class Page:
    """A page that is being run.  said: what the last code printed, and so far nobody has read.

    shown: where a page shows something else than its code prints: from, to, and what is printed.
    """

    def __init__(self, writes: bool = False) -> None:
        self.writes = writes
        self.said, self.failed = "", ""
        self.shown: list[tuple[int, int, str]] = []
        self.runs = PythonEvaluator()
        blocks = {
            "python": self.python,
            "bash": self.bash,
            "yaml": self.yaml,
            "text": self.output,
        }
        parsers = [CodeBlockParser(language, each) for language, each in blocks.items()]
        self.sybil = Sybil([*parsers, SkipParser()])

    def run(self, path: Path) -> dict[str, Any]:
        """Run the page in the current folder; what its Python code has defined is returned."""
        document = self.sybil.parse(path)
        document.namespace["__name__"] = "__main__"
        # A shell starts programs in the background deaf to Ctrl-C, and so would be those of a page.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        here = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        with patch.dict(os.environ, PATH=here):
            for example in document:
                example.evaluate()
        self.settle()
        return document.namespace

    def settle(self) -> None:
        """Before more code is run: code that failed without a word on the page is a mistake."""
        assert not self.failed, self.failed
        self.said = ""

    def yaml(self, example: Example) -> None:
        """Write a block that is a file; others only show what a file says."""
        self.filed(example)

    def filed(self, example: Example) -> bool:
        """Write a block that is a file; whether it is one."""
        self.settle()
        name = FILE.match(example.parsed)
        if name:
            Path(name[1]).parent.mkdir(parents=True, exist_ok=True)
            Path(name[1]).write_text(example.parsed, "utf-8")
        return name is not None

    def python(self, example: Example) -> None:
        """Run a block of Python."""
        if self.filed(example):
            return
        out = io.StringIO()
        with redirect_stdout(out):
            try:
                self.runs(example)
            except SynaptreeError as fault:
                self.failed = f"SynaptreeError: {fault}"
        self.said = out.getvalue() + self.failed

    def bash(self, example: Example) -> None:
        """Run a block of commands, with this Python's programs."""
        if self.filed(example):
            return
        lines = example.parsed.strip().splitlines()
        if all(line.startswith("synaptree ") and not SHELL.search(line) for line in lines):
            self.said, code = _in_this_process(lines)
        else:
            ended = subprocess.run(
                ["bash", "-e", "-c", example.parsed],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            self.said, code = ended.stdout, ended.returncode
        if code:
            self.failed = f"{example.path}:{example.line}: {example.parsed}\n{self.said}"

    def output(self, example: Example) -> None:
        """Compare a block with what the code before it printed."""
        said = "".join(f"{line.rstrip()}\n" for line in self.said.strip("\n").splitlines())
        self.shown.append((example.start, example.end, said))
        if not self.writes:
            where = f"{example.path}:{example.line}"
            assert agree(example.parsed, said), f"{where}\n{example.parsed}\nprinted:\n{said}"
        elif agree(example.parsed, said):
            self.shown.pop()
        self.said = self.failed = ""


def _in_this_process(lines: list[str]) -> tuple[str, int]:
    """What synaptree's own commands print, and the first exit code that is not 0.  A process of its
    own takes longer to start than most of them run."""
    out, code = io.TextIOWrapper(io.BytesIO(), "utf-8"), 0
    with redirect_stdout(out), redirect_stderr(out):
        for line in lines:
            with patch.object(sys, "argv", shlex.split(line, comments=True)):
                try:
                    cli.main()
                except SystemExit as ended:
                    code = int(ended.code or 0)
            if code:
                break
    out.flush()
    return out.buffer.getvalue().decode(), code  # pyright: ignore


def agree(shown: str, said: str) -> bool:
    """Whether output says what a page shows.  Words and whole numbers are the same, blanks do not
    count, and other numbers are close."""
    parts = re.split(rf"({NUMBER}|\.\.\.|\s+)", shown.strip())
    pattern, numbers = "", []
    for part in filter(None, parts):
        if re.fullmatch(NUMBER, part) and "." in part:
            pattern += f"({NUMBER})"
            numbers.append(part)
        else:
            pattern += {"...": ".*?"}.get(part, r"\s+" if part.isspace() else re.escape(part))
    found = re.fullmatch(pattern, said.strip(), re.DOTALL)
    return found is not None and all(map(_close, numbers, found.groups()))


def _close(a: str, b: str) -> bool:
    x, y = (float(text.rstrip("%").replace(",", "")) for text in (a, b))
    percent = a.endswith("%") or max(abs(x), abs(y)) > 1
    off = PERCENT if percent else SHARE
    return a.endswith("%") == b.endswith("%") and math.isclose(x, y, rel_tol=PART, abs_tol=off)


def pictures(text: str) -> list[str]:
    """The pictures of a page that lie beside it, and that its code draws."""
    return re.findall(r"!\[[^\]]*\]\(([\w-]+\.\w+)\)", text)


def written(path: Path) -> str:
    """The text of a page with the output that its code prints now."""
    text, page = path.read_text("utf-8"), Page(writes=True)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        page.run(path)
        for picture in pictures(text):
            shutil.copy(picture, path.parent / picture)
    for start, end, said in reversed(page.shown):
        text = f"{text[:start]}```text\n{said}```{text[end:]}"
    return text


if __name__ == "__main__":
    for name in sys.argv[1:]:
        page = Path(name).resolve()
        page.write_text(written(page), "utf-8")
