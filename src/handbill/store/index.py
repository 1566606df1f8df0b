"""The edge's index: what a click needs to know, in an LMDB map shared by all processes.

Written by the worker, read by every edge. It outlives both, so that clicks are redirected while API
and worker are down. It can be rebuilt from the records at any time.

Each change has a *turn*, a fresh random name that is also in the records. It shows whether an index
belongs to these records in their current state: only the turn of the last change is right, or the
one before, if the records could not note the last one. Any other index, as one of other, older or
newer records, is filled again, and is not whole until then.

It is filled again as a new file, which replaces the former one. Writers switch to it at once, edges
when it is whole: until then they redirect visitors by the former one.
"""

import errno
import faulthandler
import fcntl
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import lmdb

from handbill.host.folders import Unusable

_MAP_BYTES = 64 * 1024**3  # address space, not memory: the file grows as it is filled
IndexFailed = lmdb.Error
"""It cannot be read or written."""
IndexDamaged = (
    lmdb.CorruptedError,
    lmdb.PageNotFoundError,
    lmdb.InvalidError,
    lmdb.VersionMismatchError,
    lmdb.BadTxnError,
)
"""Its file is damaged: a new one has to replace it."""
_LACKING = frozenset(
    {
        errno.ENOMEM,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.EAGAIN,
        errno.ENOLCK,
    }
)
"""What this process lacks to open it; its file is as good as before."""
_IS_DAMAGED, _IS_LACKING = 1, 3
_DIES_OF_DAMAGE = frozenset({-signal.SIGBUS, -signal.SIGSEGV, -signal.SIGABRT})
_TURN, _FORMER, _WHOLE = b"turn", b"former", b"whole"
_NAMES = ("state", "urls", "pixels", "keys")
_File = tuple[int, int]


class _Maps(NamedTuple):
    """One opened file. ``file`` tells it apart from its replacement."""

    env: Any
    state: Any
    urls: Any
    pixels: Any
    keys: Any
    file: _File | None


def key_place(kid: int) -> tuple[str, ...]:
    """The place that a numbered key was sealed for: its row (store/sealed.py)."""
    return "secrets", "value", "listing", str(kid)


class EdgeIndex:
    """Job id (16 bytes) → URL; pixel id → client number; key id → listing key.

    ``open_key``: opens a key as it is stored here, sealed as in the records.
    """

    def __init__(
        self,
        folder: Path,
        *,
        writable: bool,
        open_key: Callable[[int, bytes], bytes] = lambda _, key: key,
    ) -> None:
        self._folder = folder
        self._writable = writable
        self._open_key = open_key
        self._maps = _opened(folder, writable)
        self._is_former = False

    @property
    def file(self) -> _File | None:
        """The file that is used: a different one after ``replace``, in this or another process."""
        return self._maps.file

    def renew(self) -> bool:
        """Switch to the file that has replaced this one, if there is one; a reader only if it is
        whole. Returns whether it switched.
        """
        if _file(self._folder) == self._maps.file:
            return False
        maps = _opened(self._folder, self._writable)
        self._is_former = not self._writable and not _is_whole(maps)
        if not self._is_former:
            self._maps = maps
        return not self._is_former

    def replace(self) -> None:
        """Replace it by an empty file, unless that has happened already: then it must be filled."""
        _put_away(self._folder, self._maps.file)
        self.renew()

    def url_of(self, job_id: bytes) -> bytes | None:
        """The stored URL of a job, percent-encoded, or None for a job never indexed."""
        # A read transaction ends when it is dropped; ending it explicitly costs each click more.
        maps = self._maps
        url: bytes | None = maps.env.begin(maps.urls).get(job_id)
        return url

    def client_of_pixel(self, pixel_id: str) -> tuple[int, str] | None:
        """The number and id of the client that owns the pixel."""
        with self._begin("pixels") as look:
            raw = look.get(pixel_id.encode()[:500])
        return None if raw is None else (int.from_bytes(raw[:8], "big"), raw[8:].decode())

    def keys(self) -> dict[int, bytes]:
        """Listing keys by key id."""
        return {kid: self._open_key(kid, key) for kid, key in self.kept_keys().items()}

    def kept_keys(self) -> dict[int, bytes]:
        """Listing keys by key id, as they are stored."""
        with self._begin("keys") as look:
            return {raw_kid[0]: bytes(key) for raw_kid, key in look.cursor()}

    def has_urls(self) -> bool:
        """Whether any job was ever indexed."""
        maps = self._maps
        with maps.env.begin() as look:
            return bool(look.stat(maps.urls)["entries"])

    def is_whole(self) -> bool:
        """Whether it is complete: false until it is filled from the records."""
        return not self._is_former and _is_whole(self._maps)

    def is_of(self, turn: bytes) -> bool:
        """Whether it belongs to the records with this turn, complete or not."""
        with self._begin("state") as look:
            return turn in {look.get(_TURN), look.get(_FORMER)}

    def put_urls(self, urls: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the URLs of jobs, all or none."""
        with self._begin("urls", write=True) as change:
            change.cursor().putmulti(urls)

    def put_pixels(self, pixels: Iterable[tuple[str, int, str]]) -> None:
        """Set the owners of pixels: pixel id, the client's number, its id."""
        with self._begin("pixels", write=True) as change:
            for pixel_id, client_no, client_id in pixels:
                change.put(pixel_id.encode(), client_no.to_bytes(8, "big") + client_id.encode())

    def put_keys(self, keys: Mapping[int, bytes]) -> None:
        """Store these keys, and remove all others."""
        maps = self._maps
        with maps.env.begin(db=maps.keys, write=True) as change:
            change.drop(maps.keys, delete=False)
            for kid, key in keys.items():
                change.put(bytes((kid,)), key)

    def move_turn(self, former: bytes, turn: bytes) -> None:
        """Name the change that was just made; ``former`` is the turn in the records until they have
        noted this one.
        """
        with self._begin("state", write=True) as change:
            change.put(_FORMER, former)
            change.put(_TURN, turn)

    def finish(self) -> None:
        """Mark it as complete: from now on, what is not in it does not exist."""
        with self._begin("state", write=True) as write:
            write.put(_WHOLE, b"1")

    def close(self) -> None:
        self._maps.env.close()

    def _begin(self, name: str, *, write: bool = False) -> Any:
        maps = self._maps
        return maps.env.begin(db=getattr(maps, name), write=write)


def mend(folder: Path, *, wholly: bool = True) -> bool:
    """Remove a damaged index, so that a new one is made; returns whether there was one. Call this
    before it is opened. ``wholly``: check all of it; otherwise only its beginnings. **Refuses** one
    that cannot be read here, whether or not it is damaged (Unusable).
    """
    seen = _file(folder)
    if seen is None or is_sound(folder, wholly=wholly):
        return False
    _put_away(folder, seen)
    return True


def is_sound(folder: Path, *, wholly: bool = True) -> bool:
    """Whether an index can be read that this process has not opened. A separate process reads it,
    since that may kill it: reading behind the end of a truncated file does. **Refuses** one of
    which that process cannot tell (Unusable): it lacked something, or was killed by somebody.
    """
    reader = get_context("fork").Process(
        target=_read_through, args=(folder, _NAMES if wholly else _NAMES[:1])
    )
    with _refused(folder):
        reader.start()
    reader.join()
    if reader.exitcode not in {0, _IS_DAMAGED, *_DIES_OF_DAMAGE}:
        raise Unusable(_unreadable(folder))
    return reader.exitcode == 0


@contextmanager
def _refused(folder: Path) -> Iterator[None]:
    """**Refuses** to go on where this process lacks something (Unusable)."""
    try:
        yield
    except (IndexFailed, OSError) as failure:
        if (failure.errno if isinstance(failure, OSError) else failure.code) in _LACKING:
            raise Unusable(_unreadable(folder)) from failure
        raise


def _unreadable(folder: Path) -> str:
    return (
        f"the edge's index {folder} cannot be opened here: that needs address space without limit "
        "(ulimit -v unlimited; it takes no more memory than it holds), some open files "
        "(ulimit -n), and leave to read and write its folder"
    )


def _read_through(folder: Path, names: Iterable[str]) -> None:
    faulthandler.disable()
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # hide LMDB's message when it dies
        maps = _mapped(folder, writable=False)
        for name in names:
            with maps.env.begin(db=getattr(maps, name)) as look:
                for _ in look.cursor():
                    pass
    except IndexFailed as failure:
        raise SystemExit(_IS_LACKING if failure.code in _LACKING else _IS_DAMAGED) from None
    except (OSError, MemoryError):
        raise SystemExit(_IS_LACKING) from None


def _opened(folder: Path, writable: bool) -> _Maps:
    """Open the index in that folder; create it if there is none. **Refuses** what this process has
    no means for (Unusable).
    """
    with _refused(folder), _alone(folder):
        if _file(folder) is None:
            (folder / "lock.mdb").unlink(missing_ok=True)  # a former one counts its own turns
            _mapped(folder, writable=True).env.close()
        return _mapped(folder, writable)


def _mapped(folder: Path, writable: bool) -> _Maps:
    env = lmdb.open(
        str(folder),
        map_size=_MAP_BYTES,
        max_dbs=4,
        readonly=not writable,
        max_readers=1024,
        lock=True,
    )
    state, urls, pixels, keys = (env.open_db(name.encode(), create=writable) for name in _NAMES)
    file = _file(folder)
    return _Maps(env=env, state=state, urls=urls, pixels=pixels, keys=keys, file=file)


def _is_whole(maps: _Maps) -> bool:
    with maps.env.begin(db=maps.state) as look:
        return look.get(_WHOLE) is not None


def _put_away(folder: Path, file: _File | None) -> None:
    """Remove that file, if it is still in place. Processes that have it open can go on."""
    with _alone(folder):
        if file is not None and _file(folder) == file:
            (folder / "data.mdb").unlink()


def _file(folder: Path) -> _File | None:
    try:
        stat = (folder / "data.mdb").stat()
    except FileNotFoundError:
        return None
    return stat.st_dev, stat.st_ino


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else opens or removes it meanwhile: a map is two files that belong together."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "opening.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
