"""How long work shows its progress: as an iterable that a shell may wrap with a bar."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Track(Protocol):
    """Iterates while showing progress; `total` is how many items there will be, where it is known."""

    def __call__(self, items: Iterable[T], /, *, total: int | None = None) -> Iterable[T]:
        """Yield the items in order."""
        ...


def untracked(items: Iterable[T], /, *, total: int | None = None) -> Iterable[T]:
    """Yield the items and show nothing."""
    del total
    return items
