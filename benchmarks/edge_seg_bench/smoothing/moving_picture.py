"""A video with truth for every frame: a window that pans and zooms over a photograph and its mask.

The motion, the noise and the flicker of the light are synthetic; the pictures and their masks are real.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.images import ClassMap, RgbImage


@dataclass(frozen=True)
class Motion:
    """How a camera moves over a picture, and how it sees.

    Attributes:
        pan_per_s: shares of the window's width that it moves in a second; 0 is a camera on a wall.
        zoom_per_s: how much wider it gets in a second, as a share.
        noise: standard deviation of the sensor's noise, in grey levels.
        light_flicker: standard deviation of the brightness from frame to frame, as a share.
        shake_px: standard deviation of the hand's shake, in pixels of the window.
    """

    pan_per_s: float
    zoom_per_s: float
    noise: float = 5.0
    light_flicker: float = 0.02
    shake_px: float = 0.5


MOTIONS = {
    "on a wall": Motion(0.0, 0.0, shake_px=0.0),
    "in a hand": Motion(0.03, 0.02),
    "walking": Motion(0.2, 0.05, shake_px=1.0),
}

_WINDOW_SHARE = 0.7


@dataclass(frozen=True, eq=False)
class TrueFrame:
    """A frame of a moving picture: [h, w, 3] uint8 RGB, its true class map [h, w], and the seconds since the first."""

    image: RgbImage
    truth: ClassMap
    at_s: float


def moving_picture(
    image: RgbImage, truth: ClassMap, motion: Motion, *, frames: int, fps: float, size: tuple[int, int], seed: int
) -> Iterator[TrueFrame]:
    """Yield the frames of a camera that moves over a picture.

    The window starts in the middle, goes in a direction of the seed's choice, and turns back at the edge.

    Args:
        image: [h, w, 3] uint8 RGB.
        truth: [h, w] uint8 class ids.
        motion: of the window.
        frames: how many.
        fps: frames per second.
        size: (height, width) of the frames.
        seed: of direction, noise and light.
    """
    random = np.random.default_rng(seed)
    angle = random.uniform(0, 2 * np.pi)
    direction = np.array([np.cos(angle), np.sin(angle)])
    for index in range(frames):
        at_s = index / fps
        window = _window(image.shape, size, motion, direction * at_s, at_s)
        window[:, 2] += random.normal(0, motion.shake_px, 2) * window[0, 0] if motion.shake_px else 0
        seen = cv2.warpAffine(image, window, size[::-1], flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP, borderMode=4)
        true = cv2.warpAffine(truth, window, size[::-1], flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP, borderMode=4)
        yield TrueFrame(_as_seen(np.asarray(seen, np.uint8), motion, random), np.asarray(true, np.uint8), at_s)


def passed_by(
    frames: Iterator[TrueFrame], image: RgbImage, truth: ClassMap, background_id: int, *, widths_per_s: float
) -> Iterator[TrueFrame]:
    """Yield `frames` with the objects of another picture going through them, from the left edge on.

    Args:
        frames: of one size, as `moving_picture` gives them.
        image: [h, w, 3] uint8 RGB, the other picture.
        truth: [h, w] uint8, its class ids; what is not background is its objects.
        background_id: the class that stays behind.
        widths_per_s: shares of the frame's width that the objects move in a second.
    """
    for frame in frames:
        height, width = frame.truth.shape
        shift = round(((frame.at_s * widths_per_s + 0.5) % 2 - 1) * width)
        objects = np.asarray(cv2.resize(truth, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
        pixels = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        to, of = _overlap(width, shift)
        seen, true = frame.image.copy(), frame.truth.copy()
        is_object = objects[:, of] != background_id
        seen[:, to][is_object] = pixels[:, of][is_object]
        true[:, to][is_object] = objects[:, of][is_object]
        yield TrueFrame(seen, true, frame.at_s)


def _overlap(width: int, shift: int) -> tuple[slice, slice]:
    """Return the columns of a frame that a picture moved right by `shift` covers, and those of the picture."""
    return slice(max(shift, 0), width + min(shift, 0)), slice(max(-shift, 0), width - max(shift, 0))


def _window(
    shape: tuple[int, ...], size: tuple[int, int], motion: Motion, way: NDArray[np.float64], at_s: float
) -> NDArray[np.float64]:
    """Return the affine map [2, 3] from the frame's pixels to the picture's."""
    height, width = shape[:2]
    widest = min(width / size[1], height / size[0])
    step = widest * _WINDOW_SHARE * (1 + 0.2 * np.sin(motion.zoom_per_s / 0.2 * at_s))
    room = np.array([width - step * size[1], height - step * size[0]])
    middle = room / 2
    corner = _reflected(middle + way * motion.pan_per_s * step * size[1], room)
    return np.array([[step, 0, corner[0]], [0, step, corner[1]]])


def _reflected(place: NDArray[np.float64], room: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fold a straight way into [0, room], as a ball between two walls."""
    folded = np.mod(place, 2 * np.maximum(room, 1e-9))
    return np.where(folded > room, 2 * room - folded, folded)


def _as_seen(image: RgbImage, motion: Motion, random: np.random.Generator) -> RgbImage:
    light = 1 + random.normal(0, motion.light_flicker)
    noise = random.normal(0, motion.noise, image.shape).astype(np.float32)
    return np.clip(image * np.float32(light) + noise, 0, 255).astype(np.uint8)
