from pathlib import Path

import numpy as np
import pytest

from device_fixtures import FakeEngine, half_red_half_blue, red_or_blue, red_or_blue_segmenter, spec
from edge_seg.errors import ModelError
from edge_seg.images import read_image
from edge_seg.segmenter import Segmenter
from edge_seg.shipped import default_model

MINUS_ONE_TO_ONE = {"scale": 2 / 255, "zero_point": -1}


def test_class_map_has_the_image_size_and_its_shares_add_up() -> None:
    segmentation = red_or_blue_segmenter().segment(half_red_half_blue(32, 48))
    assert segmentation.class_map.shape == (32, 48)
    assert segmentation.class_map.dtype == np.uint8
    assert (segmentation.class_map[:, 0] == 0).all()
    assert (segmentation.class_map[:, -1] == 1).all()
    assert segmentation.area_share == pytest.approx({"red": 0.5, "blue": 0.5})


def test_latency_is_the_sum_of_the_stages() -> None:
    segmentation = red_or_blue_segmenter().segment(half_red_half_blue())
    stages = (segmentation.preprocess_ms, segmentation.invoke_ms, segmentation.postprocess_ms)
    assert min(stages) > 0
    assert segmentation.latency_ms == pytest.approx(sum(stages))


@pytest.mark.parametrize(
    ("tensor", "input_range", "expected"),
    [
        (spec((1, 8, 8, 3), "uint8"), None, [0, 128, 255]),
        (spec((1, 8, 8, 3), "uint8", 1 / 128, 128), None, [0, 128, 255]),
        (spec((1, 8, 8, 3), "int8", **MINUS_ONE_TO_ONE), None, [-128, 0, 127]),
        (spec((1, 8, 8, 3), "int8", 1 / 255, -128), None, [-128, 0, 127]),
        (spec((1, 8, 8, 3), "int8", 1.0, -128), None, [-128, 0, 127]),
        (spec((1, 8, 8, 3), "int8", 2.5 / 255, 0), "-1,1", [-102, 0, 102]),
        (spec((1, 8, 8, 3), "float32"), "0,1", [0, 128 / 255, 1]),
        (spec((1, 8, 8, 3), "float32"), "-1,1", [-1, 1 / 255, 1]),
        (spec((1, 8, 8, 3), "float32"), "0,255", [0, 128, 255]),
        (spec((1, 3, 8, 8), "float32"), "0,255", [0, 128, 255]),
    ],
)
def test_bytes_become_the_inputs_numbers(tensor, input_range, expected) -> None:
    engine = FakeEngine([tensor], [spec((1, 8, 8, 2), "float32")], lambda _: np.zeros((8, 8, 2)))
    image = np.zeros((16, 16, 3), np.uint8)
    image[:] = (0, 128, 255)
    Segmenter(engine, input_range=input_range).segment(image)
    channels_last = engine.received[0] if tensor.shape[-1] == 3 else engine.received[0].transpose(1, 2, 0)
    # A scale is a rounded measurement, so that a quantised byte may be one off.
    assert channels_last[3, 5] == pytest.approx(expected, abs=1e-6 if tensor.dtype == "float32" else 1)


@pytest.mark.parametrize("shape", [(1, 8, 16, 3), (1, 3, 8, 16)])
def test_pixels_keep_their_places(shape) -> None:
    engine = FakeEngine([spec(shape)], [spec((1, 8, 16, 2), "float32")], lambda _: np.zeros((8, 16, 2)))
    image = np.random.default_rng(0).integers(0, 256, (8, 16, 3), np.uint8)
    Segmenter(engine).segment(image)
    received = engine.received[0]
    assert ((received if shape[-1] == 3 else received.transpose(1, 2, 0)) == image).all()


@pytest.mark.parametrize(
    ("tensor", "answer", "expected"),
    [
        (spec((1, 4, 4, 3), "float32"), lambda c: np.eye(3)[c], 3),
        (spec((1, 4, 4, 3), "int8", 0.1, 3), lambda c: np.eye(3)[c] * 200 - 100, 3),
        (spec((1, 4, 4, 3), "uint8", 0.1, 3), lambda c: np.eye(3)[c] * 200, 3),
        (spec((1, 3, 4, 4), "float32"), lambda c: np.eye(3)[c].transpose(2, 0, 1), 3),
        (spec((1, 16, 3), "float32"), lambda c: np.eye(3)[c], 3),
        (spec((1, 4, 4), "int64"), lambda c: c, 3),
        (spec((1, 4, 4, 1), "int32"), lambda c: c, 3),
        (spec((1, 4, 4, 1), "float32"), lambda c: (c > 0) * 0.9, 2),
        (spec((1, 1, 4, 4), "float32"), lambda c: (c > 0) * 0.9, 2),
        (spec((1, 16), "float32"), lambda c: (c > 0) * 0.9, 2),
        (spec((1, 4, 4, 1), "int8", 1 / 256, -128), lambda c: (c > 0) * 200 - 128, 2),
        (spec((1, 4, 4, 1), "uint8", 1 / 256, 0), lambda c: (c > 0) * 200, 2),
    ],
)
def test_every_output_layout_gives_the_same_class_map(tensor, answer, expected) -> None:
    classes = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 2, 2], [2, 2, 2, 2]])
    engine = FakeEngine([spec((1, 4, 4, 3))], [tensor], lambda _: answer(classes))
    class_map = Segmenter(engine).segment(np.zeros((4, 4, 3), np.uint8)).class_map
    assert class_map.tolist() == np.minimum(classes, expected - 1).tolist()


def test_int8_scores_keep_their_order_across_zero() -> None:
    engine = FakeEngine([spec((1, 2, 2, 3))], [spec((1, 2, 2, 2), "int8", 0.1, 0)], lambda _: [[-1, 1]] * 4)
    assert (Segmenter(engine).segment(np.zeros((2, 2, 3), np.uint8)).class_map == 1).all()


@pytest.mark.parametrize(
    ("inputs", "outputs", "says"),
    [
        ([spec((1, 8, 8, 3), "float32")], [spec((1, 8, 8, 2), "float32")], "--input-range"),
        ([spec((1, 8, 8, 3), "int8", 5.0, 0)], [spec((1, 8, 8, 2), "float32")], "--input-range"),
        ([spec((1, 8, 8, 3), "int16")], [spec((1, 8, 8, 2), "float32")], "int16"),
        ([spec((1, 8, 8, 1))], [spec((1, 8, 8, 2), "float32")], "grey"),
        ([spec((2, 8, 8, 3))], [spec((2, 8, 8, 2), "float32")], "batch size 1"),
        ([spec((1, 1, 1, 3))], [spec((1, 8, 8, 2), "float32")], "open"),
        ([spec((1, 10))], [spec((1, 8, 8, 2), "float32")], "[1, 10]"),
        ([spec((1, 8, 8, 3)), spec((1,))], [spec((1, 8, 8, 2), "float32")], "2 inputs"),
        ([spec((1, 8, 8, 3))], [spec((1, 8, 8, 2), "float32"), spec((1, 4))], "2 outputs"),
        ([spec((1, 8, 8, 3))], [spec((1, 1001), "float32")], "[1, 1001]"),
        ([spec((1, 8, 8, 3))], [spec((1, 8, 3, 5), "float32")], "proportions"),
        ([spec((1, 8, 8, 3))], [spec((1, 8, 8, 1), "int8", 0.1, 0)], "sigmoid"),
    ],
)
def test_what_cannot_run_correctly_is_refused(inputs, outputs, says) -> None:
    with pytest.raises(ModelError) as caught:
        Segmenter(FakeEngine(inputs, outputs, lambda _: 0))
    assert says in str(caught.value)


def test_logits_in_a_single_channel_are_refused() -> None:
    engine = FakeEngine([spec((1, 4, 4, 3))], [spec((1, 4, 4, 1), "float32")], lambda _: np.full(16, -3.0))
    with pytest.raises(ModelError, match="sigmoid"):
        Segmenter(engine).segment(np.zeros((4, 4, 3), np.uint8))


def test_a_class_id_without_a_name_is_refused() -> None:
    engine = FakeEngine([spec((1, 4, 4, 3))], [spec((1, 4, 4), "int32")], lambda _: np.full(16, 7))
    with pytest.raises(ModelError, match="to 7"):
        Segmenter(engine, labels=("a", "b")).segment(np.zeros((4, 4, 3), np.uint8))


def test_an_unnamed_class_map_lists_the_classes_up_to_the_highest_seen() -> None:
    engine = FakeEngine([spec((1, 4, 4, 3))], [spec((1, 4, 4), "int32")], lambda _: np.full(16, 2))
    shares = Segmenter(engine).segment(np.zeros((4, 4, 3), np.uint8)).area_share
    assert shares == {"class 0": 0, "class 1": 0, "class 2": 1}


@pytest.mark.parametrize(("labels", "says"), [(("a",), "2 classes"), (("a", "a"), "differ")])
def test_labels_that_do_not_fit_are_refused(labels, says) -> None:
    with pytest.raises(ModelError, match=says):
        Segmenter(red_or_blue(), labels=labels)


@pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)])
def test_only_rgb_uint8_is_an_image(image) -> None:
    with pytest.raises(ModelError, match="uint8 RGB"):
        red_or_blue_segmenter().segment(image)


def test_the_shipped_model_finds_its_classes() -> None:
    segmenter = Segmenter.load(default_model())
    assert {item.name for item in segmenter.classes} == {"pet", "background", "border"}
    segmentation = segmenter.segment(half_red_half_blue(100, 150))
    assert segmentation.class_map.shape == (100, 150)
    assert sum(segmentation.area_share.values()) == pytest.approx(1)


PEERS = [
    ("deeplabv3_257", "-1,1", 8, 0.6),
    ("deeplabv3_mnv2_dm05_pascal_quant", None, 8, 0.6),
    ("deeplabv3_mnv2_pascal_quant", None, 8, 0.6),
    ("selfie_segmentation", "0,1", 1, 0.3),
    ("bilinear_fin_munet_uint8", "0,1", 1, 0.2),
]


@pytest.mark.shared
@pytest.mark.parametrize(("name", "input_range", "cat", "floor"), PEERS)
def test_peers_find_the_cat(shared_dir: Path, name: str, input_range: str | None, cat: int, floor: float) -> None:
    """IoU with the pet of the trimap; portrait models know people, so that their floor is low."""
    segmenter = Segmenter.load(shared_dir / "peers" / f"{name}.tflite", input_range=input_range)
    ious = []
    for stem in ("Abyssinian_125", "Abyssinian_135", "Abyssinian_136"):
        found = segmenter.segment(read_image(shared_dir / f"data/pets/images/{stem}.jpg")).class_map == cat
        truth = read_image(shared_dir / f"data/pets/masks/{stem}.png")[:, :, 0] != 2
        ious.append((found & truth).sum() / (found | truth).sum())
    assert np.mean(ious) > floor


@pytest.mark.shared
def test_a_float_peer_asks_for_its_range(shared_dir: Path) -> None:
    with pytest.raises(ModelError, match="--input-range"):
        Segmenter.load(shared_dir / "peers" / "deeplabv3_257.tflite")
