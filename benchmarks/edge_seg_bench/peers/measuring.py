"""Measuring all contestants: what they answer, then how long they take, side by side."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from edge_seg.errors import EdgeSegError
from edge_seg.model_info import read_model_info
from edge_seg_bench.assembly import assemble, compare_pair
from edge_seg_bench.machine import describe_machine
from edge_seg_bench.measurement import measure_candidates
from edge_seg_bench.peers.answers import answer
from edge_seg_bench.peers.bars import coral_entry, evaluate_bars
from edge_seg_bench.peers.contestants import LITERT, TFLITE_RUNTIME, Contestant, Group
from edge_seg_bench.peers.lanes import Checked, Lane, check_answers, lanes_of, refused_beforehand
from edge_seg_bench.peers.result import Agreement, Entry, PeersReport, PetScore
from edge_seg_bench.peers.scoring import Pictures, score
from edge_seg_bench.results import UNKNOWN_PRECISION, Board, Comparison, Model, Row, RowKey, Settings
from edge_seg_bench.worker_process import Interpreter

_SCORED: tuple[Group, ...] = ("shipped", "others")
"""The tutorial's network is there for its time: how long it was trained says nothing of ours."""

_PICTURES_SHOWN = 20
"""To every runtime, to see whether it computes the same."""

Announce = Callable[[str], None]
Names = Mapping[Path, str]
"""The board's name of each model file."""


def measure_peers(
    contestants: Sequence[Contestant],
    settings: Settings,
    pictures: Pictures,
    tflite_python: Interpreter | str,
    announce: Announce,
) -> PeersReport:
    """Measure all contestants on this machine; one that fails carries its error and does not stop the others.

    Args:
        contestants: each model once.
        settings: how they are timed.
        pictures: what pet IoU is measured on.
        tflite_python: the Python that has tflite_runtime, or the sentence why there is none.
        announce: told before each part.
    """
    machine = describe_machine()
    scored = {item.path: _score(item, pictures, announce) for item in contestants}
    lanes = lanes_of(contestants)
    python, missing = (
        (Interpreter(), {TFLITE_RUNTIME: tflite_python}) if isinstance(tflite_python, str) else (tflite_python, {})
    )
    announce("comparing the answers of the runtimes")
    shown = [sample.image_path for sample in pictures.dataset.samples(pictures.split)[:_PICTURES_SHOWN]]
    checked = check_answers(
        lanes, refused_beforehand(lanes, missing), lambda lane: answer(lane.candidate(1, python), shown)
    )
    timed = [lane for lane in lanes if lane not in checked.refusals]
    candidates = [lane.candidate(threads, python) for lane in timed for threads in settings.threads]
    announce(f"{len(candidates)} rows side by side")
    board = with_refused(assemble(measure_candidates(candidates, settings), settings, machine), checked)
    return make_report(contestants, scored, checked, board, pictures)


def make_report(
    contestants: Sequence[Contestant],
    scored: Mapping[Path, PetScore | str | None],
    checked: Checked,
    board: Board,
    pictures: Pictures,
) -> PeersReport:
    """Put together what was found.

    Args:
        contestants: each model once.
        scored: of each file its score, the sentence why it has none, or None when it needs none.
        checked: what was known before the timing.
        board: all rows, those that were refused too.
        pictures: what pet IoU was measured on.
    """
    names: Names = {Path(model.path): model.name for model in board.models}
    report = PeersReport(
        data=pictures.dataset.manifest.name,
        split=pictures.split,
        pictures=len(pictures.dataset.samples(pictures.split)),
        board=board,
        entries=tuple(_entry(item, names[item.path], scored[item.path]) for item in contestants),
        agreements=tuple(
            Agreement(row=RowKey(names[lane.contestant.path], lane.runtime, threads), share=share)
            for lane, share in checked.shares.items()
            for threads in board.settings.threads
        ),
        comparisons=(),
    )
    report = report.model_copy(update={"comparisons": tuple(_comparisons(report, contestants, names))})
    return report.model_copy(update={"bars": evaluate_bars(report), "board": without_places(board)})


def without_places(board: Board) -> Board:
    """Return the board without the machine's name and folders: the result is made to be published."""
    models = [model.model_copy(update={"path": Path(model.path).name}) for model in board.models]
    machine = board.machine.model_copy(update={"host": None})
    return board.model_copy(update={"models": tuple(models), "machine": machine})


def with_refused(board: Board, checked: Checked) -> Board:
    """Return the board with a row for each lane that was not timed, and a model where it has none."""
    names = {Path(model.path): model.name for model in board.models}
    models, rows = list(board.models), list(board.rows)
    for lane, sentence in checked.refusals.items():
        path = lane.contestant.path
        if path not in names:
            names[path] = path.name.removesuffix(".tflite")
            models.append(_unmeasured(path, names[path]))
        rows += [_refused(names[path], lane, threads, sentence) for threads in board.settings.threads]
    return board.model_copy(update={"models": tuple(models), "rows": tuple(rows)})


def _score(contestant: Contestant, pictures: Pictures, announce: Announce) -> PetScore | str | None:
    if contestant.group not in _SCORED:
        return None
    if contestant.refusal is not None:
        return contestant.refusal
    announce(f"{contestant.title}: pet IoU")
    try:
        return score(contestant, pictures)
    except EdgeSegError as error:
        return str(error)


def _entry(contestant: Contestant, name: str, scored: PetScore | str | None) -> Entry:
    return Entry(
        model=name,
        title=contestant.title,
        group=contestant.group,
        made_for=_made_for(contestant),
        description=contestant.description,
        pets=None if isinstance(scored, str) else scored,
        error=scored if isinstance(scored, str) else None,
    )


def _made_for(contestant: Contestant) -> str:
    if contestant.description is not None:
        return contestant.description.made_for
    info = read_model_info(contestant.path) if contestant.path.suffix == ".tflite" else None
    return info.data.name if info else ""


def _comparisons(report: PeersReport, contestants: Iterable[Contestant], names: Names) -> Iterable[Comparison]:
    """Yield how each measured row compares with those that it is held against."""
    weights = {names[item.path]: names[item.weights] for item in contestants if item.weights is not None}
    coral = coral_entry(report)
    tutorials = [entry.model for entry in report.entries if entry.group == "tutorial"]
    measured = {row.key: row for row in report.board.rows if row.measurement is not None}
    for key, row in measured.items():
        group = report.entry(row).group
        models = [weights[row.model]] if row.model in weights else [coral.model] if coral else []
        for model in (*models, *(tutorials if group == "shipped" else ())):
            reference = RowKey(model, LITERT, row.threads)
            if reference in measured and reference != key:
                yield compare_pair(measured[reference], row, report.board.settings.seed)


def _unmeasured(path: Path, name: str) -> Model:
    size_bytes = path.stat().st_size if path.is_file() else None
    return Model(name=name, path=str(path), size_bytes=size_bytes, precision=UNKNOWN_PRECISION, recorded_metrics={})


def _refused(name: str, lane: Lane, threads: int, sentence: str) -> Row:
    return Row(model=name, runtime=lane.runtime, threads=threads, notes=(), error=sentence, measurement=None)
