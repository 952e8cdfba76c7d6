"""Downloading the model that a manifest describes, and no other byte."""

import re
import shutil
from pathlib import Path

from edge_seg.errors import UpdateError
from edge_seg.model_identity import file_sha256
from edge_seg.updates.address import Address
from edge_seg.updates.connection import Answer, BrokenOffError, Client
from edge_seg.updates.manifest import Manifest
from edge_seg.updates.partial_file import PartialFile, TooLongError

_MOST_TRIES = 5
"""Of one download: what the last one got is kept for the next check."""
_WHAT = "model"
_OF_A_DOWNLOAD = re.compile(r"[0-9a-f]{64}\.(part|etag|wrong)|.+\.tflite")


class Download:
    """One model on its way into a folder."""

    def __init__(self, client: Client, address: Address, manifest: Manifest, folder: Path) -> None:
        self._client, self._address, self._manifest, self._folder = client, address, manifest, folder
        self._target = folder / f"{manifest.name}.tflite"
        self._part = PartialFile(folder, manifest.sha256, manifest.size_bytes)

    def run(self, keep_free_bytes: int) -> Path:
        """Fetch what is missing, and return where the model lies; its SHA-256 is the manifest's.

        Raises:
            UpdateError: it cannot be fetched, is not what was signed, or there is no room for it.
            OSError: the disk is full or fails.
        """
        if self._target.exists() and file_sha256(self._target) == self._manifest.sha256:
            return self._target
        self._remove_others()
        self._check_room(keep_free_bytes)
        self._fetch_rest()
        if self._part.is_patched and not self._part.is_right():
            self._part.drop()
            self._fetch_rest()
        if not self._part.is_right():
            self._part.put_down_as_wrong()
            raise self._is_wrong()
        return self._part.finish(self._target)

    def _remove_others(self) -> None:
        for path in self._folder.iterdir():
            if _OF_A_DOWNLOAD.fullmatch(path.name) and not path.name.startswith(self._manifest.sha256):
                path.unlink()

    def _check_room(self, keep_free_bytes: int) -> None:
        missing_bytes = self._manifest.size_bytes - self._part.size_bytes
        if shutil.disk_usage(self._folder).free < missing_bytes + keep_free_bytes:
            raise UpdateError(
                f"{self._folder}: the disk has no room for the new model, {self._manifest.size_bytes / 1e6:.1f} MB, "
                f"beside the {keep_free_bytes / 1e6:.0f} MB that are to stay free; free some space"
            )

    def _fetch_rest(self) -> None:
        """Ask again for what is missing as long as something comes, a few times."""
        for attempt in range(_MOST_TRIES):
            before_bytes = self._part.size_bytes
            if self._part.is_whole:
                return
            try:
                self._ask()
            except BrokenOffError:
                if attempt == _MOST_TRIES - 1 or self._part.size_bytes <= before_bytes:
                    raise

    def _ask(self) -> None:
        part = self._part
        with self._client.get(self._address, self._condition()) as answer:
            if answer.status == 304 and part.wrong_etag:
                raise self._is_wrong()
            if part.size_bytes and self._has_changed(answer):
                part.drop()
                return
            self._begin_or_go_on(answer)
            try:
                part.append(answer.pieces(_WHAT))
            except TooLongError:
                raise self._other_length(answer) from None
        if not part.is_whole:
            raise BrokenOffError(f"{answer.place}: gives only a part of the model; it is asked again later")

    def _condition(self) -> dict[str, str]:
        part = self._part
        if part.size_bytes:
            condition = {"Range": f"bytes={part.size_bytes}-"}
            return condition if not _is_strong(part.etag) else {**condition, "If-Range": part.etag}
        return {"If-None-Match": part.wrong_etag} if part.wrong_etag else {}

    def _has_changed(self, answer: Answer) -> bool:
        """Whether a server that was asked for the rest has another file by now, or gives another part of it."""
        if answer.status == 416:
            return True
        if answer.status != 206:
            return False
        part = self._part
        sent = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", answer.header("Content-Range"))
        as_asked = (
            sent is not None and int(sent[1]) == part.size_bytes and sent[3] in (str(self._manifest.size_bytes), "*")
        )
        return not as_asked or bool(part.etag and answer.etag and part.etag != answer.etag)

    def _begin_or_go_on(self, answer: Answer) -> None:
        part = self._part
        if answer.status == 206 and part.size_bytes:
            part.is_patched = True
            return
        if answer.status != 200:
            raise answer.refusal(_WHAT)
        if answer.size_bytes not in (None, self._manifest.size_bytes):
            part.drop()
            raise self._other_length(answer)
        part.begin(answer.etag)

    def _other_length(self, answer: Answer) -> UpdateError:
        return UpdateError(
            f"{answer.place}: the model has not the {self._manifest.size_bytes} bytes that were signed; upload model "
            "and manifest again"
        )

    def _is_wrong(self) -> UpdateError:
        return UpdateError(
            f"{self._address.shown}: the model is not the one that was signed, its SHA-256 is another; upload model "
            "and manifest again"
        )


def _is_strong(etag: str) -> bool:
    """Whether it may be sent as If-Range (RFC 9110, section 13.1.5)."""
    return etag.startswith('"')
