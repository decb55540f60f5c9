"""Lists whose entries are made when they are first read."""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar, cast, overload

T = TypeVar("T")


class Lazy(Sequence[T], Generic[T]):
    """A list of entries, or of functions that make them: each is called once, and only if its
    entry is read."""

    def __init__(self, entries: Iterable[T | Callable[[], T]] = ()) -> None:
        self._entries = list(entries)

    def append(self, entry: T | Callable[[], T]) -> None:
        """Add an entry at the end."""
        self._entries.append(entry)

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        entry = self._entries[index]
        if callable(entry):
            entry = self._entries[index] = cast(Callable[[], T], entry)()
        return entry
