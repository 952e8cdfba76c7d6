"""The data set folder: where annotation, training, calibration and benchmarks meet.

    my-data/
      dataset.toml              name, classes, ignore id, source, licence, split policy
      images/x.jpg              any size, any mode
      masks/x.png               one byte per pixel: class id, or the ignore id
      splits/{train,val,test}.txt   one image file name per line

Training, calibration and the accuracy column of a benchmark read it through these classes, so all see the same pixels.
"""

from edge_seg.dataset.folder import Dataset, Sample
from edge_seg.dataset.manifest import Manifest, SplitPolicy
from edge_seg.dataset.splitting import random_split
from edge_seg.dataset.writer import DatasetWriter

__all__ = ["Dataset", "DatasetWriter", "Manifest", "Sample", "SplitPolicy", "random_split"]
