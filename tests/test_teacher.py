"""Learning from a larger or finer model."""

import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")

from edge_seg_train.tensorflow_setup import prepare_tensorflow

prepare_tensorflow()

import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from edge_seg.classes import SegmentationClass
from edge_seg.dataset import Manifest
from edge_seg.dataset.manifest import write_manifest
from edge_seg.errors import EdgeSegError, TrainingError
from edge_seg.run_config import RunConfig
from edge_seg.run_folder import RunFolder
from edge_seg_train.kept_network import load_network
from edge_seg_train.losses import distillation
from edge_seg_train.network import build_unet
from edge_seg_train.starting_weights import check_alike, copy_weights
from edge_seg_train.teacher import Teacher, load_teacher

SMALL = {"alpha": 0.35, "encoder_weights": "none"}


def manifest(*names: str) -> Manifest:
    colours = ("#000000", "#E69F00", "#56B4E9")
    classes = [SegmentationClass(id=i, name=name, colour=colours[i]) for i, name in enumerate(names)]
    return Manifest(name="data", classes=tuple(classes))


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two classes at 192×128."""
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    config = RunConfig(data=Path("unused"), width=192, height=128, **SMALL)
    folder.write_config(config)
    write_manifest(folder.path, manifest("ground", "fire"))
    build_unet(config, 2).save(folder.best_model_path)
    return folder.path


def mean_brightness(height: int, width: int) -> keras.Model:
    """A teacher whose two scores are the brightness of each pixel and its opposite."""
    image = keras.Input((height, width, 3), dtype="uint8")
    bright = keras.layers.Conv2D(2, 1, use_bias=False, dtype="float32")
    model = keras.Model(image, bright(keras.layers.Rescaling(1.0)(image)))
    bright.set_weights([np.array([[1, -1], [0, 0], [0, 0]], np.float32).reshape(1, 1, 3, 2)])
    return model


def test_a_finer_teacher_sees_more_and_tells_it_at_the_students_size() -> None:
    images = np.zeros((1, 4, 8, 3), np.uint8)
    images[0, :, 2:4] = 100  # the second of four columns of the student's
    masks = (images[..., 0] > 0).astype(np.uint8)
    small, small_masks, logits = Teacher(mean_brightness(4, 8), (2, 4)).lesson(images, masks)
    assert small.numpy()[0, :, :, 0].tolist() == [[0, 100, 0, 0]] * 2
    assert small_masks[0].tolist() == [[0, 1, 0, 0]] * 2
    shares = tf.nn.softmax(logits).numpy()[0, 0]
    np.testing.assert_allclose(shares, [[0.5, 0.5], [1, 0], [0.5, 0.5], [0.5, 0.5]], atol=1e-6)


def test_a_teacher_looks_at_the_mirror_image_too() -> None:
    image = keras.Input((2, 4, 3), dtype="uint8")
    to_the_right = keras.layers.Conv2D(2, (1, 2), padding="same", dtype="float32", kernel_initializer="glorot_uniform")
    teacher = Teacher(keras.Model(image, to_the_right(keras.layers.Rescaling(1 / 255)(image))), (2, 4))
    images = np.random.default_rng(0).integers(0, 255, (1, 2, 4, 3), np.uint8)
    masks = images[..., 0]
    as_it_is, mirrored = (teacher.lesson(each, masks)[2].numpy() for each in (images, images[:, :, ::-1]))
    np.testing.assert_allclose(as_it_is, mirrored[:, :, ::-1], rtol=1e-5)
    assert not np.allclose(as_it_is, mirrored, rtol=1e-3), "it sees something"


@pytest.mark.parametrize("size", [(2, 4), (4, 8)])
def test_nothing_is_taught_to_the_teacher(size: tuple[int, int]) -> None:
    model = mean_brightness(4, 8)
    teacher = Teacher(model, size)
    images = np.full((1, 4, 8, 3), 9, np.uint8)
    student = tf.Variable(tf.zeros((1, *size, 2)))
    with tf.GradientTape() as tape:
        _, _, expected = teacher.lesson(images, images[..., 0])
        loss = distillation(expected, student)
    to_student, to_teacher = tape.gradient(loss, [student, model.weights[0].value])
    assert to_teacher is None
    assert np.abs(to_student.numpy()).max() > 0


@pytest.mark.parametrize(
    ("names", "size", "sentence"),
    [
        (("ground", "smoke"), (192, 128), "its model knows ground, fire, but the data set has ground, smoke"),
        (("ground", "fire"), (128, 128), "its input is 192×128, which is no whole multiple of 128×128"),
        (("ground", "fire"), (384, 256), "no whole multiple of 384×256"),
    ],
)
def test_teachers_that_do_not_fit(taught: Path, names: tuple[str, ...], size: tuple[int, int], sentence: str) -> None:
    config = RunConfig(data=Path("unused"), width=size[0], height=size[1], **SMALL)
    with pytest.raises(TrainingError, match=sentence):
        load_teacher(taught, config, manifest(*names))


def test_a_teacher_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(EdgeSegError, match="not a finished run"):
        load_teacher(tmp_path, RunConfig(data=Path("unused"), **SMALL), manifest("ground", "fire"))


@pytest.mark.parametrize(("class_count", "copied_last_layer"), [(2, True), (3, False)])
def test_starting_from_a_run_of_another_size_and_other_classes(
    taught: Path, class_count: int, copied_last_layer: bool
) -> None:
    model = build_unet(RunConfig(data=Path("unused"), width=96, height=96, **SMALL), class_count)
    source = keras.models.load_model(RunFolder(taught).best_model_path, compile=False)
    copy_weights(taught, model)
    pairs = {own.path: (own.numpy(), other.numpy()) for own, other in zip(model.weights, source.weights, strict=True)}
    same = {path for path, (own, other) in pairs.items() if own.shape == other.shape and np.array_equal(own, other)}
    left = {path for path in pairs if path not in same}
    assert left == (set() if copied_last_layer else {"classify/kernel", "classify/bias"})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"alpha": 0.5}, r"alpha 0\.35, not 0\.5; add --alpha 0\.35"),
        ({"decoder": "transpose"}, "decoder separable, not transpose"),
        ({"input_range": "0,1"}, "input-range -1,1, not 0,1"),
    ],
)
def test_starting_from_another_network_is_one_sentence(taught: Path, options: dict[str, object], sentence: str) -> None:
    config = RunConfig.model_validate({"data": "unused", "width": 96, "height": 96, **SMALL, **options})
    with pytest.raises(TrainingError, match=sentence):
        check_alike(taught, config)


def test_a_network_of_other_layers_is_one_sentence(taught: Path) -> None:
    config = RunConfig.model_validate({"data": "unused", "width": 96, "height": 96, **SMALL, "decoder": "transpose"})
    with pytest.raises(TrainingError, match="has other layers"):
        copy_weights(taught, build_unet(config, 2))


def test_a_damaged_network_is_one_sentence(taught: Path, tmp_path: Path) -> None:
    run = shutil.copytree(taught, tmp_path / "run")
    with zipfile.ZipFile(run / "best.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(TrainingError, match="cannot be read as a network"):
        load_network(RunFolder(run))
