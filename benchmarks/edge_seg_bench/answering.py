"""What all workers share: requests come in on stdin and answers go out on stdout, one JSON object a line.

The answers go to a duplicate of the original stdout; everything else that prints, native libraries included,
is sent to stderr, which the benchmark keeps and shows when the worker fails.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from edge_seg.errors import EdgeSegError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S")

Answer = dict[str, Any]
"""An answer's fields by name."""


def answer_stdin(serve: Callable[[TextIO, TextIO], None]) -> None:
    """Let `serve` read requests from stdin and write answers to what was stdout."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as replies:
        os.dup2(2, 1)
        serve(sys.stdin, replies)


def answer_lines(
    requests: TextIO,
    replies: TextIO,
    kinds: "Sequence[type[DataclassInstance]]",
    begin: Callable[[Any], tuple[S, Answer]],
    answer: Callable[[S, Any], Answer],
) -> None:
    """Answer each line of `requests` with one line on `replies`; stop after an error.

    Args:
        requests: {kind: fields} a line.
        replies: an answer's fields a line, or {"error": sentence}.
        kinds: the requests, which are known by their names.
        begin: answers the first request, and returns what the others are asked of.
        answer: answers each further one.
    """
    by_name = {kind.__name__: kind for kind in kinds}
    first = requests.readline()
    if not first:
        return
    try:
        opened, begun = begin(_parse(first, by_name))
        _reply(replies, begun)
        for line in requests:
            _reply(replies, answer(opened, _parse(line, by_name)))
    except EdgeSegError as error:
        _reply(replies, {"error": str(error)})


def _parse(line: str, kinds: "Mapping[str, type[DataclassInstance]]") -> "DataclassInstance":
    ((kind, fields),) = json.loads(line).items()
    return kinds[kind](**fields)


def _reply(replies: TextIO, message: Answer) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()
