"""How an error shows what it found in a file: briefly, and on one line."""

import reprlib
from collections.abc import Iterable

_LONGEST_LIST = 12


def shown(value: object, longest: int = 60) -> str:
    """Return a value for an error: text as it is, but cut, and with what cannot be printed escaped.

    Of an error its message is shown, and anything else as Python writes it, in excerpts: it may be a
    list of a million numbers.
    """
    text = str(value) if isinstance(value, str | Exception) else _excerpt(value)
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return cut if cut.isprintable() else repr(cut)[1:-1]


def quoted(value: object, longest: int = 60) -> str:
    """Return a value as `shown`, text in quotation marks, so that '2' is told from 2."""
    return f"'{shown(value, longest)}'" if isinstance(value, str) else shown(value, longest)


def listed(values: Iterable[str], separator: str = ", ") -> str:
    """Return the first values for an error, and how many more there are."""
    names = list(values)
    first = separator.join(shown(name, 40) for name in names[:_LONGEST_LIST])
    return first if len(names) <= _LONGEST_LIST else f"{first} and {len(names) - _LONGEST_LIST} more"


def _excerpt(value: object) -> str:
    try:
        return reprlib.repr(value)
    except ValueError:  # Python writes no number of more than 4,300 digits
        return "a number of thousands of digits"
