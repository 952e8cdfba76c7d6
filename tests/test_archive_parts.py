"""The parts of a run over an archive that need no cluster."""

import io
import socket
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import edge_seg.archive.cluster
from edge_seg.archive.attempts import MOST_DEATHS, Attempts
from edge_seg.archive.cluster import Cluster, wanted_address
from edge_seg.archive.engine import cut_into_tasks
from edge_seg.archive.note import NOTE, refuse_other_archive, write_note
from edge_seg.archive.parts import PartsWriter, parquet_bytes, part_names
from edge_seg.archive.pending import named_masks, pending_pictures, pictures_of
from edge_seg.archive.rows import Row, row_schema, rows_table
from edge_seg.archive.running import ArchiveRun, run_archive
from edge_seg.archive.storage import open_output, open_source
from edge_seg.archive.table import TABLE, done_pictures, fragment, merge, write_table
from edge_seg.archive.worker import FAULT, Job, Worker, picture_seconds
from edge_seg.cli.ray_options import check_places, read_job
from edge_seg.errors import EdgeSegError, SinkError, SourceError
from edge_seg.folder_run.outputs import unique_stems
from edge_seg.images import decode_image, encode_mask, read_image, write_image, write_mask
from edge_seg.segmenter import Segmenter
from edge_seg.synthetic import generate_picture

SCHEMA = row_schema(["pet", "background"])


def rows(*found: Row) -> pa.Table:
    return rows_table(found, SCHEMA, "f" * 64)


def seen(path: str, share: float = 0.25) -> Row:
    return Row(path, f"masks/{path}.png", 4, 3, (share, 1 - share), 0.5)


def failed(path: str) -> Row:
    return Row(path, error="broken")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pics"
    for index, name in enumerate(("a.jpg", "b/a.jpg", "c.png")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, generate_picture(64, seed=1, number=index)[0])
    (folder / "bad.jpg").write_bytes(b"no picture")
    return folder


def job(pictures: Path, output: Path, **options: object) -> Job:
    wanted = {
        "model": None,
        "runtime": "litert",
        "threads": 1,
        "labels": None,
        "input_range": None,
        **options,
    }
    return read_job(str(pictures), str(output), **wanted)  # pyright: ignore[reportArgumentType]


def worker(archive: Job, attempts: Attempts) -> Worker:
    """One that a run started."""
    write_note(archive.output, {})
    return Worker(archive, attempts)


def test_masks_keep_folders_and_are_told_apart() -> None:
    names = ["a.jpg", "a.png", "x/a.jpg", "x.y/a.jpg", "x.y/a.png", "x.y/b.c.jpg"]
    assert list(unique_stems(names)) == ["a", "a_png", "x/a", "x.y/a", "x.y/a_png", "x.y/b.c"]
    names = ["a.jpg", "a.png/b.jpg", "a.png/c.png/d.jpg", "c.jpg"]
    masks = ["masks/a_jpg.png", "masks/a.png/b.png", "masks/a.png/c.png/d.png", "masks/c.png"]
    assert named_masks(names)["mask"].to_pylist() == masks


@pytest.mark.parametrize("colours", [None, [(0, 0, 0), (255, 0, 0)]])
def test_bytes_are_those_of_files(tmp_path: Path, colours: list[tuple[int, int, int]] | None) -> None:
    class_map = np.random.default_rng(0).integers(0, 2, (9, 13), np.uint8)
    write_mask(tmp_path / "m.png", class_map, colours)
    assert (tmp_path / "m.png").read_bytes() == encode_mask(class_map, colours)
    write_image(tmp_path / "p.jpg", generate_picture(64, seed=1, number=0)[0])
    decoded = decode_image((tmp_path / "p.jpg").read_bytes(), "p.jpg")
    assert (decoded == read_image(tmp_path / "p.jpg")).all()


def test_the_table_has_a_column_a_class() -> None:
    table = rows(seen("a"), failed("b"))
    assert table.schema.names == [
        "path", "width", "height", "share_pet", "share_background", "confidence", "model_sha256", "mask", "error",
    ]  # fmt: skip
    assert table.to_pylist()[0]["share_pet"] == 0.25
    assert table.to_pylist()[1] == {
        **dict.fromkeys(table.schema.names), "path": "b", "model_sha256": "f" * 64, "error": "broken"
    }  # fmt: skip


@pytest.mark.parametrize("rows_at_once", [1, 2, 100])
def test_the_latest_row_of_a_picture_counts(rows_at_once: int) -> None:
    files = [rows(seen("a", 0.1), failed("b"), seen("d", 0.1)), rows(seen("c"), seen("d", 0.2)), rows(seen("b"))]
    merged = merge([fragment(parquet_bytes(table)) for table in files], rows_at_once)
    table = pq.read_table(io.BytesIO(merged))
    assert table.schema.equals(SCHEMA)
    found = [(row["path"], row["share_pet"], row["error"]) for row in table.to_pylist()]
    assert found == [
        (path, pytest.approx(share), None) for path, share in zip("abcd", (0.1, 0.25, 0.25, 0.2), strict=True)
    ]


def test_parts_become_the_table(tmp_path: Path) -> None:
    output = open_output(str(tmp_path / "out"))
    for table in (rows(seen("b")), rows(seen("c"), failed("a"))):
        writer = PartsWriter(output, lambda: None)
        writer.add(table)
        writer.flush()
    assert part_names(output) == ["parts/000001.parquet", "parts/000002.parquet"]
    assert done_pictures(output)["path"].to_pylist() == ["b", "c"]
    write_table(output)
    assert output.names() == [TABLE]
    assert done_pictures(output)["path"].to_pylist() == ["b", "c"]


def test_parts_are_written_now_and_then(tmp_path: Path) -> None:
    output, now = open_output(str(tmp_path / "out")), [0.0]
    writer = PartsWriter(output, lambda: None, lambda: now[0])
    written = []
    for second in range(0, 3600, 5):
        now[0] = second
        writer.add(rows(seen(f"{second:06d}")))
        written.append(len(part_names(output)))
    assert written[:5] == [0, 0, 1, 1, 2]
    assert written[-1] == pytest.approx(60 + 60 * np.log(6), rel=0.1)  # one each 10 s for 10 minutes, then fewer


def test_a_run_ends_soon_after_its_claim_was_taken_over(tmp_path: Path) -> None:
    def lost() -> None:
        raise SinkError("another run")

    with pytest.raises(SinkError, match="another run"):
        PartsWriter(open_output(str(tmp_path / "out")), lost).add(rows(seen("a")))


def test_a_damaged_part_is_told(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/000001.parquet").write_bytes(b"")
    with pytest.raises(SinkError, match=r"parts/000001.parquet: is no Parquet file"):
        done_pictures(open_output(str(tmp_path)))


def test_what_is_still_to_be_done(pictures: Path, tmp_path: Path) -> None:
    output = open_output(str(tmp_path / "out"))
    listed = pictures_of(open_source(str(pictures)))
    assert listed["mask"].to_pylist() == ["masks/a.png", "masks/b/a.png", "masks/bad.png", "masks/c.png"]
    done = listed.slice(0, 2)
    output.write("masks/a.png", b"mask")
    output.write("masks/c.png", b"a mask without a row")
    output.write("masks/b/a.png", b"")
    assert pending_pictures(listed, done, output)["path"].to_pylist() == ["b/a.jpg", "bad.jpg", "c.png"]
    renamed = pa.table({"path": ["a.jpg"], "mask": ["masks/c.png"]})
    assert "a.jpg" in pending_pictures(listed, renamed, output)["path"].to_pylist()


def test_a_worker_writes_masks_and_returns_rows(pictures: Path, tmp_path: Path) -> None:
    archive, attempts = job(pictures, tmp_path / "out"), Attempts(1)
    table = worker(archive, attempts)(pictures_of(archive.source))
    assert attempts.begin("a.jpg and the next").deaths == 0
    found = {row["path"]: row for row in table.to_pylist()}
    assert table[FAULT].null_count == 4
    assert str(pictures / "bad.jpg") in found["bad.jpg"]["error"]
    assert (found["a.jpg"]["width"], found["a.jpg"]["height"]) == (64, 64)
    seen_here = Segmenter.load("pets").segment(read_image(pictures / "a.jpg"))
    assert {name: found["a.jpg"][f"share_{name}"] for name in seen_here.area_share} == pytest.approx(
        seen_here.area_share
    )
    assert sorted(archive.output.names()) == [NOTE, "masks/a.png", "masks/b/a.png", "masks/c.png"]


def test_a_picture_that_kills_is_left_out(pictures: Path, tmp_path: Path) -> None:
    archive, attempts = job(pictures, tmp_path / "out"), Attempts(1)
    listed = pictures_of(archive.source)
    for _ in range(MOST_DEATHS):
        attempts.begin("a.jpg and the next")
        attempts.begin("c.png")
    found = worker(archive, attempts)(listed).to_pylist()
    assert [row["path"] for row in found if row["error"]] == ["bad.jpg", "c.png"]
    assert "every process that read it died" in found[3]["error"]


def test_workers_that_always_die_end_the_run(pictures: Path, tmp_path: Path) -> None:
    archive, attempts = job(pictures, tmp_path / "out"), Attempts(2)
    for _ in range(8):
        worker(archive, attempts)
        attempts.begin("a.jpg and the next")  # and dies
    said = Worker(archive, attempts)(pictures_of(archive.source)).to_pylist()
    assert "the workers die again and again, now in the model" in said[0][FAULT]


def test_a_name_that_the_output_does_not_take_is_left_out(pictures: Path, tmp_path: Path) -> None:
    """A disk takes 255 bytes; the mask's suffix may be longer than the picture's."""
    archive = job(pictures, tmp_path / "out")
    name = f"{'x' * 250}.webp"
    (pictures / name).write_bytes((pictures / "a.jpg").read_bytes())
    renamed = pa.table({"path": [name, "c.png"], "mask": [f"masks/{'x' * 252}.png", "masks/c.png"]})
    found = worker(archive, Attempts(1))(renamed).to_pylist()
    assert "the name is too long for this disk; shorten it" in found[0]["error"]
    assert (found[1]["error"], found[1][FAULT]) == (None, None)


def test_a_machine_that_does_not_share_the_output_ends_the_run(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    archive = job(pictures, tmp_path / "out")
    said = Worker(archive, Attempts(1))(pictures_of(archive.source)).to_pylist()
    assert "out: this machine does not see there what the run's own machine wrote" in said[0][FAULT]
    assert list((tmp_path / "out").iterdir()) == []


def test_an_output_that_cannot_be_written_ends_the_run(pictures: Path, tmp_path: Path) -> None:
    archive = job(pictures, tmp_path / "out")
    started = worker(archive, Attempts(1))
    (tmp_path / "out/masks").write_text("a file where the folder should be")
    said = started(pictures_of(archive.source)).to_pylist()
    assert "masks/a.png" in said[0][FAULT]


@pytest.mark.parametrize(
    ("pictures", "picture_s", "sizes"),
    [
        (20, 0.005, [1] * 20),  # few: as many tasks as keep both workers busy to the end
        (10_000, 0.1, [10] * 1000),  # about a second
        (10_000, 3.0, [1] * 10_000),
        (10_000, 0.001, [256] * 39 + [16]),
    ],
)
def test_a_task_is_about_a_second_of_work(pictures: int, picture_s: float, sizes: list[int]) -> None:
    table = pa.table({"path": [str(index) for index in range(pictures)]})
    assert [len(task) for task in cut_into_tasks(table, 2, picture_s)] == sizes


def test_a_picture_takes_time(pictures: Path, tmp_path: Path) -> None:
    archive = job(pictures, tmp_path / "out")
    assert 0 < picture_seconds(archive, "a.jpg") < 10
    assert picture_seconds(archive, "bad.jpg") == 0.02


def test_another_model_is_refused(pictures: Path, tmp_path: Path) -> None:
    output = open_output(str(tmp_path / "out"))
    write_note(output, {"the model": "pets 1"})
    refuse_other_archive(output, {"the model": "pets 1"}, done=7)
    with pytest.raises(
        SinkError, match=r"7 pictures .* \(the model pets 1 is now fire 2\); .* start over with --fresh"
    ):
        refuse_other_archive(output, {"the model": "fire 2"}, done=7)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:9", "nobody answers there"),
        ("somewhere", "is no address"),
        ("ray://127.0.0.1:10001", "does not run through Ray's client"),
        ("127.0.0.1:70000", "nobody answers there"),
    ],
)
def test_an_address_that_is_of_no_use(address: str, said: str) -> None:
    with pytest.raises(EdgeSegError, match=said):
        wanted_address(address)


@pytest.mark.parametrize("said", [None, b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_an_address_where_no_ray_is(said: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_seg.archive.cluster, "_ANSWER_TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as connection, suppress(ConnectionError):
                connection.sendall(said or b"")
                while connection.recv(1000):
                    pass

        address = f"127.0.0.1:{server.getsockname()[1]}"
        thread = Thread(target=answer)
        thread.start()
        with pytest.raises(EdgeSegError, match=f"^--ray {address}: .*(something else than Ray|nobody answers)"):
            wanted_address(address)
        thread.join()


def test_what_auto_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert wanted_address("auto") == "auto"
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    with pytest.raises(EdgeSegError, match=r"127\.0\.0\.1:9: nobody answers"):
        wanted_address("auto")
    assert wanted_address("local") == "local"


def test_workers_fit_into_machines() -> None:
    assert Cluster("auto", (4, 2, 1)).workers(2) == 3
    with pytest.raises(EdgeSegError, match="no machine of the cluster has 8 cores"):
        Cluster("auto", (4, 2, 1)).workers(8)


@pytest.mark.parametrize(
    ("source", "out", "ray", "watch", "said"),
    [
        ("s3://b/p", ["o"], None, False, "add  --ray auto"),
        ("p", ["gs://b/o"], None, False, "add  --ray auto"),
        ("p", ["o", "e.jsonl"], "auto", False, "there is one --out"),
        ("p", ["masks:o"], "auto", False, "there is one --out"),
        ("p", ["o.mp4"], "auto", False, "there is one --out"),
        ("p", ["coco:o"], "auto", False, "there is one --out"),
        ("p", ["http://127.0.0.1:8080"], "auto", False, "there is one --out"),
        ("p", ["o"], "auto", True, "a folder is read once"),
    ],
)
def test_what_does_not_go_together(source: str, out: list[str], ray: str | None, watch: bool, said: str) -> None:
    with pytest.raises((SourceError, SinkError), match=said):
        check_places(source, out, ray=ray, watch=watch)


@pytest.mark.parametrize("uri", ["s3://my.bucket", "s3://b/v1.2", "gs://b/2024.csv", "out.v1", "archive"])
def test_a_folder_may_have_a_dot_in_its_name(uri: str) -> None:
    check_places("p", [uri], ray="auto", watch=False)


@pytest.mark.parametrize("output", [".", "masks", "link"])
def test_masks_do_not_go_among_the_pictures(pictures: Path, output: str) -> None:
    (pictures / "link").symlink_to(pictures)
    with pytest.raises(SinkError, match="where its masks would be pictures"):
        run_archive(ArchiveRun(job(pictures, pictures / output), "local", 0, False), lambda _done, _total: None)


def test_ray_is_missing(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EdgeSegError, match=r"--ray needs the package 'ray'.*edge-seg\[cluster\]"):
        job(pictures, tmp_path / "out")
