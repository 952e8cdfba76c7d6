import numpy as np
import pytest

from edge_seg.metrics import confusion_matrix, scores

IGNORE = 255


def test_confusion_matrix_counts_truth_by_row_and_leaves_ignored_pixels_out() -> None:
    truth = np.array([[0, 0, 1, IGNORE]], np.uint8)
    prediction = np.array([[0, 1, 1, 0]], np.uint8)
    assert confusion_matrix(truth, prediction, 2, IGNORE).tolist() == [[1, 1], [0, 1]]


@pytest.mark.parametrize(
    ("matrix", "iou", "miou", "accuracy"),
    [
        ([[5, 0], [0, 5]], [1, 1], 1, 1),
        ([[0, 5], [5, 0]], [0, 0], 0, 0),
        ([[1, 1], [0, 2]], [1 / 2, 2 / 3], 7 / 12, 3 / 4),
        ([[2, 0, 0], [0, 2, 0], [0, 0, 0]], [1, 1, float("nan")], 1, 1),
    ],
)
def test_scores(matrix, iou, miou, accuracy) -> None:
    result = scores(np.array(matrix))
    assert result.iou == pytest.approx(iou, nan_ok=True)
    assert result.miou == pytest.approx(miou)
    assert result.pixel_accuracy == pytest.approx(accuracy)


def test_many_classes_do_not_overflow() -> None:
    truth = prediction = np.full((4, 4), 254, np.uint8)
    assert confusion_matrix(truth, prediction, 255, IGNORE)[254, 254] == 16
