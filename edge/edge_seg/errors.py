"""Every error that edge-seg raises on purpose.

    EdgeSegError                 one sentence: what was wrong, the value seen, the cure
    ├── DatasetError             a data set folder that does not keep its contract
    │   └── AnnotationError      an annotation file or one of its regions
    ├── ImageError               an image that cannot be read or written
    ├── ModelError               a model file that cannot be run, or not correctly
    ├── MissingExtraError        a package that `pip install edge-seg[extra]` brings
    ├── SourceError              a camera, stream, video or folder that gives no frames
    ├── SinkError                an output that cannot be written
    │   └── NameRefusedError     a name that the storage does not take, whatever the bytes
    ├── StorageError             a bucket or a shared folder that cannot be reached, whatever the file
    ├── AlertError               an alert rule, or a place alerts go to, that makes no sense
    ├── UpdateError              a new model that cannot be fetched, trusted, kept or used
    ├── ServiceError             a service that cannot be installed, asked or removed
    ├── TrainingError            a training run that cannot start or go on
    │   └── LostMachineError     one of several machines did not come, or ended: all begin again (exit code 75)
    ├── ConversionError          a model that cannot be converted, or loses too much
    └── BenchmarkError           a measurement that could not be made

The command line prints the message on stderr and exits with 1, or the `exit_code` of the error.
"""

import os
from typing import ClassVar


class EdgeSegError(Exception):
    """Base of all errors a user can cure; the message is one sentence that says how."""

    exit_code: ClassVar[int] = 1
    """What the command line exits with."""


class DatasetError(EdgeSegError):
    """A data set folder, or a file in it, does not keep the contract."""


class AnnotationError(DatasetError):
    """An annotation file, or one of its regions, cannot be turned into a mask."""


class ImageError(EdgeSegError):
    """An image cannot be decoded or written."""


class ModelError(EdgeSegError):
    """A model file cannot be run, or nothing says how to run it correctly."""


class MissingExtraError(EdgeSegError):
    """A package is not installed that an optional extra of edge-seg brings."""


class SourceError(EdgeSegError):
    """A source of frames cannot be opened or stopped giving frames."""


class SinkError(EdgeSegError):
    """An output cannot be opened or written."""


class NameRefusedError(SinkError):
    """The place that results go to takes no file of this name; others it takes."""


class StorageError(EdgeSegError):
    """A bucket's server, or a folder that machines share, cannot be reached or refuses the credentials."""


class AlertError(EdgeSegError):
    """An alert rule cannot be understood, or a place that alerts go to cannot be used."""


class UpdateError(EdgeSegError):
    """A new model cannot be fetched, trusted, kept or used; the one that runs is untouched."""


class ServiceError(EdgeSegError):
    """A service of the system cannot be installed, asked or removed."""


class TrainingError(EdgeSegError):
    """A training run cannot start or go on."""


class LostMachineError(TrainingError):
    """One of several machines that train together did not come, or ended before the run did."""

    exit_code = os.EX_TEMPFAIL  # sysexits.h: the same command may succeed later


class ConversionError(EdgeSegError):
    """A model cannot be converted, or the converted model loses too much."""


class BenchmarkError(EdgeSegError):
    """A measurement could not be made."""
