"""Results of a benchmark by construction: a small board, and one that holds everything a board can hold."""

from itertools import product

import numpy as np

from edge_seg_bench.assembly import compare_rows, compare_threads
from edge_seg_bench.recording import Machine
from edge_seg_bench.results import (
    Accuracy,
    Board,
    Conditions,
    DelegateUse,
    Measurement,
    Model,
    OperationTime,
    Peak,
    Profile,
    Results,
    Row,
    Settings,
    Stages,
    Work,
)
from edge_seg_bench.statistics import LatencySummary, RatioInterval, summarise

MACHINE = Machine(
    cpu_model="Cortex-A76",
    cores=4,
    architecture="aarch64",
    os="Debian GNU/Linux 12 (bookworm)",
    python="3.11.2",
    board="Raspberry Pi 5 Model B Rev 1.0",
    cpu_governor="ondemand",
    load_average=0.1,
)
SETTINGS = Settings(
    runtimes=("litert",), threads=(1,), runs=50, seconds=3, warmup_seconds=2, limit_seconds=20, rounds=12, seed=0
)

CALM = Conditions(load_average=0.1, temperature_c=45.0, clock_mhz=2400.0, throttling=())

ALL_DELEGATED = DelegateUse(partitions=1, delegated_nodes=70, total_nodes=70, left_out={})


def measurement(median_ms: float, delegate: DelegateUse | None = ALL_DELEGATED) -> Measurement:
    samples = median_ms * np.random.default_rng(0).lognormal(0, 0.05, (12, 20))
    return Measurement(
        runtime_version="2.3.0",
        runtime_settings={},
        import_ms=100,
        load_ms=20,
        first_inference_ms=30,
        peak_rss_bytes=70_000_000,
        input_shape=(1, 128, 128, 3),
        input_dtype="uint8",
        delegate=delegate,
        warmup_runs=15,
        blocks_ms=tuple(tuple(block) for block in samples.tolist()),
        latency=summarise(samples.ravel()),
        before=CALM,
        after=CALM,
        throttled_blocks=0,
        energy_mj=None,
    )


def model(name: str, precision: str, **changes: object) -> Model:
    fields: dict[str, object] = {
        "name": name,
        "path": f"/models/{name}.tflite",
        "size_bytes": 2_500_000,
        "precision": precision,
        "recorded_metrics": {},
    }
    return Model.model_validate({**fields, **changes})


def row(name: str, median_ms: float | None, **changes: object) -> Row:
    fields: dict[str, object] = {
        "model": name,
        "runtime": "litert",
        "threads": 1,
        "notes": (),
        "error": None if median_ms is not None else "it is broken",
        "measurement": None if median_ms is None else measurement(median_ms),
    }
    return Row.model_validate({**fields, **changes})


MODELS = (model("int8", "int8"), model("float32", "float32"), model("bad", "unknown"))
ROWS = (row("int8", 2.0), row("float32", 4.0), row("bad", None))


def board(rows: tuple[Row, ...] = ROWS, models: tuple[Model, ...] = MODELS) -> Board:
    compared = Board(
        created="2026-01-01T00:00:00+00:00",
        edge_seg_version="0.1.0",
        machine=MACHINE,
        settings=SETTINGS,
        models=models,
        rows=rows,
        comparisons=(),
    )
    return compared.model_copy(update={"comparisons": compare_rows(compared), "scalings": compare_threads(compared)})


def results(*boards: Board) -> Results:
    return Results(boards=boards or (board(),))


HOT = Conditions(load_average=1.4, temperature_c=84.0, clock_mhz=1500.0, throttling=("held back: too hot",))
FAMILIES = {"pets": (1.0, 0.742), "fire": (1.3, 0.611), "tutorial_network": (6.0, 0.755)}
PRECISIONS = {"float32": (1.0, 0.0, 9_600_000), "float16": (0.99, 0.0, 4_850_000), "int8": (0.45, -0.004, 2_440_000)}
STAGES_MS = {"decode": 3.1, "resize": 0.6, "invoke": 4.0, "postprocess": 1.2, "draw": 2.2, "write": 5.0}


def full_models() -> tuple[Model, ...]:
    """Three networks in three precisions, the first evaluated, counted, profiled and timed by stages."""
    pairs = product(FAMILIES.items(), PRECISIONS.items())
    return tuple(
        model(
            f"{family}_{precision}",
            precision,
            size_bytes=size_bytes,
            recorded_metrics={"miou": miou + drop},
            work=work(slowness, precision),
            **(extras(miou + drop, precision) if family == "pets" else {}),
        )
        for (family, (slowness, miou)), (precision, (_, drop, size_bytes)) in pairs
    )


def work(slowness: float, precision: str) -> Work:
    return Work(
        macs=int(120e6 * slowness),
        weight_bytes=2_400_000 * (1 if precision == "int8" else 4),
        activation_bytes=11_000_000 * (1 if precision == "int8" else 4),
    )


def extras(miou: float, precision: str) -> dict[str, object]:
    iou = {"background": miou + 0.15, "pet": miou + 0.05, "border": miou - 0.2, "never seen": None}
    reference = None if precision == "float32" else "pets_float32"
    return {
        "accuracy": Accuracy(
            data="pets", split="val", images=125, runtime="litert", miou=miou, iou=iou,
            reference=reference, agreement=0.9896 if reference else None,
        ),
        "profile": Profile(
            runtime="litert", threads=1, total_ms=4.1,
            operations=tuple(
                OperationTime(name=f"decoder_{index}/conv/Conv2D;decoder_{index}/relu", kind="CONV_2D",
                              ms=0.6 / (index + 1), share=0.15 / (index + 1), delegate="XNNPACK" if index else None)
                for index in range(10)
            ),
        ),
        "stages": Stages(
            runtime="litert", threads=1, pictures=40, width=640, height=480,
            stages={name: constant(ms) for name, ms in STAGES_MS.items()},
            whole=constant(16.3), bare_invoke=constant(3.9), over_bare=RatioInterval(16.3 / 3.9, 4.1, 4.3),
            whole_blocks_ms=((16.3,) * 20,) * 2, bare_blocks_ms=((3.9,) * 20,) * 2,
        ),
    }  # fmt: skip


def constant(value_ms: float) -> LatencySummary:
    return summarise(np.full(40, value_ms))


def full_board(*, slowness: float = 1.0, **machine: object) -> Board:
    """All models at 1, 2 and 4 threads; one row throttled and one that failed."""
    models = full_models()
    rows = [
        row(each.name, slowness * median_ms(each.name, each.precision, threads), threads=threads)
        for each, threads in product(models, (1, 2, 4))
    ]
    rows[4] = row(rows[4].model, None, threads=rows[4].threads, error="/home/alice/models/x.tflite: its process ended")
    rows[5] = throttled(rows[5])
    made = board(tuple(rows), models)
    peaks = tuple(
        Peak(precision=precision, threads=threads, macs_per_s=macs * threads, bytes_per_s=9e9, cache_bytes_per_s=60e9)
        for (precision, macs), threads in product({"float32": 38e9, "int8": 95e9}.items(), (1, 2, 4))
    )
    known = {"host": "pi5-lab", "kernel": "6.6.51", "memory_bytes": 8 << 30, **machine}
    return made.model_copy(
        update={
            "peaks": peaks,
            "settings": SETTINGS.model_copy(update={"threads": (1, 2, 4)}),
            "machine": MACHINE.model_copy(update=known),
        }
    )


def median_ms(name: str, precision: str, threads: int) -> float:
    family = name.removesuffix(f"_{precision}")
    return 9.0 * FAMILIES[family][0] * PRECISIONS[precision][0] / threads**0.8


def throttled(row: Row) -> Row:
    assert row.measurement is not None
    measured = row.measurement.model_copy(update={"after": HOT, "throttled_blocks": 5, "energy_mj": 21.4})
    return row.model_copy(update={"measurement": measured})
