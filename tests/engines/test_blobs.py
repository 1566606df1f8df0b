"""A blob is wholly there or not at all, in every engine."""

import errno
import fcntl
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import BinaryIO

import duckdb
import pytest
from obstore.store import LocalStore, MemoryStore

from handbill.kit.faults import Unavailable
from handbill.store.blobs import Blobs, FolderBlobs, ObjectBlobs, open_blobs


@pytest.fixture(params=["folder", "memory", "local-store", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    """Each engine in turn, a real S3 server among them."""
    if request.param == "s3":
        return open_blobs(request.getfixturevalue("s3"))
    if request.param == "folder":
        return open_blobs(str(tmp_path / "blobs"))
    if request.param == "memory":
        return ObjectBlobs(MemoryStore(), "memory://")
    return ObjectBlobs(LocalStore(tmp_path / "blobs", mkdir=True), str(tmp_path / "blobs"))


def test_a_store_that_answers(blobs: Blobs) -> None:
    blobs.require()
    blobs.put("a", b"one")
    blobs.require()


def test_a_bucket_that_does_not_exist(s3: str) -> None:
    missing = open_blobs(s3.replace("s3://", "s3://no-"))
    with pytest.raises(Unavailable, match="NoSuchBucket") as told:
        missing.require()
    assert "Debug source" not in str(told.value)


class _NoBucket(BaseHTTPRequestHandler):
    """Answers as Amazon's S3 does where there is no such bucket; our server refuses a put by 403
    instead.
    """

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        says = b"<Error><Code>NoSuchBucket</Code><Message>The bucket is not there</Message></Error>"
        self.send_response(404)
        self.send_header("content-length", str(len(says)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(says)

    do_HEAD = do_PUT = do_POST = do_GET  # noqa: N815 - named by BaseHTTPRequestHandler

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def without_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Blobs]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _NoBucket) as server:
        monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
            monkeypatch.setenv(name, "a")
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield open_blobs("s3://bucket/prefix")
        server.shutdown()
        thread.join()


def test_no_file_is_missing_where_there_is_no_bucket(without_bucket: Blobs, tmp_path: Path) -> None:
    """What is missing is made anew or given up for lost, and a file that is gone was deleted."""
    local = tmp_path / "local"
    local.write_bytes(b"x")
    for use in (
        without_bucket.get,
        without_bucket.size,
        without_bucket.exists,
        without_bucket.delete,
        lambda path: list(without_bucket.chunks(path, 10)),
        lambda path: without_bucket.put(path, b"x"),
        lambda path: without_bucket.put_file(path, local),
    ):
        with pytest.raises(Unavailable, match="NoSuchBucket"):
            use("a")


def test_put_get_replace_delete(blobs: Blobs) -> None:
    assert not blobs.exists("a/b.xml")
    blobs.put("a/b.xml", b"one")
    assert blobs.exists("a/b.xml")
    assert (blobs.get("a/b.xml"), blobs.size("a/b.xml")) == (b"one", 3)
    blobs.put("a/b.xml", b"other")
    assert (blobs.get("a/b.xml"), blobs.size("a/b.xml")) == (b"other", 5)
    blobs.delete("a/b.xml")
    blobs.delete("a/b.xml")
    assert not blobs.exists("a/b.xml")


def test_reading_what_is_not_there(blobs: Blobs) -> None:
    blobs.put("there/file", b"x")
    for read in (blobs.get, blobs.size, lambda path: list(blobs.chunks(path, 10))):
        with pytest.raises(FileNotFoundError):
            read("there/other")


def test_put_file_leaves_the_local_file(blobs: Blobs, tmp_path: Path) -> None:
    local = tmp_path / "local.bin"
    content = bytes(range(256)) * 40_000
    local.write_bytes(content)
    blobs.put_file("big/file.bin", local)
    local.unlink()
    assert blobs.get("big/file.bin") == content
    chunks = list(blobs.chunks("big/file.bin", 1_000_000))
    assert b"".join(chunks) == content
    assert all(0 < len(chunk) <= 1_000_000 for chunk in chunks)


def test_empty_blob(blobs: Blobs) -> None:
    blobs.put("empty", b"")
    assert blobs.get("empty") == b""
    assert blobs.size("empty") == 0
    assert list(blobs.chunks("empty", 10)) == []


def test_paths_of_a_folder(blobs: Blobs) -> None:
    for path in ("b/2", "a/z/1", "a/1", "ab/1", "top"):
        blobs.put(path, b"x")
    assert blobs.paths() == ["a/1", "a/z/1", "ab/1", "b/2", "top"]
    assert blobs.paths("a") == blobs.paths("a/") == ["a/1", "a/z/1"]
    assert blobs.paths("none") == []


@pytest.mark.parametrize(
    "path", ["", "/a", "a/", "a//b", "../a", "a/../b", "./a", ".a", "a/.b", "a b", "a\0", "x" * 999]
)
def test_refuses_other_paths(blobs: Blobs, path: str) -> None:
    for use in (lambda path: blobs.put(path, b""), blobs.get, blobs.delete, blobs.local):
        with pytest.raises(ValueError, match="not a valid path"):
            use(path)


def test_duckdb_reads_by_the_url(tmp_path: Path) -> None:
    blobs = open_blobs(str(tmp_path))
    blobs.put("t/rows.csv", b"a,b\n1,2\n")
    with duckdb.connect() as connection:
        query = connection.execute(f"FROM '{blobs.url_for_duckdb('t/rows.csv')}'")
        assert query.fetchall() == [(1, 2)]
    s3: Blobs = ObjectBlobs(MemoryStore(), "s3://bucket/prefix/?region=x")
    assert s3.url_for_duckdb("t/rows.csv") == "s3://bucket/prefix/t/rows.csv"
    assert s3.local("t/rows.csv") is None


def test_refuses_other_schemes() -> None:
    with pytest.raises(ValueError, match="s3://"):
        open_blobs("ftp://example.com/")


def test_failed_put_leaves_the_former_blob_and_no_rest(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "blobs")
    blobs.put("a", b"former")
    with pytest.raises(FileNotFoundError):
        blobs.put_file("a", tmp_path / "none")
    (tmp_path / "blobs" / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        blobs.put("folder", b"x")
    assert blobs.get("a") == b"former"
    assert list((tmp_path / "blobs" / ".writing").iterdir()) == []


def _locks_as_nfs(file: BinaryIO, how: int) -> None:
    if how & fcntl.LOCK_SH and not file.readable():
        raise OSError(errno.EBADF, "a shared lock needs a file that is open for reading")
    if how & fcntl.LOCK_EX and not file.writable():
        raise OSError(errno.EBADF, "an exclusive lock needs a file that is open for writing")


def _locks_nothing(file: BinaryIO, how: int) -> None:
    raise OSError(errno.ENOLCK, "no locks available")


def test_a_shared_folder_gives_locks_as_nfs_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = FolderBlobs(tmp_path / "blobs")
    local = tmp_path / "local"
    local.write_bytes(b"a")
    monkeypatch.setattr(fcntl, "flock", _locks_as_nfs)
    blobs.put("put", b"a")
    blobs.put_file("linked", local)
    (tmp_path / "blobs" / ".writing" / "rest").write_bytes(b"of a process that was killed")
    FolderBlobs(tmp_path / "blobs")
    monkeypatch.setattr(fcntl, "flock", _locks_nothing)
    with pytest.raises(OSError, match="no locks available"):
        blobs.put("none", b"a")
    with pytest.raises(OSError, match="no locks available"):
        blobs.put_file("none", local)
    assert blobs.paths() == ["linked", "put"]
    assert list((tmp_path / "blobs" / ".writing").iterdir()) == []


def test_only_what_nobody_writes_is_swept_and_no_name_is_taken_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside, links = tmp_path / ".writing", os.link
    blobs = FolderBlobs(tmp_path)
    with TemporaryDirectory() as elsewhere, ThreadPoolExecutor(1) as writer:
        slow = Path(elsewhere) / "slow"
        os.mkfifo(slow)

        def link(source: Path, target: Path) -> None:
            """As ``os.link``, and as if the fifo were on another file system."""
            if source == slow:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            links(source, target)

        monkeypatch.setattr(os, "link", link)
        written = writer.submit(blobs.put_file, "slow", slow)
        with slow.open("wb") as source:
            source.write(b"one ")
            (name,) = (path.name for path in aside.iterdir())
            (aside / "rest").write_bytes(b"of a process that was killed")
            FolderBlobs(tmp_path)
            assert [path.name for path in aside.iterdir()] == [name]
            source.write(b"whole")
        written.result()
        assert blobs.get("slow") == b"one whole"

        # A process in another container may have the same number.
        first, _, number = name.rpartition("-")
        others = [aside / f"{first}-{int(number) + next_one}" for next_one in (1, 2, 4, 6)]
        for other in others:
            other.write_bytes(b"of another")
        local = tmp_path / "local"
        local.write_bytes(b"linked")
        writer.submit(blobs.put, "put", b"put").result()
        writer.submit(blobs.put_file, "linked", local).result()
        with pytest.raises(FileNotFoundError):
            writer.submit(blobs.put_file, "none", tmp_path / "none").result()
        assert [other.read_bytes() for other in others] == [b"of another"] * 4
    assert blobs.paths() == ["linked", "local", "put", "slow"]
    assert (blobs.get("put"), blobs.get("linked")) == (b"put", b"linked")
    assert sorted(aside.iterdir()) == sorted(others)
