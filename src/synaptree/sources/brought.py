"""What people bring in files of their own, named by a hash of what it holds."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

from synaptree.errors import SynaptreeError, near_file, shown

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Brought(Generic[T]):
    """Something of a person's own, told apart by the hash of what it holds, whatever it is called.

    As text it is ``NAME@HASH``; what is read from such a text is named, but not at hand.
    """

    name: str
    sha256: str
    held: T | None = field(default=None, repr=False)
    path: Path | None = field(default=None, repr=False)

    where: ClassVar[str] = ""
    """How errors begin."""
    file: ClassVar[str] = ""
    """What kind of file it comes from, as ``an .npz file``."""
    wanted: ClassVar[str] = ""
    """What can be given."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """What a file holds.  Raises SynaptreeError where that is nothing of this kind."""
        raise NotImplementedError(path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """What a file holds; it is read again where the file has changed."""
        path = Path(path)
        try:
            about = path.stat()
        except (OSError, ValueError) as fault:
            reason = str(getattr(fault, "strerror", None) or fault).lower()
            missing = isinstance(fault, FileNotFoundError)
            hint = near_file(path, cls.file.split()[1]) if missing else ""
            raise SynaptreeError(
                f"{cls.where} {shown(str(path))}: cannot be read ({reason}); expected "
                f"{cls.file}{hint}"
            ) from None
        return _loaded(cls.read, path.absolute(), about.st_mtime_ns, about.st_size)

    @classmethod
    def named(cls, text: str) -> Self | None:
        """What a text NAME@HASH names, which is not at hand; None of any other text."""
        match = re.fullmatch(r"(.{1,200})@([0-9a-f]{16})", text)
        return cls(match[1], match[2]) if match else None

    @classmethod
    def located(cls, text: str, folder: Path) -> Self:
        """What a text PATH or PATH@HASH in a study file names.  folder: where the path starts.

        Raises SynaptreeError where the file holds something with another hash now.
        """
        match = re.fullmatch(r"(.+)@([0-9a-f]{16})", text)
        path, before = match.groups() if match else (text, "")
        found = cls.load(folder / path)
        if before and found.sha256 != before:  # of a study file that this program wrote
            raise found.changed(before)
        return found

    def written(self, folder: Path) -> str:
        """The text in a study file in a folder; `located` is the inverse."""
        if self.path is None:
            return str(self)
        there = Path(os.path.relpath(self.path.resolve(), folder.resolve())).as_posix()
        return f"{there}@{self.sha256}"

    def changed(self, before: str) -> SynaptreeError:
        """The error where this is what a file holds that held something with another hash."""
        return SynaptreeError(
            f"{self.where} {self.name}: changed since (hash {self.sha256} now, {before} before); "
            f"expected the same {self.where.split()[-1]} as before"
        )

    def at_hand(self) -> T:
        """What it holds.  Raises SynaptreeError where only its name is known."""
        if self.held is None:
            raise SynaptreeError(
                f"{self.where}: {self} is not at hand; expected {self.wanted}, or the path of its "
                "file"
            )
        return self.held

    def __bool__(self) -> bool:
        return bool(self.sha256)

    def __str__(self) -> str:
        return f"{self.name}@{self.sha256}" if self else ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.path is None:
            return type(self), (self.name, self.sha256, self.held)
        return _again, (type(self), self.path, self.sha256)  # a worker reads the file itself


@lru_cache(maxsize=8)
def _loaded(read: "Callable[[Path], Any]", path: Path, changed: int, size: int) -> Any:
    del changed, size  # which only say whether the file was read before
    return read(path)


def _again(kind: "type[Brought[Any]]", path: Path, sha256: str) -> "Brought[Any]":
    """What comes from a file.  Raises SynaptreeError where it holds something else now."""
    found = kind.load(path)
    if found.sha256 != sha256:
        raise found.changed(sha256)
    return found
