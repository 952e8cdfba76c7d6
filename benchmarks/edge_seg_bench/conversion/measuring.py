"""Measuring a network's contenders: first what they answer, then how long they take."""

from collections.abc import Callable, Sequence

import numpy as np

from edge_seg.model_info import ModelInfo, read_model_info
from edge_seg_bench.conversion.answers import Answers, compare_answers
from edge_seg_bench.conversion.folders import Contender, Network
from edge_seg_bench.conversion.result import NetworkResult, Row, ThreadSampling, Timing
from edge_seg_bench.measurement import ModelRun, measure_candidates
from edge_seg_bench.peers.answers import answer
from edge_seg_bench.peers.peer_worker import PEERS
from edge_seg_bench.statistics import Blocks, ratio_of_medians, summarise
from edge_seg_bench.wording import thread_words

Announce = Callable[[str], None]


def measure_network(network: Network, samplings: Sequence[ThreadSampling], announce: Announce) -> NetworkResult:
    """Measure all contenders of a network; one that fails carries its error and does not stop the others."""
    announce(f"{network.name}: comparing the answers of the runtimes")
    answers = compare_answers(network.contenders, answer)
    runs: list[Sequence[ModelRun]] = []
    for sampling in samplings:
        announce(f"{network.name}: {len(network.contenders)} rows side by side, {thread_words(sampling.threads)}")
        runs.append(
            measure_candidates([contender.candidate(sampling.threads) for contender in network.contenders], sampling)
        )
    return assemble_network(network, samplings, runs, answers)


def assemble_network(
    network: Network,
    samplings: Sequence[ThreadSampling],
    runs: Sequence[Sequence[ModelRun]],
    answers: Answers,
) -> NetworkResult:
    """Describe every contender in a row.

    Args:
        network: the contenders.
        samplings: one for each number of threads.
        runs: for each sampling, one run for each contender.
        answers: whether the peers compute the same.
    """
    reference = next(index for index, contender in enumerate(network.contenders) if contender.is_reference)
    rows: list[Row] = []
    for index, contender in enumerate(network.contenders):
        timed = [(sampling, side[index], side[reference]) for sampling, side in zip(samplings, runs, strict=True)]
        rows.append(_row(contender, timed, answers))
    loaded = next((run.loaded for side in runs for run in side if run.loaded is not None), None)
    info = _info(network.contenders[0])
    return NetworkResult(
        name=network.name,
        decoder=str(info.training["decoder"]) if info and "decoder" in info.training else None,
        input_shape=tuple(loaded.input_shape) if loaded else (),
        input_dtype=loaded.input_dtype if loaded else "",
        rows=tuple(rows),
    )


def _row(contender: Contender, timed: Sequence[tuple[ThreadSampling, ModelRun, ModelRun]], answers: Answers) -> Row:
    info = _info(contender) if contender.runtime not in PEERS else None
    metrics = info.metrics if info else {}
    errors = [run.error for _, run, _ in timed if run.error is not None]
    if contender in answers.errors:
        errors.append(answers.errors[contender])
    return Row(
        conversion=contender.conversion,
        runtime=contender.runtime,
        precision=contender.precision,
        file=contender.model.name,
        size_bytes=contender.model.stat().st_size,
        miou=metrics.get("miou"),
        agreement_with_float=metrics.get("agreement_with_keras"),
        agreement_with_litert=answers.agreements.get(contender),
        timings=tuple(_timing(sampling, run, reference) for sampling, run, reference in timed if run.error is None),
        arm_instructions={},
        notes=(),
        error=errors[0] if errors else None,
    )


def _timing(sampling: ThreadSampling, run: ModelRun, reference: ModelRun) -> Timing:
    assert run.loaded is not None
    assert run.finished is not None
    compared = run is not reference and reference.error is None
    return Timing(
        threads=sampling.threads,
        runtime_version=run.loaded.runtime_version,
        runtime_settings=run.loaded.settings,
        load_ms=run.loaded.load_ms,
        first_inference_ms=run.loaded.first_inference_ms,
        peak_rss_bytes=run.finished.peak_rss_bytes,
        warmup_runs=run.warmup_runs,
        blocks_ms=tuple(tuple(block) for block in run.blocks_ms),
        latency=summarise(np.concatenate(_blocks(run))),
        time_of_reference=ratio_of_medians(_blocks(run), _blocks(reference), seed=sampling.seed) if compared else None,
        notes=tuple(run.notes),
    )


def _blocks(run: ModelRun) -> Blocks:
    return [np.asarray(block, dtype=np.float64) for block in run.blocks_ms]


def _info(contender: Contender) -> ModelInfo | None:
    return read_model_info(contender.model) if contender.model.suffix == ".tflite" else None
