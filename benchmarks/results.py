"""Measure everything and write benchmarks/RESULTS.md.

    python benchmarks/results.py [--only speed …]

Run it on a machine that does nothing else; it takes about 20 minutes. Sections that are not
measured again keep their text, with the date and the machine of their measurement.
"""

import argparse
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch

from synaptree.results.sessions import machine
from synaptree.version import code_version

FILE = Path(__file__).parent / "RESULTS.md"
HEAD = """# How fast synaptree is

Written by `python benchmarks/results.py`, each section by the script that it names. Every figure is
a ratio within one run: what is compared takes turns in short slices. In brackets the lowest and the
highest of the slices.
"""
SECTIONS = {  # title, and the command that measures it
    "speed": ("One core beside plain PyTorch and beside its own products", "speed.py"),
    "every_rule": ("Every rule beside backprop", "every_rule.py"),
    "settling": ("What convergence costs, and what it brings", "settling.py"),
    "whole_run": ("Whole runs beside the RHM authors' later program", "whole_run.py"),
    "portrait": ("What a portrait costs of a run of 3000 steps", "portrait.py"),
    "precision": ("The quick preset in bfloat16", "precision.py"),
    "scaling": ("What a step costs as sizes grow; data and views in it", "scaling.py"),
    "memory": ("Memory of a replica", "memory.py"),
    "engine": ("Workers, the engine's own work, loading results", "engine.py"),
    "gpu": ("A GPU: speed", "speed.py --device cuda"),
}


def written(text: str) -> dict[str, str]:
    """The sections of the file's text, by name."""
    sections = re.findall(r"<!-- (\w+) -->\n(.*?)(?=<!-- |\Z)", text, re.DOTALL)
    return {name: body.strip() + "\n" for name, body in sections}


def measured(name: str) -> str:
    """Measure a section now, in a process of its own."""
    title, command = SECTIONS[name]
    device = "cuda" if "cuda" in command else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        return f"## {title}\n\n`benchmarks/{command}`: not measured, for want of a GPU.\n"
    script, *options = command.split()
    words = [sys.executable, str(FILE.parent / script), *options]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    here = machine(device)
    day = datetime.now(UTC).date().isoformat()
    what = f"{here.get('gpu', here['processor'])}, {here['cores']} cores, torch {version('torch')}"
    head = f"## {title}\n\n`benchmarks/{command}`; {what}; {code_version()}; {day}.\n\n"
    return head + done.stdout.strip() + "\n"


def main() -> None:
    """Measure the sections asked for, and write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    only = parser.parse_args().only
    sections = written(FILE.read_text("utf-8")) if FILE.exists() else {}
    for name in SECTIONS:
        if name in only or name not in sections:
            print(f"measuring: {name}", flush=True)
            sections[name] = measured(name)
    body = "\n".join(f"<!-- {name} -->\n{sections[name]}" for name in SECTIONS)
    FILE.write_text(f"{HEAD}\n{body}", encoding="utf-8")


if __name__ == "__main__":
    main()
