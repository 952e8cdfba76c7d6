"""Augmentation that moves image and mask together, as TensorFlow operations inside the input pipeline.

Every function is deterministic in its `seed` ([2] int64), whatever order the pipeline runs in.
"""

import math
from typing import Any

import tensorflow as tf

# Ranges chosen for hand-held and field cameras: dusk and glare, a wrong white balance, noise, a lens out of focus.
# Colour is varied widely so that a model learns shapes, not fur.
MAX_ROTATION_RAD = math.radians(20)
ZOOM = (0.5, 1.4)
MAX_STRETCH = 0.15
BRIGHTNESS = 0.25
CONTRAST = (0.6, 1.5)
SATURATION = (0.3, 1.7)
MAX_HUE = 0.06
GREY_SHARE = 0.08
MAX_CHANNEL_GAIN = 0.15
MAX_CURVE = 0.5  # how far mid-tones are lifted or pressed, as a wrong exposure curve does
NOISE_SHARE, MAX_NOISE = 0.4, 0.06
BLUR_SHARE = 0.2


def augment(image: Any, mask: Any, seed: Any, height: int, width: int, ignore_id: int) -> tuple[Any, Any]:
    """Flip, turn, zoom, shift and recolour one sample.

    Args:
        image: [h, w, 3] uint8; larger than the result, so that zooming in has pixels to show.
        mask: [h, w] uint8 class ids.
        seed: [2] int64.
        height, width: size of the result.
        ignore_id: what mask pixels become that lie outside the picture.

    Returns:
        image [height, width, 3] uint8 and mask [height, width] uint8.
    """
    geometry, colour = tf.unstack(tf.random.split(seed, 2))
    transform = random_transform(geometry, tf.shape(image)[0], tf.shape(image)[1], height, width)
    image = _warp(tf.cast(image, tf.float32), transform, height, width, "BILINEAR", 0.0)
    mask = _warp(tf.cast(mask, tf.float32)[..., None], transform, height, width, "NEAREST", float(ignore_id))
    image = recolour(image / 255.0, colour)
    image = tf.cast(tf.round(tf.clip_by_value(image, 0.0, 1.0) * 255.0), tf.uint8)
    return tf.ensure_shape(image, (height, width, 3)), tf.cast(mask[..., 0], tf.uint8)


def random_transform(seed: Any, source_height: Any, source_width: Any, height: int, width: int) -> Any:
    """Draw a projective transform [8] float32 that maps result coordinates to source coordinates."""
    draw = tf.random.stateless_uniform((6,), seed, -1.0, 1.0)
    angle = draw[0] * MAX_ROTATION_RAD
    zoom = tf.exp(_between(draw[1], math.log(ZOOM[0]), math.log(ZOOM[1])))
    stretch = tf.exp(draw[2] * MAX_STRETCH)
    mirror = tf.where(draw[3] < 0, -1.0, 1.0)
    source_h, source_w = tf.cast(source_height, tf.float32), tf.cast(source_width, tf.float32)
    scale_x, scale_y = zoom * stretch * source_w / width, zoom / stretch * source_h / height
    a, b = mirror * tf.cos(angle) * scale_x, -tf.sin(angle) * scale_x
    c, d = mirror * tf.sin(angle) * scale_y, tf.cos(angle) * scale_y
    # What is zoomed into may lie anywhere in the picture; what is zoomed out of stays near its middle.
    room = 0.5 * tf.abs(1.0 - zoom)
    centre_x, centre_y = source_w * (0.5 + draw[4] * room), source_h * (0.5 + draw[5] * room)
    offset_x = centre_x - a * width / 2 - b * height / 2
    offset_y = centre_y - c * width / 2 - d * height / 2
    return tf.stack([a, b, offset_x, c, d, offset_y, 0.0, 0.0])


def recolour(image: Any, seed: Any) -> Any:
    """Vary light, colour, noise and focus of [h, w, 3] float32 in [0, 1]; some pictures turn grey."""
    draw_seed, gain_seed, noise_seed = tf.unstack(tf.random.split(seed, 3))
    draw = tf.random.stateless_uniform((8,), draw_seed, -1.0, 1.0)
    image = tf.cond(_happens(draw[6], BLUR_SHARE), lambda: _blurred(image), lambda: image)
    image = tf.image.adjust_saturation(image, _between(draw[0], *SATURATION))
    image = tf.image.adjust_hue(image, draw[1] * MAX_HUE)
    image *= 1.0 + MAX_CHANNEL_GAIN * tf.random.stateless_uniform((3,), gain_seed, -1.0, 1.0)
    image += MAX_CURVE * draw[5] * image * (1.0 - image)
    image = tf.image.adjust_contrast(image, _between(draw[2], *CONTRAST)) + draw[3] * BRIGHTNESS
    image = tf.cond(_happens(draw[4], GREY_SHARE), lambda: _grey(image), lambda: image)
    # The share of `draw` that is noisy is also how noisy it is.
    strength = MAX_NOISE * tf.maximum(0.0, (draw[7] + 1.0) / 2.0 - (1.0 - NOISE_SHARE)) / NOISE_SHARE
    return tf.cond(
        strength > 0.0,
        lambda: image + strength * tf.random.stateless_uniform(tf.shape(image), noise_seed, -1.7, 1.7),
        lambda: image,
    )


def _happens(draw: Any, share: float) -> Any:
    return draw < 2 * share - 1


def _grey(image: Any) -> Any:
    return tf.image.grayscale_to_rgb(tf.image.rgb_to_grayscale(image))


def _blurred(image: Any) -> Any:
    """Average 3×3 pixels."""
    return tf.nn.avg_pool2d(image[None], 3, 1, "SAME")[0]


def _between(draw: Any, low: float, high: float) -> Any:
    return low + (draw + 1) / 2 * (high - low)


def _warp(pixels: Any, transform: Any, height: int, width: int, interpolation: str, fill: float) -> Any:
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pixels[None],
        transforms=transform[None],
        output_shape=[height, width],
        interpolation=interpolation,
        fill_mode="CONSTANT",
        fill_value=fill,
    )[0]
