"""The command line in processes of their own, which are stopped at a chosen moment.

The processes are forked from one that has imported TensorFlow already, and their network is a U-Net of two
convolutions, and draw neither curves nor report, so that a run takes seconds; all else is what users run.
"""

import csv
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edge_seg.files import write_bytes

TIMEOUT_S = 240

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["edge_seg_train.live_table", "edge_seg.cli.app"])


@dataclass(frozen=True)
class Moment:
    """The `count`-th time that a file named `*ending` is opened or has been written under its final name."""

    event: str  # of sys.addaudithook: "open", "os.rename" or "os.remove"
    ending: str
    count: int = 1


@dataclass(frozen=True)
class Plan:
    """What happens to a process from outside; `done` is called once, at the moment."""

    moment: Moment
    signal: int | None = None
    delay_s: float = 0.0  # of the signal
    copy: tuple[Path, Path] | None = None
    fill: Path | None = None
    remove: Path | None = None
    overwrite: Path | None = None


@dataclass(frozen=True)
class Ended:
    """What became of a process."""

    code: int
    output: str = field(repr=False)

    @property
    def sentence(self) -> str:
        """The last line that is no progress."""
        return self.output.strip().splitlines()[-1]


def edge_seg(*arguments: object, log: Path, **conditions: Any) -> Ended:
    """Run `edge-seg` with `arguments` under the `conditions` of `begin`, and wait for its end."""
    return wait_for(begin(*arguments, log=log, **conditions), log)


def begin(
    *arguments: object,
    log: Path,
    plans: Sequence[Plan] = (),
    variables: Mapping[str, str] | None = None,
    cpu_devices: int = 1,
    wait_for_machines_s: int = TIMEOUT_S,
) -> Any:
    """Start `edge-seg` with `arguments`; what it prints goes to `log`."""
    words = [str(each) for each in arguments]
    conditions = (plans, dict(variables or {}), cpu_devices, wait_for_machines_s)
    process = _processes.Process(target=_run, args=(words, log, *conditions))
    process.start()
    return process


def wait_for(process: Any, log: Path, timeout_s: float = TIMEOUT_S) -> Ended:
    """Wait for the end of what `begin` started; a process that hangs is killed, and fails the test."""
    process.join(timeout_s)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise AssertionError(f"still running after {timeout_s} s: {log.read_text()}")
    return Ended(process.exitcode, log.read_text())


def _run(
    words: list[str],
    log: Path,
    plans: Sequence[Plan],
    variables: Mapping[str, str],
    cpu_devices: int,
    wait_for_machines_s: int,
) -> None:
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update(variables)
    # The process it is forked from has looked TMPDIR up already; TensorFlow leaves generated sources there.
    tempfile.tempdir = variables.get("TMPDIR", str(log.parent))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job's children ignore it
    sys.argv = ["edge-seg", *words]
    from edge_seg.cli.app import main
    from edge_seg_train import distribution, learner
    from edge_seg_train.tensorflow_setup import prepare_tensorflow

    prepare_tensorflow()
    learner.build_unet = tiny_unet
    distribution.WAIT_FOR_MACHINES_S = wait_for_machines_s
    _draw_nothing()
    _divide_cpu(cpu_devices)
    for plan in plans:
        sys.addaudithook(_Watch(plan))
    main()


def _draw_nothing() -> None:
    """Leave out what is drawn for people, which takes longer than all else in so small a run."""
    from edge_seg_train import recorder, training

    training.draw_network = lambda _model, path: write_bytes(path, b"")
    recorder.draw_curves = lambda _epochs, _classes, path: write_bytes(path, b"")
    training.write_report = lambda folder, *_: write_bytes(folder.report_path, folder.best_model_path.read_bytes()[:0])


def _divide_cpu(count: int) -> None:
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)


def tiny_unet(config: Any, class_count: int, *, synchronised: bool = False) -> Any:
    """Build a U-Net of one convolution with BatchNorm, pooled to the five depths, and one that classifies.

    Its layers have the names by which the rest of the project finds them.
    """
    import keras
    from keras import layers

    image = keras.Input((config.height, config.width, 3), dtype="uint8", name="image")
    encoder = _tiny_encoder(config, synchronised)
    *skips, x = encoder(layers.Rescaling(1 / 127.5, -1.0)(image))
    for level, skip in enumerate(reversed(skips), start=1):
        x = layers.Concatenate(name=f"join_{level}")([layers.UpSampling2D(2)(x), skip])
    x = layers.Dropout(config.dropout)(x) if config.dropout else x
    logits = layers.UpSampling2D(2)(layers.Conv2D(class_count, 3, padding="same", name="classify")(x))
    return keras.Model(image, layers.Activation("linear", dtype="float32")(logits), name="unet")


def _tiny_encoder(config: Any, synchronised: bool) -> Any:
    import keras
    from keras import layers

    image = keras.Input((config.height, config.width, 3))
    x = layers.Conv2D(6, 3, strides=2, padding="same", use_bias=False)(image)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9, name="batch_norm", synchronized=synchronised)(x))
    encoder = keras.Model(image, [x, *(layers.AveragePooling2D(2**level)(x) for level in range(1, 5))], name="encoder")
    encoder.trainable = config.fine_tune
    encoder.get_layer("batch_norm").trainable = config.fine_tune and not config.freeze_norm
    return encoder


class _Watch:
    """An audit hook that does what a plan says, once."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._left = plan, plan.moment.count

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        moment = self._plan.moment
        if self._left < 1 or event != moment.event:
            return
        names = [str(each) for each in arguments[:2]]
        if not names[1 if event == "os.rename" else 0].endswith(moment.ending):
            return
        self._left -= 1
        if not self._left:
            self._act()

    def _act(self) -> None:
        plan = self._plan
        if plan.copy:
            shutil.copy(*plan.copy)
        if plan.remove:
            shutil.rmtree(plan.remove)
        if plan.overwrite:
            plan.overwrite.write_bytes(b"no picture")
        if plan.fill:
            _fill(plan.fill)
        if plan.signal and plan.delay_s:
            threading.Timer(plan.delay_s, os.kill, (os.getpid(), plan.signal)).start()
        elif plan.signal:
            os.kill(os.getpid(), plan.signal)


def _fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def addresses(count: int) -> list[str]:
    """Return loopback addresses that are free at this moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return found


def history(run: Path) -> list[dict[str, str]]:
    """Return history.csv without what the clock says."""
    lines = csv.DictReader((run / "history.csv").read_text().splitlines())
    return [{name: value for name, value in line.items() if "seconds" not in name} for line in lines]


def column(run: Path, name: str) -> list[float]:
    """Return one column of history.csv."""
    return [float(line[name]) for line in history(run)]


def arrays(path: Path) -> dict[str, np.ndarray]:
    """Return what an .npz file holds."""
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def weights(model_path: Path) -> list[np.ndarray]:
    """Return the weights in a .keras file, in its own order."""
    import io
    import zipfile

    import h5py

    found: list[np.ndarray] = []
    with zipfile.ZipFile(model_path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        file.visititems(lambda _, item: found.append(item[()]) if isinstance(item, h5py.Dataset) else None)
    return found
