"""Blobs: files by path, in a folder or in S3. A blob is complete and durable, or does not exist."""

import fcntl
import os
import re
import shutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, Literal

from handbill.kit.faults import Unavailable
from handbill.store.durable import sync_folder

_PATH = re.compile(r"(?:[A-Za-z0-9_=-][A-Za-z0-9._=-]*/)*[A-Za-z0-9_=-][A-Za-z0-9._=-]*")
_MOST_PATH = 900
_TEMPORARY = ".writing"
_COPIED_BYTES = 1 << 20
_NUMBERS = count()
_BRIEFLY: Any = {"max_retries": 2, "retry_timeout": timedelta(seconds=5)}


class Blobs(ABC):
    """Path → bytes. Paths are relative: letters, digits, ``._=-``, and ``/`` between folders.

    **Refuses** other paths (ValueError); reading a blob that does not exist (FileNotFoundError).
    """

    @abstractmethod
    def put(self, path: str, content: bytes) -> None:
        """Set the blob's content; durable on return. A reader sees the old or the new content."""

    @abstractmethod
    def put_file(self, path: str, local: Path) -> None:
        """As ``put``, from a local file, which must not be written to afterwards. If blobs are
        files, the blob keeps that file's modification time.
        """

    @abstractmethod
    def get(self, path: str) -> bytes: ...

    @abstractmethod
    def chunks(self, path: str, size: int) -> Iterator[bytes]:
        """The content in parts of at least one byte and at most ``size``."""

    @abstractmethod
    def delete(self, path: str) -> None:
        """Delete the blob if it exists."""

    @abstractmethod
    def size(self, path: str) -> int: ...

    def exists(self, path: str) -> bool:
        try:
            self.size(path)
        except FileNotFoundError:
            return False
        return True

    @abstractmethod
    def paths(self, prefix: str = "") -> list[str]:
        """All paths in a folder and its subfolders, sorted."""

    @abstractmethod
    def local(self, path: str) -> Path | None:
        """The file that holds the blob, if there is one."""

    @abstractmethod
    def url_for_duckdb(self, path: str) -> str:
        """The blob's name for DuckDB."""

    @abstractmethod
    def require(self) -> None:
        """Ask for one answer, and soon give up. **Refuses** a store that cannot be reached, has no
        such bucket or does not let us read it (Unavailable).
        """


def open_blobs(url: str, *, hurried: bool = False) -> Blobs:
    """Open a folder (a path) or ``s3://bucket/prefix`` (credentials from AWS_* variables). A store
    that does not answer is given up after three minutes; if ``hurried``, after half a minute.

    **Refuses** any other scheme (ValueError).
    """
    if url.startswith("s3://"):
        from obstore.store import S3Store

        briefly = S3Store.from_url(url, retry_config=_BRIEFLY)
        return ObjectBlobs(briefly if hurried else S3Store.from_url(url), url, briefly)
    if "://" in url:
        raise ValueError("HANDBILL_BLOBS_URL must be a folder or start with s3://")
    return FolderBlobs(Path(url))


def _checked(path: str) -> str:
    if len(path) > _MOST_PATH or not _PATH.fullmatch(path):
        raise ValueError(f"not a valid path of a blob: {path!r}")
    return path


class FolderBlobs(Blobs):
    """Files in one folder: written aside, synced, renamed, and the folder synced too."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._aside = self._root / _TEMPORARY
        self._aside.mkdir(parents=True, exist_ok=True)
        self._sweep()

    def put(self, path: str, content: bytes) -> None:
        with self._written_aside(path) as file:
            file.write(content)

    def put_file(self, path: str, local: Path) -> None:
        with self._written_aside(path, local):
            pass

    def get(self, path: str) -> bytes:
        return self._at(path).read_bytes()

    def chunks(self, path: str, size: int) -> Iterator[bytes]:
        with self._at(path).open("rb", buffering=0) as file:
            while chunk := file.read(size):
                yield chunk

    def delete(self, path: str) -> None:
        self._at(path).unlink(missing_ok=True)

    def size(self, path: str) -> int:
        return self._at(path).stat().st_size

    def paths(self, prefix: str = "") -> list[str]:
        start = self._at(prefix.rstrip("/")) if prefix else self._root
        paths = []
        for folder, folders, files in os.walk(start):
            with suppress(ValueError):
                folders.remove(_TEMPORARY)
            relative = Path(folder).relative_to(self._root)
            paths += [(relative / name).as_posix() for name in files]
        return sorted(paths)

    def local(self, path: str) -> Path:
        return self._at(path)

    def url_for_duckdb(self, path: str) -> str:
        return str(self._at(path))

    def require(self) -> None:
        """Its folder was made when it was opened."""

    def _at(self, path: str) -> Path:
        return self._root / _checked(path)

    @contextmanager
    def _written_aside(self, path: str, local: Path | None = None) -> Iterator[BinaryIO]:
        """A temporary file, with what ``local`` holds, that becomes the blob on success and is
        deleted on failure.
        """
        target = self._at(path)
        temporary, file, is_whole = self._begun(local)
        try:
            with file:
                if local is not None and not is_whole:
                    with local.open("rb") as source:
                        shutil.copyfileobj(source, file, _COPIED_BYTES)
                    shutil.copystat(local, temporary)
                yield file
                file.flush()
                os.fsync(file.fileno())
                self._make_folder(target.parent)
                temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(target.parent)

    def _begun(self, local: Path | None) -> tuple[Path, BinaryIO, bool]:
        """A new temporary file, locked while it is open; whether it is ``local`` itself by a second
        name.

        Processes in other containers, with a process of the same number, may share the folder: only
        who creates a name has it.
        """
        while True:
            name = f"{os.getpid()}-{threading.get_ident()}-{next(_NUMBERS)}"
            temporary = self._aside / name
            with suppress(FileExistsError):
                is_whole = local is not None and _linked(local, temporary)
                file = _opened(temporary, "rb" if is_whole else "x+b")
                if file is not None:
                    return temporary, file, is_whole

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)

    def _sweep(self) -> None:
        """Delete temporary files that nobody has open: their processes have ended."""
        for temporary in self._aside.iterdir():
            in_use = (FileNotFoundError, BlockingIOError, PermissionError)
            with suppress(*in_use), temporary.open("rb+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                temporary.unlink()


def _linked(local: Path, temporary: Path) -> bool:
    """Whether ``temporary`` is now a second name of ``local``: not on another file system, or on
    one without hard links.
    """
    try:
        os.link(local, temporary)
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError:
        return False
    return True


def _opened(temporary: Path, mode: Literal["rb", "x+b"]) -> BinaryIO | None:
    """The file, locked; None if a sweep was quicker than the lock.

    It is open for reading: NFS gives a shared lock to no other. **Refuses** (OSError) a file system
    without locks; nothing is left behind.
    """
    try:
        file = temporary.open(mode)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH)
    except OSError:
        file.close()
        temporary.unlink(missing_ok=True)
        raise
    if temporary.exists():
        return file
    file.close()
    return None


class ObjectBlobs(Blobs):
    """Objects of any store that obstore supports; ``url`` is DuckDB's name of its root.
    ``briefly``: the same store, asked without the patience that work has with it.
    """

    def __init__(self, store: Any, url: str, briefly: Any = None) -> None:
        import obstore
        from obstore.exceptions import BaseError

        self._obstore = obstore
        self._failure: type[Exception] = BaseError
        self._store = store
        self._briefly = briefly or store
        self._url = url.partition("?")[0].rstrip("/")

    def put(self, path: str, content: bytes) -> None:
        with self._sought():
            self._obstore.put(self._store, _checked(path), content)

    def put_file(self, path: str, local: Path) -> None:
        with self._sought():
            self._obstore.put(self._store, _checked(path), local)

    def get(self, path: str) -> bytes:
        with self._sought():
            return bytes(self._obstore.get(self._store, _checked(path)).bytes())

    def chunks(self, path: str, size: int) -> Iterator[bytes]:
        with self._sought():
            for part in self._obstore.get(self._store, _checked(path)).stream(size):
                raw = bytes(part)
                yield from (raw[at : at + size] for at in range(0, len(raw), size))

    def delete(self, path: str) -> None:
        with suppress(FileNotFoundError), self._sought():
            self._obstore.delete(self._store, _checked(path))

    def size(self, path: str) -> int:
        with self._sought():
            return int(self._obstore.head(self._store, _checked(path))["size"])

    def paths(self, prefix: str = "") -> list[str]:
        folder = _checked(prefix.rstrip("/")) if prefix else None
        with self._asked():
            parts = self._obstore.list(self._store, folder)
            return sorted(item["path"] for part in parts for item in part)

    def local(self, path: str) -> None:
        _checked(path)

    def url_for_duckdb(self, path: str) -> str:
        return f"{self._url}/{_checked(path)}"

    def require(self) -> None:
        with self._asked():
            next(iter(self._obstore.list(self._briefly, chunk_size=1)), None)

    @contextmanager
    def _sought(self) -> Iterator[None]:
        """A file that is not found is missing only if the bucket is there: without it, the store
        gives the same answer, to a put too.
        """
        try:
            with self._asked():
                yield
        except FileNotFoundError:
            self.require()
            raise

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            yield
        except self._failure as failure:
            says = str(failure).partition("\n\nDebug source")[0]
            raise Unavailable(f"the blob store failed: {says}") from failure
