import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import edge_seg.archive.storage
from edge_seg.archive.storage import check_apart, open_output, open_source, picture_names
from edge_seg.errors import EdgeSegError, MissingExtraError, NameRefusedError, SinkError, SourceError, StorageError
from object_stores import (
    BUCKET,
    answering,
    forget_connections,
    silent,
    use_gs,
    use_s3,
    user_who_may,
)

ODD_NAMES = [
    "a b.jpg",
    "Übung é 日本.jpg",
    "e\u0301.jpg",
    "x#1.jpg",
    "y?2.jpg",
    "z%20.jpg",
    "100%.jpg",
    "[q].jpg",
    "{a,b}.jpg",
    "s*.jpg",
    "plus+.jpg",
    "amp&x=1.jpg",
    "~t.jpg",
    "'quo\"te.jpg",
    "back\\slash.jpg",
    " lead.jpg",
    "semi;colon.jpg",
    "col:on.jpg",
    "sub folder/d#.JPG",
    "sub folder/deeper/e.webp",
]


@pytest.fixture(params=["local", "file", "s3", "gs"])
def uri(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a folder that is not there yet, of each kind."""
    if request.param == "s3":
        use_s3(monkeypatch, request.getfixturevalue("s3_url"))
        return f"s3://{BUCKET}/{tmp_path.name}/pre fix"
    if request.param == "gs":
        use_gs(monkeypatch, request.getfixturevalue("gs_url"))
        return f"gs://{BUCKET}/{tmp_path.name}/pre fix"
    return f"{'file://' if request.param == 'file' else ''}{tmp_path}/pre fix"


def test_odd_names_are_taken_as_they_are_written(uri: str) -> None:
    output = open_output(uri)
    # gcp-storage-emulator cuts an address at a semicolon.
    odd_names = [name for name in ODD_NAMES if ";" not in name or not uri.startswith("gs:")]
    for name in odd_names:
        output.write(name, f"first {name}".encode())
        output.write(name, name.encode())
    source = open_source(uri)
    assert picture_names(source) == sorted(odd_names)
    for name in odd_names:
        assert source.read(name) == name.encode()
    output.remove("s*.jpg")
    output.remove("[q].jpg")
    assert source.names() == sorted(set(odd_names) - {"s*.jpg", "[q].jpg"})
    assert not source.exists("s*.jpg")
    assert source.exists("x#1.jpg")


def test_a_folder_of_pictures_is_seen_as_it_is_now(uri: str) -> None:
    output = open_output(f"{uri}/")
    for name in ("b.png", "a.jpg", "sub/c.JPEG", ".hidden.jpg", ".edge-seg-claims/d.jpg", "sub/.e/f.jpg", "notes.txt"):
        output.write(name, b"x")
    open_output(f"{uri}2").write("of the neighbour.jpg", b"x")
    assert picture_names(output) == ["a.jpg", "b.png", "sub/c.JPEG"]
    output.write("sub/new.jpg", b"x")
    assert picture_names(output) == ["a.jpg", "b.png", "sub/c.JPEG", "sub/new.jpg"]
    assert output.names("sub") == ["sub/.e/f.jpg", "sub/c.JPEG", "sub/new.jpg"]
    assert output.names("su") == output.names("not there") == []
    assert (output.exists("sub"), output.exists("sub/c.JPEG"), output.exists("c.JPEG")) == (False, True, False)
    output.remove("never there.jpg")


def test_a_folder_without_pictures_is_one_sentence(uri: str) -> None:
    output = open_output(uri)
    output.write("notes.txt", b"x")
    with pytest.raises(SourceError, match=r"pre fix: holds no image; images end in \.bmp"):
        picture_names(open_source(uri))


def test_a_picture_is_no_folder(uri: str) -> None:
    open_output(uri).write("a.jpg", b"x")
    with pytest.raises(SourceError, match=r"pre fix/a\.jpg: is a file; give the folder it is in"):
        open_source(f"{uri}/a.jpg")


def test_masks_are_not_written_over_pictures(uri: str) -> None:
    open_output(uri).write("masks/a.jpg", b"x")
    source = open_source(f"{uri}/masks")
    with pytest.raises(SinkError, match=f"its masks would be written among the pictures, {uri}/masks"):
        check_apart(source, open_output(uri))
    check_apart(source, open_output(f"{uri}/masks2"))


@pytest.mark.parametrize(("below", "apart"), [("", False), ("/out", False), ("2", True)])
def test_an_output_in_its_source_is_refused(uri: str, below: str, apart: bool) -> None:
    open_output(uri).write("a.jpg", b"x")
    source, output = open_source(uri), open_output(uri + below)
    if apart:
        check_apart(source, output)
    else:
        with pytest.raises(SinkError, match=f"lies in {uri}, where its masks would be pictures"):
            check_apart(source, output)


def test_names_that_lead_elsewhere_are_refused(uri: str) -> None:
    place = open_output(uri)
    for name in ("../up.jpg", "a//b.jpg", "/etc/passwd", "a/./b.jpg", "", "folder/"):
        with pytest.raises(SourceError, match="a part of the name is empty or dots"):
            place.read(name)
        with pytest.raises(SinkError, match="a part of the name is empty or dots"):
            place.write(name, b"x")


def test_a_file_that_is_not_there_is_one_sentence(uri: str) -> None:
    place = open_output(uri)
    place.write("a.jpg", b"x")
    with pytest.raises(SourceError, match=r"pre fix/none\.jpg: .*(no such file|No such file)"):
        place.read("none.jpg")


def test_a_place_goes_to_another_process_with_its_server(uri: str) -> None:
    place = open_output(uri)
    place.write("a.jpg", b"seen there")
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer).read('a.jpg').decode())"
    kept = {k: v for k, v in os.environ.items() if k not in ("AWS_ENDPOINT_URL", "STORAGE_EMULATOR_HOST")}
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(place), env=kept, capture_output=True, check=False
    )
    assert done.stdout.decode().strip() == "seen there", done.stderr.decode()


def test_versions_in_names_are_refused_in_buckets(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use_s3(monkeypatch, s3_url)
    with pytest.raises(SinkError, match="'\\?versionId=' in a name is taken for a version"):
        open_output(f"s3://{BUCKET}").write("a?versionId=3.jpg", b"x")


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("", "address of a folder is empty"),
        ("http://host/pictures", "http://: is not known here; give a folder, s3://bucket/folder or gs://bucket/folder"),
        ("https://user:secret@host/x", "https://: is not known here"),
        ("file://pictures", "file:// takes a whole path"),
        ("s3://", "s3://: names no bucket; give s3://bucket/folder"),
        ("gs:///folder", "names no bucket"),
        ("s3://key:secret@bucket/folder", "credentials do not stand in an address"),
    ],
)
def test_addresses_that_lead_nowhere_are_one_sentence(uri: str, words: str) -> None:
    for opened in (open_source, open_output):
        with pytest.raises((SourceError, SinkError), match=f"(?s).*{words.replace('?', '.')}") as raised:
            opened(uri)
        assert "secret" not in str(raised.value)


def test_local_folders_that_cannot_be_used_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path, words in ((tmp_path / "none", "no such folder"), (tmp_path / "file", "is a file; give the folder")):
        with pytest.raises(SourceError, match=words):
            open_source(str(path))
    with pytest.raises(SinkError, match="Not a directory"):
        open_output(f"{tmp_path}/file/below")
    with pytest.raises(SinkError, match="may not write it"):
        open_output("/proc/sys/out")


def test_names_that_are_not_text_are_one_sentence(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")).write_bytes(b"x")
    with pytest.raises(SourceError, match=r"caf\?\.jpg: the name is not UTF-8"):
        picture_names(open_source(str(tmp_path)))


def test_links_are_read_and_linked_folders_are_not_entered(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    (tmp_path / "link.jpg").symlink_to("a.jpg")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert picture_names(open_source(str(tmp_path))) == ["a.jpg", "link.jpg"]


def test_a_folder_that_may_not_be_entered_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    (tmp_path / "closed").mkdir(mode=0)
    code = "from edge_seg.archive.storage import *; import sys; print(picture_names(open_source(sys.argv[1])))"
    as_anybody = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    command = [*as_anybody, sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].endswith("(Permission denied); change its rights or take another folder")
    assert "SourceError" in done.stderr


def test_a_full_disk_leaves_nothing(small_disk: Path) -> None:
    output = open_output(str(small_disk / "out"))
    output.write("a.png", b"x")
    with pytest.raises(SinkError, match=r"b\.png: the disk is full"):
        output.write("b.png", bytes(200_000))
    assert [path.name for path in small_disk.rglob("*") if path.is_file()] == ["a.png"]


def test_long_names_are_written_and_longer_ones_are_one_sentence(tmp_path: Path) -> None:
    output = open_output(str(tmp_path / "out"))
    output.write(f"{'ü' * 125}y.png", b"x")
    assert output.names() == [f"{'ü' * 125}y.png"]
    with pytest.raises(NameRefusedError, match="the name is too long for this disk; shorten it"):
        output.write(f"{'ü' * 126}.png", b"x")
    assert len([*tmp_path.rglob("*.p*")]) == 1


def test_a_folder_that_this_machine_does_not_see_ends_everything(tmp_path: Path) -> None:
    source = open_source(str(tmp_path))
    tmp_path.rmdir()
    with pytest.raises(StorageError, match=r"does not see the folder .*; all machines of a cluster have to"):
        source.read("a.jpg")


@pytest.mark.parametrize(
    ("uri", "module", "words"),
    [("/tmp", "fsspec", "An archive"), ("s3://b", "s3fs", "s3://"), ("gs://b", "gcsfs", "gs://")],
)
def test_without_the_extra_it_is_one_sentence(
    uri: str, module: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_seg.extras.find_spec", lambda name: None if name == module else object())
    with pytest.raises(MissingExtraError, match=rf"{words} needs the package '{module}'.*edge-seg\[cluster\]"):
        open_source(uri)


def test_no_library_of_storage_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, edge_seg.archive.storage as s; s.open_source('/tmp'); print(*{'s3fs', 'gcsfs'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def s3_error(code: str, status: int = 403) -> tuple[int, bytes]:
    return status, f"<Error><Code>{code}</Code><Message>of {code}</Message></Error>".encode()


def gs_error(status: int, message: str) -> tuple[int, bytes]:
    return status, json.dumps({"error": {"code": status, "message": message}}).encode()


@pytest.mark.parametrize(
    ("scheme", "answer", "kind", "words"),
    [
        ("s3", s3_error("AccessDenied"), SourceError, r"may not list here \(of AccessDenied\)"),
        ("s3", s3_error("InvalidAccessKeyId"), StorageError, "does not accept the credentials .*AWS_ACCESS_KEY_ID"),
        ("s3", s3_error("SignatureDoesNotMatch"), StorageError, "does not accept the credentials"),
        ("s3", s3_error("ExpiredToken", 400), StorageError, "does not accept the credentials"),
        ("s3", s3_error("RequestTimeTooSkewed"), StorageError, "the clock of this machine is wrong"),
        ("s3", s3_error("NoSuchBucket", 404), StorageError, "there is no such bucket"),
        ("s3", (404, b"<html>a web site</html>"), StorageError, "there is no such bucket"),
        (
            "s3",
            (200, b"<html>a web site</html>"),
            StorageError,
            r"http://127.0.0.1:\d+ (cannot list it|did not answer)",
        ),
        ("gs", gs_error(403, "no access"), SourceError, "may not list here .*no access"),
        ("gs", gs_error(401, "Anonymous caller"), StorageError, "does not accept .*Anonymous caller.*gcloud auth"),
        ("gs", gs_error(404, "no"), StorageError, "there is no such bucket"),
        ("gs", (200, b"<html>"), StorageError, "cannot list it"),
    ],
)
def test_what_a_server_says_is_one_sentence(
    scheme: str,
    answer: tuple[int, bytes],
    kind: type[EdgeSegError],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(edge_seg.archive.storage, "_OPENING_TIMEOUT_S", 3.0)
    with answering(lambda _: answer) as url:
        use_s3(monkeypatch, url)
        use_gs(monkeypatch, url)
        with pytest.raises(kind, match=f"^{scheme}://pictures/x: .*{words}") as raised:
            open_source(f"{scheme}://pictures/x")
    assert "\n" not in str(raised.value)
    assert not [record for record in caplog.records if record.name.startswith(("gcsfs", "google", "s3fs", "botocore"))]


def test_a_key_that_is_too_long_for_a_bucket_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([(200, page_of([], "")), s3_error("KeyTooLongError", 400)])
    with answering(lambda _: next(answers)) as url:
        use_s3(monkeypatch, url)
        with pytest.raises(NameRefusedError, match=f"/xxx: the name is too long for {url}; shorten it"):
            open_output("s3://pictures").write("xxx", b"x")


@pytest.mark.parametrize("scheme", ["s3", "gs"])
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1", "(nobody answers at http://127.0.0.1:1;|http://127.0.0.1:1 did not answer in time)"),
        ("http://user:secret@127.0.0.1:1", "http://127.0.0.1:1 (cannot list it|did not answer in time)"),
        ("https://{server}", "(no secure connection to https|did not answer in time)"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_server_that_is_not_there_is_one_sentence(
    scheme: str, url: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_seg.archive.storage, "_OPENING_TIMEOUT_S", 5.0 if scheme == "s3" else 1.0)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with answering(lambda _: (200, b"")) as server:
        address = url.format(server=server.partition("//")[2])
        use_s3(monkeypatch, address)
        use_gs(monkeypatch, address)
        with pytest.raises(StorageError, match=words) as raised:
            open_output(f"{scheme}://pictures/x")
    assert "secret" not in str(raised.value)


def test_a_server_that_never_answers_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_seg.archive.storage, "_OPENING_TIMEOUT_S", 1.0)
    with silent() as url:
        use_s3(monkeypatch, url)
        with pytest.raises(StorageError, match=rf"{url} did not answer in time"):
            open_source("s3://pictures/x")


def test_a_server_that_is_gone_later_ends_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
    with answering(lambda path: (200, empty) if "list-type" in path else s3_error("ExpiredToken", 400)) as url:
        use_s3(monkeypatch, url)
        place = open_source("s3://pictures")
        for broken in (lambda: place.read("a.jpg"), lambda: place.write("a.jpg", b"x"), lambda: place.remove("a.jpg")):
            with pytest.raises(StorageError, match=r"^s3://pictures/a\.jpg: .*does not accept the credentials"):
                broken()
        with pytest.raises(StorageError, match=r"a\.jpg: .* cannot read it .*Bad Request"):  # HEAD: no code
            place.exists("a.jpg")


def test_without_credentials_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    use_s3(monkeypatch, "http://127.0.0.1:1")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StorageError, match="no credentials were found; set AWS_ACCESS_KEY_ID"):
        open_source("s3://pictures/x")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    forget_connections()
    with pytest.raises(StorageError, match=r"\(nobody\) could not be found; check AWS_PROFILE"):
        open_source("s3://pictures/y")


@pytest.mark.parametrize(
    ("rights", "missing"), [([], "list"), (["ListBucket"], "read"), (["ListBucket", "GetObject"], "write")]
)
def test_missing_rights_are_told(rights: list[str], missing: str, s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with user_who_may(s3_url, rights) as (key, secret):
        use_s3(monkeypatch, s3_url, key, secret)
        with pytest.raises((SourceError, SinkError), match=rf"^s3://pictures/x.*: .* may not {missing} here"):
            open_source("s3://pictures/x").write("a.png", b"x")
        use_s3(monkeypatch, s3_url, key, "wrong")
        with pytest.raises(StorageError, match="does not accept the credentials"):
            open_output("s3://pictures/x")


def page_of(keys: list[str], following: str) -> bytes:
    more = f"<NextContinuationToken>{following}</NextContinuationToken>" if following else ""
    entries = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
    return f"<ListBucketResult><IsTruncated>{bool(more)}</IsTruncated>{entries}{more}</ListBucketResult>".encode()


def test_long_listings_come_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(path: str) -> tuple[int, bytes]:
        asked.append(path)
        if "continuation-token=second" in path:
            return 200, page_of(["x/d.jpg"], "")
        return 200, page_of(["x/", "x/a.jpg", "x/b.jpg"], "second")

    with answering(answer) as url:
        use_s3(monkeypatch, url)
        source = open_source("s3://pictures")
        assert len(asked) == 1
        names = source.each_name()
        assert next(names) == "x/a.jpg"
        assert len(asked) == 2
        assert [*names] == ["x/b.jpg", "x/d.jpg"]


def test_throttled_requests_are_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([s3_error("SlowDown", 503), s3_error("InternalError", 500), (200, page_of(["x/a.jpg"], ""))])
    with answering(lambda _: next(answers)) as url:
        use_s3(monkeypatch, url)
        assert open_source("s3://pictures").uri == "s3://pictures"
