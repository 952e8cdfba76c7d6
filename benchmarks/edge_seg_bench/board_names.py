"""What boards are called where several stand side by side."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from edge_seg_bench.results import Board

_REVISION = re.compile(r" Rev [\d.]+$")


def board_names(boards: Sequence[Board]) -> tuple[str, ...]:
    """Return one name a board, each different: the board's model or its processor, and what else it takes."""
    names = [_model_name(board) for board in boards]
    for more in (_host, _moment, None):
        counts = Counter(names)
        if len(counts) == len(names):
            break
        names = [
            _longer(name, index, board, more) if counts[name] > 1 else name
            for index, (name, board) in enumerate(zip(names, boards, strict=True))
        ]
    return tuple(names)


def _longer(name: str, index: int, board: Board, more: Callable[[Board], str] | None) -> str:
    return f"{name}{more(board)}" if more else f"{name}, number {index + 1}"


def _model_name(board: Board) -> str:
    return _REVISION.sub("", board.machine.board or board.machine.cpu_model)


def _host(board: Board) -> str:
    return f" ({board.machine.host})" if board.machine.host else ""


def _moment(board: Board) -> str:
    return f", {board.created.removesuffix('+00:00').replace('T', ' ')}"
