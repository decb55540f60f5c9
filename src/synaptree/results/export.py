"""Results for other programs. A mirror of the journal, never its source."""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

import pandas as pd

from synaptree.errors import SynaptreeError, unknown
from synaptree.results.journal import load, unwritable

FORMATS = ("csv", "parquet", "tensorboard")


def export(folder: Path, to: str, path: Path | None = None) -> Path:
    """Write `load`'s frame for other programs, and return where.

    to: ``csv``, with lists and matrices as JSON, or ``parquet`` (needs pyarrow), one file,
    ``folder/results.TO`` by default; ``tensorboard`` (needs tensorboard), one folder of curves and
    settings for each run, ``folder/tensorboard`` by default.  Raises SynaptreeError for another
    format, where a package is missing, or where nothing can be written.
    """
    if to not in FORMATS:
        raise unknown("to", to, FORMATS)
    frame = load(folder)
    if to == "tensorboard":
        return _tensorboard(frame, path or folder / "tensorboard")
    path = path or folder / f"results.{to}"
    nested = [name for name in frame if frame[name].map(lambda x: isinstance(x, list)).any()]
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if to == "csv":
            for name in nested:
                frame[name] = frame[name].map(json.dumps)
            frame.to_csv(partial, index=False)
        else:
            frame.to_parquet(partial, index=False)
        os.replace(partial, path)
    except ImportError:
        raise _missing("parquet", "pyarrow") from None
    except OSError as fault:
        with suppress(OSError):
            partial.unlink()
        raise unwritable(path.parent, fault) from None
    return path


def _tensorboard(frame: pd.DataFrame, path: Path) -> Path:
    """A folder for each finished run, written anew: its curves, and its settings as hparams."""
    try:
        from torch.utils.tensorboard.writer import SummaryWriter
    except ImportError:
        raise _missing("tensorboard", "tensorboard") from None
    try:
        for row in frame[frame["status"] == "done"].to_dict("records"):
            # A run is named by its id: labels come from the journal, which may be anybody's.
            folder = path / str(row["run_id"])
            shutil.rmtree(folder, ignore_errors=True)
            with SummaryWriter(str(folder)) as writer:
                for name in ("test_error", "train_loss", "train_error"):
                    steps, values = row["curve_step"] or [], row[f"curve_{name}"] or []
                    for step, value in zip(steps, values, strict=False):
                        if value is not None:
                            writer.add_scalar(name, value, int(step))
                simple = {k: v for k, v in row.items() if isinstance(v, bool | int | float | str)}
                errors = {k: simple.pop(k) for k in ("test_error", "train_error") if k in simple}
                writer.add_hparams(
                    simple, {f"final_{k}": v for k, v in errors.items()}, run_name="."
                )
    except OSError as fault:
        raise unwritable(path, fault) from None
    return path


def _missing(format: str, package: str) -> SynaptreeError:
    return SynaptreeError(f"to: {format} needs {package}; `pip install {package}`, or take csv")
