"""After every epoch: validate, keep the best, write what people look at and what a resume needs."""

from collections.abc import Sequence

from edge_seg.comparison_sheet import Example, comparison_sheet
from edge_seg.dataset import Dataset
from edge_seg.files import atomic_path
from edge_seg.run_folder import RunFolder
from edge_seg_train.history import Epoch, write_history
from edge_seg_train.learner import Learner
from edge_seg_train.plots import draw_curves
from edge_seg_train.tensorboard_log import TensorBoardLog
from edge_seg_train.training_state import save_state
from edge_seg_train.validation import ValidationResult, ValidationSet

SAMPLE_COUNT = 4
SAMPLE_TILE_WIDTH = 320


class Recorder:
    """Writes a run folder while the run goes."""

    def __init__(self, folder: RunFolder, dataset: Dataset, validation: ValidationSet, learner: Learner) -> None:
        self._folder, self._dataset, self._validation, self._learner = folder, dataset, validation, learner
        self._log = TensorBoardLog(folder.tensorboard_path)
        if not self._log.has_graph:
            self._log.graph(learner.averaged_model())

    def validate(self) -> ValidationResult:
        """Score the averaged weights as they are now."""
        return self._validation.evaluate(self._learner.averaged_model())

    def record(self, epochs: Sequence[Epoch], *, is_best: bool) -> None:
        """Write what the last epoch gave.

        The state comes last: a run killed before that does the epoch again, with the same result.
        """
        epoch, folder, manifest = epochs[-1], self._folder, self._dataset.manifest
        model = self._learner.averaged_model()
        if is_best:
            with atomic_path(folder.best_model_path) as temporary:
                model.save(temporary)
        write_history(folder.history_path, epochs, manifest.class_names)
        draw_curves(epochs, manifest.classes, folder.curves_path)
        examples = self._validation.examples(model, self._validation.spread(SAMPLE_COUNT))
        sheet = comparison_sheet([Example(*each) for each in examples], manifest.classes, tile_width=SAMPLE_TILE_WIDTH)
        folder.write_sample(epoch.number, sheet)
        self._log.epoch(epoch, manifest.class_names, sheet)
        save_state(folder.state_path, self._learner.variables, len(epochs), self._learner.config)
