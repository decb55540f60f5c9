"""Which machine made results, with which versions, and in what time: one small file a driver."""

import json
import os
import platform
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from synaptree.safely import write
from synaptree.version import code_version

PACKAGES = ("torch", "numpy", "pandas", "distributed")


class Session:
    """A driver at work in a folder.  Its file ``folder/sessions/*.json`` is rewritten after each
    group of runs, so that it is right up to the last finished run of a driver that was killed.
    """

    def __init__(self, folder: Path, workers: int | None, device: str, command: str = "") -> None:
        self.folder, self.name = folder, f"{uuid.uuid4().hex[:12]}.json"
        self.began = time.monotonic()
        self.runs = 0
        self.about: dict[str, Any] = {
            "command": command,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "workers": workers,
            **machine(device),
            "code_version": code_version(),
            "python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        }

    def finished(self, runs: int) -> None:
        """Count runs now in the journal.  Raises SynaptreeError if nothing can be written."""
        self.runs += runs
        wall = round(time.monotonic() - self.began, 1)
        text = json.dumps({**self.about, "runs": self.runs, "wall_s": wall}, indent=1)
        write(self.folder, f"sessions/{self.name}", text + "\n")


def machine(device: str) -> dict[str, Any]:
    """The hardware of this process: how fast it may be, but not whose it is."""
    about: dict[str, Any] = {"cores": os.cpu_count(), "processor": _processor()}
    with suppress(ValueError, OSError, AttributeError):  # not on every system
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
        about["memory_GiB"] = round(pages * size / 2**30)
    about["system"] = f"{platform.system()} {platform.machine()}"
    if device != "cpu":
        about["gpu"] = torch.cuda.get_device_name(device)
    return about


def _processor() -> str:
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def sessions(folder: Path) -> list[dict[str, Any]]:
    """The contents of the session files of a folder, oldest first.  Broken files are left out."""
    sound: list[dict[str, Any]] = []
    for path in (folder / "sessions").glob("*.json"):
        with suppress(OSError, ValueError, RecursionError):
            about = json.loads(path.read_text("utf-8"))
            if isinstance(about, dict) and isinstance(about.get("started"), str):
                sound.append(about)
    return sorted(sound, key=lambda about: (about["started"], json.dumps(about, sort_keys=True)))
