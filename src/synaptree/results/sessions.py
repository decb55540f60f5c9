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
from pydantic_core import SchemaValidator, ValidationError
from pydantic_core import core_schema as cs

from synaptree.errors import SynaptreeError
from synaptree.safely import leave_out, printable, read_plain, write
from synaptree.version import code_version

LARGEST = 2**16  # bytes of a session file
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
    """The contents of the session files of a folder, oldest first.

    A warning names each file that is left out because it cannot be read or is not as `Session`
    writes it.
    """
    sound: list[dict[str, Any]] = []
    faults: list[str] = []
    for path in sorted((folder / "sessions").glob("*.json")):
        try:
            sound.append(_SESSION.validate_json(read_plain(path, LARGEST)))
        except SynaptreeError as fault:
            faults.append(str(fault))
        except ValidationError as fault:
            first = fault.errors(include_url=False, include_input=False)[0]
            where = str(first["loc"][0])[:40] if first["loc"] else "file"
            faults.append(f"{printable(path)}: {where}: {first['msg'].lower()}")
    leave_out(faults)
    return sorted(sound, key=lambda about: (about["started"], json.dumps(about, sort_keys=True)))


def _session_schema() -> SchemaValidator:
    """What a session file holds: facts on a line each, of versions that this one may not know."""
    number = cs.float_schema(strict=True, ge=0, le=1e12)
    whole = cs.int_schema(strict=True, ge=0, le=2**53)
    text = cs.str_schema(strict=True, max_length=1000)
    fact = cs.union_schema([whole, number, text, cs.bool_schema(strict=True), cs.none_schema()])
    known = {
        "started": cs.typed_dict_field(text, required=True),
        "command": cs.typed_dict_field(text, required=False),
        "workers": cs.typed_dict_field(cs.nullable_schema(whole), required=False),
        "runs": cs.typed_dict_field(whole, required=True),
        "wall_s": cs.typed_dict_field(number, required=True),
    }
    return SchemaValidator(cs.typed_dict_schema(known, extra_behavior="allow", extras_schema=fact))


_SESSION = _session_schema()
