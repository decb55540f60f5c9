"""Lists whose entries are made when they are first read."""

from collections.abc import Callable, Sequence
from typing import TypeVar, overload

T = TypeVar("T")


class Lazy(Sequence[T]):
    """``[make(0), …, make(length − 1)]``, each made once, and only if it is read."""

    def __init__(self, length: int, make: Callable[[int], T]) -> None:
        self._length, self._make = length, make
        self._made: dict[int, T] = {}

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        of = range(self._length)[index]
        if isinstance(of, range):
            return [self[i] for i in of]
        if of not in self._made:
            self._made[of] = self._make(of)
        return self._made[of]
