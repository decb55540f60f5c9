"""Results for other programs. An export mirrors the journal and is never its source.

A results folder may come from a stranger: an export adds files and replaces earlier exports, and it
removes nothing.
"""

import io
import json
import secrets
import shutil
from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from synaptree.errors import SynaptreeError, unknown
from synaptree.results.columns import finished
from synaptree.results.frame import load
from synaptree.safely import plain_cell, replacing, unwritable

FORMATS = ("csv", "parquet", "tensorboard")


def export(folder: Path, to: str, path: Path | None = None) -> Path:
    """Write `load`'s frame for other programs, and return where.

    to: ``csv``, with lists and matrices as JSON, or ``parquet`` (needs pyarrow): one file,
    ``folder/results.TO`` by default; ``tensorboard`` (needs tensorboard): one folder of curves and
    settings for each run that is not there yet, ``folder/tensorboard`` by default.  Text that a
    spreadsheet would take for a formula has an apostrophe before it in a CSV file.
    Raises SynaptreeError for another format, where a package is missing, where nothing can be
    written, or where the file exists and is no export.
    """
    if to not in FORMATS:
        raise unknown("to", to, FORMATS)
    frame = load(folder)
    if to == "tensorboard":
        return _tensorboard(frame, path or folder / "tensorboard")
    path = path or folder / f"results.{to}"
    try:
        _refuse_other_files(path, to)
    except OSError as fault:
        raise unwritable(path.parent, fault) from None
    try:
        with replacing(path.parent, path.name) as file:
            if to == "csv":
                text = io.TextIOWrapper(file, "utf-8", newline="")
                _as_csv(frame).to_csv(text, index=False)
                text.detach()
            else:
                frame.to_parquet(file, index=False)
    except ImportError:
        raise _missing("parquet", "pyarrow") from None
    return path


def _refuse_other_files(path: Path, to: str) -> None:
    """Raise SynaptreeError where a path is taken by something that no export has made."""
    if path.is_dir():
        raise SynaptreeError(f"out: {str(path)!r} is a folder; expected a file, as results.{to}")
    begins = {"csv": b"run_id,label,rule,", "parquet": b"PAR1"}[to]
    try:
        with path.open("rb") as file:
            ours = file.read(len(begins)) == begins
    except FileNotFoundError:
        return
    if not ours:
        raise SynaptreeError(
            f"out: {str(path)!r} exists and was not exported by synaptree; expected a new file"
        )


def _as_csv(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with lists as JSON, and no text that a spreadsheet would run as a formula."""

    def cell(value: object) -> object:
        return json.dumps(value) if isinstance(value, list) else plain_cell(value)

    columns = {name: frame[name] for name in frame}
    for name, values in columns.items():
        if values.dtype == object or pd.api.types.is_string_dtype(values):
            columns[name] = values.map(cell)
    return pd.DataFrame(columns).rename(columns=plain_cell)


def _tensorboard(frame: pd.DataFrame, path: Path) -> Path:
    """A folder for each finished run: its curves, and its settings as hparams.

    A finished run never changes, so one that is there already is left as it is.
    """
    try:
        from torch.utils.tensorboard.writer import SummaryWriter
    except ImportError:
        raise _missing("tensorboard", "tensorboard") from None
    if path.absolute() in (Path.cwd(), Path(path.anchor or ".").absolute()):
        raise SynaptreeError(
            f"out: {str(path)!r} would be filled with a folder for each run; expected a folder of "
            "their own, as tensorboard"
        )
    partial = path / f".{secrets.token_hex(12)}.part"
    try:
        path.mkdir(parents=True, exist_ok=True)
        for row in finished(frame).to_dict("records"):
            # `rows` has checked that a run's id is 16 hex digits, and so a name of one folder.
            folder = path / row["run_id"]
            if folder.is_symlink() or folder.exists():
                continue
            with SummaryWriter(str(partial)) as writer:
                _write_run(writer, row)
            partial.rename(folder)
    except OSError as fault:
        raise unwritable(path, fault) from None
    finally:
        with suppress(OSError):
            shutil.rmtree(partial)  # of a run that was interrupted; made above, under a random name
    return path


def _write_run(writer: Any, row: dict[Hashable, Any]) -> None:
    for name in ("test_error", "train_loss", "train_error"):
        steps, values = row["curve_step"] or [], row[f"curve_{name}"] or []
        for step, value in zip(steps, values, strict=False):
            if value is not None:
                writer.add_scalar(name, value, int(step))
    simple = {k: v for k, v in row.items() if isinstance(v, bool | int | float | str)}
    errors = {k: simple.pop(k) for k in ("test_error", "train_error") if k in simple}
    writer.add_hparams(simple, {f"final_{k}": v for k, v in errors.items()}, run_name=".")


def _missing(format: str, package: str) -> SynaptreeError:
    return SynaptreeError(f"to: {format} needs {package}; `pip install {package}`, or take csv")
