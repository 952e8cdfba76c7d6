"""An archive on a Ray cluster of two nodes: every picture once, whatever dies, and the masks of the local run."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from edge_seg.images import write_image
from edge_seg.synthetic import generate_picture
from object_stores import BUCKET, aws, s3_server
from ray_cluster import PROGRAM, RayCluster, environment, kill_node, ray_cluster

PICTURES = 480
BAD = ["0005b.jpg", "0100b.jpg", "0200b.jpg"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with ray_cluster() as cluster:
        cluster.add_node()
        yield cluster


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, three of them bad, and the masks of the local run."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "pics").mkdir()
    for index in range(8):
        write_image(folder / f"pics/{index:04d}.jpg", generate_picture(160 + 16 * index, seed=3, number=index)[0])
    for index in range(8, PICTURES):
        (folder / f"pics/{index:04d}.jpg").hardlink_to(folder / f"pics/{index % 8:04d}.jpg")
    for name in BAD:
        (folder / "pics" / name).write_bytes(b"no picture")
    run(folder, "pics", "--out", "masks:m", code=1)
    return folder


@pytest.fixture
def again(whole: Path, tmp_path: Path) -> Path:
    """A folder beside the same pictures."""
    (tmp_path / "pics").symlink_to(whole / "pics")
    return tmp_path


def command(*arguments: object) -> list[str]:
    return [*PROGRAM, "run", *(str(argument) for argument in arguments)]


def run(folder: Path, *arguments: object, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env={**environment(), **variables},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def start(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*arguments), cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def masks(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


def assert_whole(output: Path, whole: Path) -> None:
    """Every picture is in the table once, and has the mask of the local run."""
    table = pq.read_table(output / "table.parquet").to_pylist()
    assert [row["path"] for row in table] == sorted(path.name for path in (whole / "pics").iterdir())
    assert [row["path"] for row in table if row["error"]] == BAD
    assert masks(output / "masks") == masks(whole / "m")
    assert {path.name for path in output.iterdir()} == {"masks", "table.parquet", "edge-seg-run.json"}


def wait_for_masks(output: Path, count: int, process: subprocess.Popen[str]) -> None:
    """Wait for masks that are written from now on: those of a killed run lie there already, without their rows."""
    begun, deadline = time.time(), time.monotonic() + 200
    while sum(path.stat().st_mtime > begun for path in (output / "masks").glob("[!.]*.png")) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_run_that_is_stopped_goes_on(cluster: RayCluster, again: Path, whole: Path) -> None:
    """Killed, interrupted, and finished by both nodes."""
    for signal_number, code, count, sentence in (
        (signal.SIGKILL, -signal.SIGKILL, 30, "the run was killed, or ended by Ray"),
        (signal.SIGTERM, 130, 180, "what is done is kept; the same command goes on"),
        (signal.SIGINT, 130, 120, "what is done is kept; the same command goes on"),
    ):
        process = start(again, "pics", "--out", "out", "--ray", cluster.address)
        wait_for_masks(again / "out", count, process)
        process.send_signal(signal_number)
        _, said = process.communicate(timeout=120)
        assert process.returncode == code, said
        assert "Traceback" not in said
        assert "SIGTERM" not in said
        assert sentence in said
    done = run(again, "pics", "--out", "out", "--ray", cluster.address, "--json", code=1)
    summary = json.loads(done.stdout)
    assert (summary["failed"], summary["workers"]) == (3, 2)
    assert summary["frames"] + summary["done_before"] == PICTURES
    assert 0 < summary["frames"] < PICTURES
    assert done.stderr.count("left out: pics/") == 3
    assert_whole(again / "out", whole)


def test_a_folder_for_sockets_with_too_long_a_path_is_one_sentence(again: Path) -> None:
    (again / ("x" * 90)).mkdir()
    said = run(again, "pics", "--out", "out", "--ray", "local", code=1, TMPDIR=str(again / ("x" * 90))).stderr
    assert said.startswith("edge-seg: --ray local: Ray cannot start here (")
    assert said.endswith("write in RAY_TMPDIR\n")


def test_from_bucket_to_bucket(cluster: RayCluster, tmp_path: Path, whole: Path) -> None:
    """The nodes have credentials; where the server is, they learn from the run."""
    with s3_server() as url:
        bucket: Any = aws("s3", url)
        for name in ("0000.jpg", "0001.jpg", "0005b.jpg"):
            bucket.upload_file(str(whole / "pics" / name), BUCKET, f"in/x/{name}")
        places = (f"s3://{BUCKET}/in", "--out", f"s3://{BUCKET}/out", "--ray", cluster.address)
        done = run(tmp_path, *places, code=1, AWS_ENDPOINT_URL=url)
        found = [item["Key"] for item in bucket.list_objects_v2(Bucket=BUCKET, Prefix="out/")["Contents"]]
        masks = [bucket.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in found if key.endswith(".png")]
    assert f"left out: s3://{BUCKET}/in/x/0005b.jpg: not an image" in done.stderr
    assert found == [
        *("out/edge-seg-run.json", "out/masks/x/0000.png", "out/masks/x/0001.png", "out/table.parquet"),
    ]
    assert masks == [(whole / f"m/{name}.png").read_bytes() for name in ("0000", "0001")]


def test_a_worker_and_a_node_are_killed(cluster: RayCluster, again: Path, whole: Path) -> None:
    process = start(again, "pics", "--out", "out", "--ray", cluster.address)
    wait_for_masks(again / "out", 20, process)
    cluster.workers()[0].kill()
    wait_for_masks(again / "out", 100, process)
    kill_node(cluster.nodes.pop())
    told, said = process.communicate(timeout=200)
    assert process.returncode == 1, said
    assert [line.partition(":")[0] for line in said.splitlines() if line.strip()] == ["left out"] * 3
    assert told.count("\n") == 1
    assert_whole(again / "out", whole)
    refused = run(again, "pics", "--out", "out", "--ray", cluster.address, "--model", "pets-fast", code=1)
    assert "is now pets-fast" in refused.stderr
    assert "--fresh" in refused.stderr
