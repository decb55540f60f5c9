"""Measure everything and write benchmarks/RESULTS.md.

    python benchmarks/results.py [--only speed …] [--gpu]

On a machine that does nothing else, which takes about 10 minutes. Sections that are not measured
keep what the file says of them, and when and with what that was measured.
"""

import argparse
import re
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import engine
import every_rule
import memory
import precision
import scaling
import speed
import torch

from synaptree.study.process import prepare
from synaptree.study.sessions import machine
from synaptree.version import code_version

FILE = Path(__file__).parent / "RESULTS.md"
HEAD = """# How fast synaptree is

Written by `python benchmarks/results.py`, each section by the script that it names. Every figure is
a ratio within one run: what is compared takes turns in short slices. In brackets the lowest and the
highest of the slices.
"""
Section = Callable[[str, float], list[str]]
SECTIONS: dict[str, tuple[str, Section, str, float]] = {
    "speed": (
        "One core beside plain PyTorch and beside its own products",
        speed.section,
        "cpu",
        20,
    ),
    "every_rule": ("Every rule beside backprop", every_rule.section, "cpu", 2),
    "precision": ("The quick preset in bfloat16", precision.section, "cpu", 0),
    "scaling": ("What a step costs as sizes grow; data and views in it", scaling.section, "cpu", 3),
    "memory": ("Memory of a replica", memory.section, "cpu", 0),
    "engine": ("Workers, the engine's own work, loading results", engine.section, "cpu", 5),
    "gpu": ("A GPU: speed", speed.section, "cuda", 20),
}


def written(text: str) -> dict[str, str]:
    """The sections of the file as it is, by name."""
    found = re.findall(r"<!-- (\w+) -->\n(.*?)(?=<!-- |\Z)", text, re.DOTALL)
    return {name: body.strip() + "\n" for name, body in found}


def measured(name: str) -> str:
    """A section, measured now."""
    title, section, device, seconds = SECTIONS[name]
    script = "speed.py --device cuda" if name == "gpu" else f"{name}.py"
    if device == "cuda" and not torch.cuda.is_available():
        return f"## {title}\n\n`benchmarks/{script}`: not measured, for want of a GPU.\n"
    here = machine(device)
    day = datetime.now(UTC).date().isoformat()
    what = f"{here.get('gpu', here['processor'])}, {here['cores']} cores, torch {version('torch')}"
    lines = [f"## {title}", "", f"`benchmarks/{script}`; {what}; {code_version()}; {day}.", ""]
    return "\n".join([*lines, *section(device, seconds)]).strip() + "\n"


def main() -> None:
    """Measure what was asked for, and write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    only = parser.parse_args().only
    prepare()
    sections = written(FILE.read_text("utf-8")) if FILE.exists() else {}
    for name in SECTIONS:
        if name in only or name not in sections:
            print(f"measuring: {name}", flush=True)
            sections[name] = measured(name)
    body = "\n".join(f"<!-- {name} -->\n{sections[name]}" for name in SECTIONS)
    FILE.write_text(f"{HEAD}\n{body}", encoding="utf-8")


if __name__ == "__main__":
    main()
