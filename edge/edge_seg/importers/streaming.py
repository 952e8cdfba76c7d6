"""Reading JSON item by item, so that memory does not grow with the length of a file."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias, cast

from edge_seg.errors import AnnotationError
from edge_seg.importers.bounded_file import BoundedFile
from edge_seg.importers.wording import shown

_ijson: Any = import_module("ijson")  # by name: it has no types

JsonObject: TypeAlias = Mapping[str, Any]

DEEPEST_NESTING = 64
"""ijson keeps the path to where it is for every level, which is quadratic in the depth."""

_STARTS, _ENDS = frozenset({"start_map", "start_array"}), frozenset({"end_map", "end_array"})
_MOST_KEYS, _LONGEST_KEY = 40, 100
_MOST_EVENTS = 5_000_000  # of one item: a polygon of a million [x, y] takes 4,000,000
_CHARACTERS_OF_AN_EVENT = 64
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def check_json(path: Path, *, item_depth: int) -> None:
    """Read the whole file once and keep nothing, so that the passes that follow meet no fault.

    Args:
        path: the file.
        item_depth: how deep the objects lie that are read one at a time; the whole document has the depth 1.

    Raises:
        AnnotationError: not readable, not JSON, nested deeper than any annotation is, or with an item that
            memory should not hold.
    """
    depth = size = 0
    with _opened(path) as file:
        for event, found in _ijson.basic_parse(file, use_float=True):
            depth += (event in _STARTS) - (event in _ENDS)
            size = 0 if depth < item_depth else size + 1
            if event == "string" and size:
                size += len(found) // _CHARACTERS_OF_AN_EVENT
            if size > _MOST_EVENTS:
                raise AnnotationError(
                    f"{path}: holds more than {_MOST_EVENTS} numbers and names for one picture or region; "
                    "simplify it or name another file"
                )
            if depth > DEEPEST_NESTING:
                raise AnnotationError(
                    f"{path}: is nested deeper than {DEEPEST_NESTING} levels, so it is no annotation file; "
                    "name another file"
                )


def members(path: Path, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the members of the object at `prefix` (dots between keys), one at a time.

    Raises:
        AnnotationError: not readable, or not JSON.
    """
    with _opened(path) as file:
        yield from _ijson.kvitems(file, prefix, use_float=True)


def items(path: Path, prefix: str) -> Iterator[Any]:
    """Yield the items of the list at `prefix`, one at a time.

    Raises:
        AnnotationError: not readable, or not JSON.
    """
    with _opened(path) as file:
        yield from _ijson.items(file, f"{prefix}.item", use_float=True)


def value(path: Path, prefix: str) -> Any:
    """Return the value at `prefix`, or None when there is none.

    Raises:
        AnnotationError: not readable, or not JSON.
    """
    with _opened(path) as file:
        return next(iter(_ijson.items(file, prefix, use_float=True)), None)


def top_level_keys(path: Path) -> list[str]:
    """Return the keys of the object a file holds, up to its first fault; none when it holds no object."""
    return _keys(path, 1)


def first_member_keys(path: Path) -> list[str]:
    """Return the keys of the first object inside the object a file holds, up to its first fault."""
    return _keys(path, 2)


def _keys(path: Path, level: int) -> list[str]:
    try:
        state = path.stat()
    except OSError:
        return []
    return [*_keys_of(path, level, state.st_mtime_ns, state.st_size)]


@lru_cache  # every format asks, and each time it takes a pass through the file
def _keys_of(path: Path, level: int, _modified_ns: int, _size_bytes: int) -> tuple[str, ...]:
    keys: list[str] = []
    depth = 0
    with suppress(AnnotationError), _opened(path) as file:
        for event, found in _ijson.basic_parse(file, use_float=True):
            if event == "map_key" and depth == level:
                keys.append(found[:_LONGEST_KEY])
            depth += (event in _STARTS) - (event in _ENDS)
            left = event in _ENDS and depth < level
            if depth > DEEPEST_NESTING or len(keys) == _MOST_KEYS or left or (depth == 1 and event == "start_array"):
                break
    return tuple(keys)


def json_object(found: object) -> JsonObject | None:
    """Return `found` when it is a JSON object."""
    return cast(JsonObject, found) if isinstance(found, dict) else None


@contextmanager
def _opened(path: Path) -> Generator[BoundedFile]:
    try:
        with path.open("rb") as file:
            if file.read(len(_BYTE_ORDER_MARK)) != _BYTE_ORDER_MARK:
                file.seek(0)
            yield BoundedFile(file, path, ends=b'"')
    except FileNotFoundError:
        raise AnnotationError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise AnnotationError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except (_ijson.JSONError, UnicodeDecodeError, ValueError, OverflowError) as error:
        text = shown(" ".join(str(error).split()), 120)
        raise AnnotationError(f"{path}: is not JSON ({text}); export the annotations again") from None
