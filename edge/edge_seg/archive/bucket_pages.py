"""What a bucket holds, page by page: fsspec's `find` keeps a dictionary for each of a million objects."""

from collections.abc import Iterator
from typing import Any

# A page is at most 1000 keys (S3, ListObjectsV2; Cloud Storage, Objects: list).
PAGE_TIMEOUT_S = 60.0


def keys_below(fs: Any, folder: str, *, page_timeout_s: float = PAGE_TIMEOUT_S) -> Iterator[str]:
    """Yield `bucket/key` of every object whose key begins with the folder's, which is `bucket` or `bucket/prefix`.

    Args:
        fs: s3fs's S3FileSystem or gcsfs's GCSFileSystem.
        folder: without a slash at its end.
        page_timeout_s: how long one page may take, with the library's own retries.
    """
    bucket, _, prefix = folder.partition("/")
    page = _s3_page if "s3" in fs.protocol else _gs_page
    token: str | None = ""
    while token is not None:
        keys, token = page(fs, bucket, f"{prefix}/" if prefix else "", token, page_timeout_s)
        yield from (f"{bucket}/{key}" for key in keys if not key.endswith("/"))  # consoles mark "folders" so


def _s3_page(fs: Any, bucket: str, prefix: str, token: str, timeout_s: float) -> tuple[list[str], str | None]:
    following = {"ContinuationToken": token} if token else {}
    answer = fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, timeout=timeout_s, **following)
    if "IsTruncated" not in answer:  # botocore takes any web page for an empty listing
        raise OSError("its answer is no listing")
    return [entry["Key"] for entry in answer.get("Contents", [])], answer.get("NextContinuationToken")


def _gs_page(fs: Any, bucket: str, prefix: str, token: str, timeout_s: float) -> tuple[list[str], str | None]:
    following = {"pageToken": token} if token else {}
    answer = fs.call("GET", "b/{}/o", bucket, prefix=prefix, json_out=True, timeout=timeout_s, **following)
    return [entry["name"] for entry in answer.get("items", [])], answer.get("nextPageToken")
