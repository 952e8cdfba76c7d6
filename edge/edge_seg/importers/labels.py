"""From what an annotation calls a region to a class id."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_seg.classes import IGNORE_ID, IGNORE_NAME, SegmentationClass, make_classes
from edge_seg.errors import AnnotationError, DatasetError
from edge_seg.importers.streaming import json_object
from edge_seg.importers.wording import listed, quoted, shown

ANY_LABEL = "*"

# What LabelMe's users write, and CVAT's "empty" label.
_ALIASES = {"__ignore__": IGNORE_NAME}
_BACKGROUND_ALIAS = "_background_"
_MOST_LABELS = 10_000  # so many different ones are captions
_MOST_ATTRIBUTES = 100
_LONGEST_LABEL = 200
_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # control characters, half surrogate pairs


@dataclass(frozen=True)
class LabelRules:
    """How regions get their class.

    Attributes:
        attribute: the attribute that names the class; None takes the format's, or the only one of each file.
        default_class: the class of regions without a label; None makes them an error.
        label_map: label to class name; the name "" drops the region, "ignore" makes it neither train
            nor score, and the label "*" stands for every label that is not listed.
        classes: class names in the order of their ids, after the background; empty takes the order
            of the file, or else that of the alphabet.
        background: name of class 0, which every undrawn pixel has.
    """

    attribute: str | None = None
    default_class: str | None = None
    label_map: Mapping[str, str] = field(default_factory=dict[str, str])
    classes: tuple[str, ...] = ()
    background: str = "background"

    def class_of(self, attributes: Mapping[str, object], attribute: str, where: str) -> str:
        """Return the class name that a region's `attribute` gives it; "" for one to be dropped.

        Raises:
            AnnotationError: no label and no default class, or a value that is no label.
        """
        label = label_of(attributes.get(attribute), f"'{shown(attribute)}'", where) or self.default_class
        if label is None:
            raise AnnotationError(
                f"{where}: has no '{shown(attribute)}'; give it one, or name a class for such regions with "
                " --default-class NAME"
            )
        return self.mapped(label)

    def mapped(self, label: str) -> str:
        """Return the class name that a label becomes; "" when it is dropped."""
        if label in self.label_map:
            return self.label_map[label]
        if label == _BACKGROUND_ALIAS:
            return self.background
        if label in _ALIASES:
            return _ALIASES[label]
        return self.label_map.get(ANY_LABEL, label)


def parse_label_map(text: str) -> dict[str, str]:
    """Read `dog=pet,cat=pet,person=`: labels to class names; an empty name drops the label.

    Raises:
        DatasetError: not LABEL=NAME, or a label given twice.
    """
    found: dict[str, str] = {}
    for entry in filter(str.strip, text.split(",")):
        label, equals, name = (part.strip() for part in entry.partition("="))
        if not (equals and label):
            raise DatasetError(f"'{shown(entry)}' is not LABEL=NAME; write for example dog=pet,cat=pet,person=")
        if label in found:
            raise DatasetError(f"the map gives the label '{shown(label)}' twice; keep one of them")
        found[label] = name
    return found


def label_of(value: object, attribute: str, where: str) -> str:
    """Return an attribute's value as a label; "" when there is none. A dictionary is VIA's checkboxes.

    Raises:
        AnnotationError: two boxes are ticked, or a value that is neither a name nor a number.
    """
    if (boxes := json_object(value)) is not None:
        ticked = [name for name, on in boxes.items() if on is True]
        if len(ticked) > 1:
            raise AnnotationError(f"{where}: {attribute} ticks {listed(ticked, ' and ')}; tick one class")
        value = "".join(ticked)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is not None and not isinstance(value, str):
        raise AnnotationError(f"{where}: {attribute} is {quoted(value)}, not a name; correct it")
    label = (value or "").strip()
    if len(label) > _LONGEST_LABEL or _NO_TEXT.search(label):
        raise AnnotationError(f"{where}: {attribute} is '{shown(label)}', a text and not a name; correct it")
    return label


class LabelCensus:
    """Counts the labels of every attribute in one file, until they are more than classes can be."""

    def __init__(self) -> None:
        self._labels: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._faults: dict[str, AnnotationError] = {}
        self._regions = 0

    def add(self, attributes: Mapping[str, object], where: str) -> None:
        """Count one region; `where` is its file, picture and number."""
        self._regions += 1
        if len(self._labels) > _MOST_ATTRIBUTES:
            raise AnnotationError(
                f"{where}: the regions have more than {_MOST_ATTRIBUTES} different attributes; export them again"
            )
        for name, value in attributes.items():
            counted = self._labels[name]
            try:
                label = label_of(value, f"'{shown(name)}'", where)
            except AnnotationError as error:
                self._faults.setdefault(name, error)
                continue
            if label in counted or len(counted) < _MOST_LABELS:
                counted[label] += 1

    def attribute(self, rules: LabelRules, preset: str | None, file: Path) -> str:
        """Settle which attribute names the class: the user's, the format's, or the only one.

        Raises:
            AnnotationError: several that could, none without a default class, or one nobody wrote.
        """
        names = sorted(self._labels)
        if rules.attribute is not None:
            if self._regions and rules.attribute not in names and rules.default_class is None:
                raise AnnotationError(
                    f"{file}: no region has the attribute '{shown(rules.attribute)}', they have "
                    f"{listed(names) or 'none'}; name one of these, or a class for such regions with "
                    " --default-class NAME"
                )
            return rules.attribute
        if preset is not None:
            return preset
        if len(names) > 1:
            raise AnnotationError(
                f"{file}: the regions have the attributes {listed(names)}; "
                f"say which one names the class, for example  --label-attribute '{shown(names[0])}'"
            )
        if not names and not rules.default_class and self._regions:
            raise AnnotationError(f"{file}: the regions have no attribute; name their class with  --default-class NAME")
        return names[0] if names else ""

    def labels(self, attribute: str, file: Path) -> set[str]:
        """Return the labels that regions have in an attribute; "" stands for regions without one.

        Raises:
            AnnotationError: none at all but faults, or so many that the attribute cannot be meant for classes.
        """
        counted = self._labels.get(attribute, Counter[str]())
        if not counted and attribute in self._faults:
            raise self._faults[attribute]
        if len(counted) == _MOST_LABELS:
            raise AnnotationError(
                f"{file}: the attribute '{shown(attribute)}' has more than {_MOST_LABELS} different labels; "
                "name another one with  --label-attribute"
            )
        return {*counted} | ({""} if counted.total() < self._regions else set())


def settle_classes(
    labels: Iterable[str], rules: LabelRules, file_order: Sequence[str], file: Path
) -> tuple[SegmentationClass, ...]:
    """Number the classes: the background, then the user's order, the file's, or the alphabet.

    Args:
        labels: every label that a region has; "" is one without.
        rules: the user's map and order.
        file_order: labels in the order of the file, where it has one.
        file: for errors.

    Raises:
        AnnotationError: a class that the user's order does not list, or none but the background.
    """
    known = [rules.background, *(name for name in rules.classes if name != rules.background)]
    if IGNORE_NAME in known:
        raise AnnotationError(
            f"{file}: '{IGNORE_NAME}' names regions that neither train nor score; give the class another name"
        )
    used = {rules.mapped(label or rules.default_class or "") for label in labels} - {"", IGNORE_NAME}
    if rules.classes and (strange := sorted(used - set(known))):
        raise AnnotationError(
            f"{file}: has regions of the class '{shown(strange[0])}', but the classes are {listed(known)}; "
            f"add it to --classes, map it or drop it with  --map '{shown(strange[0])}='"
        )
    if not rules.classes:
        ordered = [name for name in dict.fromkeys(map(rules.mapped, file_order)) if name in used]
        known += [name for name in [*ordered, *sorted(used - set(ordered))] if name != rules.background]
    if len(known) == 1:
        raise AnnotationError(f"{file}: no region names a class; draw regions or list --classes")
    if len(known) > IGNORE_ID:
        raise AnnotationError(
            f"{file}: its regions have {len(known) - 1} classes, and a mask holds {IGNORE_ID} with the background; "
            "merge or drop some with  --map"
        )
    return make_classes(known)


def class_ids(classes: Sequence[SegmentationClass]) -> dict[str, int]:
    """Return class name to id, the ignored one included."""
    return {IGNORE_NAME: IGNORE_ID} | {item.name: item.id for item in classes}
