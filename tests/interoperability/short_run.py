"""Make a finished run in seconds, whose network tells the classes apart.

Usage:  short_run.py DATA RUN DECODER

After so few steps the moving averages of BatchNorm are still far from the data's statistics, and `edge-seg train` would
give one class everywhere; here they are taken from the training pictures at the end.
"""

import shutil
import sys
from pathlib import Path

import numpy as np

from edge_seg.dataset import Dataset
from edge_seg.resampling import shrink_image, shrink_mask
from edge_seg.run_config import RunConfig
from edge_seg.run_folder import RunFolder
from edge_seg_train.tensorflow_setup import prepare_tensorflow

SIZE, EPOCHS, BATCH_SIZE = 96, 12, 6


def main(data: Path, run: Path, decoder: str) -> None:
    prepare_tensorflow()
    import keras

    from edge_seg_train.network import build_unet

    keras.utils.set_random_seed(0)
    dataset, folder = Dataset.open(data), RunFolder(run)
    config = RunConfig(data=data, decoder=decoder, encoder_weights="none", width=SIZE, height=SIZE, alpha=0.35)
    pairs = [dataset.read(sample) for sample in dataset.samples("train")]
    pictures = np.stack([shrink_image(picture, SIZE, SIZE) for picture, _ in pairs])
    masks = np.stack([shrink_mask(mask, SIZE, SIZE) for _, mask in pairs])
    model = build_unet(config, len(dataset.classes))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=dataset.ignore_id)
    model.compile(keras.optimizers.Adam(0.003), loss)
    model.fit(pictures, masks, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0)
    learn_statistics(model, pictures)
    folder.write_config(config)
    shutil.copy(data / "dataset.toml", run)
    model.save(folder.best_model_path)


def learn_statistics(model, pictures: np.ndarray) -> None:
    import keras

    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(pictures, training=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
