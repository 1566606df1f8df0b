"""The edge's index: what a click needs to know, in an LMDB map shared by all processes.

Written by the worker, read by every edge; it outlives both, so that clicks are redirected while
API and worker are down. It can be rebuilt from the records at any time.

Each change has a *turn*, a fresh random name that stands in the records too. By it an index that
is missing, or of other or later records, is told from one that belongs to these records as they
are: only the turn of the last change, or the one before if the records did not get to note the
last one, is right. One that is not is filled again, and until then does not call itself whole.

It is filled again as a new file that takes the place of the former one. Writers go over to it at
once, edges when it is whole: what they can read of the former one leads visitors on meanwhile.
"""

import faulthandler
import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import lmdb

_MAP_BYTES = 64 * 1024**3  # address space, not memory: the file grows as it is filled
IndexFailed = lmdb.Error
"""It cannot be read, or not be written."""
IndexDamaged = (
    lmdb.CorruptedError,
    lmdb.PageNotFoundError,
    lmdb.InvalidError,
    lmdb.VersionMismatchError,
    lmdb.BadTxnError,
)
"""Its file is not as it was written: a new one has to take its place."""
_TURN, _FORMER, _WHOLE = b"turn", b"former", b"whole"
_NAMES = ("state", "urls", "pixels", "keys")
_File = tuple[int, int]


class _Maps(NamedTuple):
    """One opened file. ``file`` tells it from one that takes its place."""

    env: Any
    state: Any
    urls: Any
    pixels: Any
    keys: Any
    file: _File | None


def key_place(kid: int) -> tuple[str, ...]:
    """Where the key of that number was sealed for: its row in the records (store/sealed.py)."""
    return "secrets", "value", "listing", str(kid)


class EdgeIndex:
    """Job id (16 bytes) → URL; pixel id → client number; key id → listing key.

    ``open_key``: makes a key of how it is kept here, which is as the records keep it: sealed.
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
        """Which file is written: another one after ``replace``, here or in any process."""
        return self._maps.file

    def renew(self) -> bool:
        """Go over to the file that has taken the place of this one, if there is one and, for who
        only reads, if it is whole. Whether it did so.
        """
        if _file(self._folder) == self._maps.file:
            return False
        maps = _opened(self._folder, self._writable)
        self._is_former = not self._writable and not _is_whole(maps)
        if not self._is_former:
            self._maps = maps
        return not self._is_former

    def replace(self) -> None:
        """Let an empty file take its place, unless another one has: it is to be filled."""
        _put_away(self._folder, self._maps.file)
        self.renew()

    def url_of(self, job_id: bytes) -> bytes | None:
        """The stored URL of a job, percent-encoded, or None for a job never indexed."""
        # Let go of, a read transaction ends; ending it in so many words costs each click more.
        maps = self._maps
        found: bytes | None = maps.env.begin(maps.urls).get(job_id)
        return found

    def client_of_pixel(self, pixel_id: str) -> tuple[int, str] | None:
        """The number and the id of the client whose pixel it is."""
        with self._begin("pixels") as look:
            found = look.get(pixel_id.encode()[:500])
        return None if found is None else (int.from_bytes(found[:8], "big"), found[8:].decode())

    def keys(self) -> dict[int, bytes]:
        """Listing keys by key id."""
        return {kid: self._open_key(kid, key) for kid, key in self.kept_keys().items()}

    def kept_keys(self) -> dict[int, bytes]:
        """The same as they are kept."""
        with self._begin("keys") as look:
            return {raw_kid[0]: bytes(key) for raw_kid, key in look.cursor()}

    def has_urls(self) -> bool:
        """Whether any job was ever indexed."""
        maps = self._maps
        with maps.env.begin() as look:
            return bool(look.stat(maps.urls)["entries"])

    def is_whole(self) -> bool:
        """Whether what is not in it is not there: false until it is filled from the records."""
        return not self._is_former and _is_whole(self._maps)

    def is_of(self, turn: bytes) -> bool:
        """Whether it belongs to the records whose turn this is, be it whole or being filled."""
        with self._begin("state") as look:
            return turn in {look.get(_TURN), look.get(_FORMER)}

    def put_urls(self, urls: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the URLs of jobs, all or none."""
        with self._begin("urls", write=True) as change:
            change.cursor().putmulti(urls)

    def put_pixels(self, pixels: Iterable[tuple[str, int, str]]) -> None:
        """Set which pixels are whose: pixel id, the client's number, its id."""
        with self._begin("pixels", write=True) as change:
            for pixel_id, client_no, client_id in pixels:
                change.put(pixel_id.encode(), client_no.to_bytes(8, "big") + client_id.encode())

    def put_keys(self, keys: Mapping[int, bytes]) -> None:
        """Hold these keys, and no others."""
        maps = self._maps
        with maps.env.begin(db=maps.keys, write=True) as change:
            change.drop(maps.keys, delete=False)
            for kid, key in keys.items():
                change.put(bytes((kid,)), key)

    def move_turn(self, former: bytes, turn: bytes) -> None:
        """Name the change that was put before; ``former`` is the records' turn until they have
        noted this one.
        """
        with self._begin("state", write=True) as change:
            change.put(_FORMER, former)
            change.put(_TURN, turn)

    def finish(self) -> None:
        """It is filled: from now on what is not in it is not there."""
        with self._begin("state", write=True) as write:
            write.put(_WHOLE, b"1")

    def close(self) -> None:
        self._maps.env.close()

    def _begin(self, name: str, *, write: bool = False) -> Any:
        maps = self._maps
        return maps.env.begin(db=getattr(maps, name), write=write)


def mend(folder: Path, *, wholly: bool = True) -> bool:
    """Put away an index that is not sound, so that a new one is made; whether there was one. To
    be called before it is opened. ``wholly``: whether all of it is looked at; else its beginnings.
    """
    seen = _file(folder)
    if seen is None or is_sound(folder, wholly=wholly):
        return False
    _put_away(folder, seen)
    return True


def is_sound(folder: Path, *, wholly: bool = True) -> bool:
    """Whether an index, which this process has not opened, can be read. A process of its own
    reads it, which may die of that: a file that was cut off kills who reads behind its end.
    """
    reader = get_context("fork").Process(
        target=_read_through, args=(folder, _NAMES if wholly else _NAMES[:1])
    )
    reader.start()
    reader.join()
    return reader.exitcode == 0


def _read_through(folder: Path, names: Iterable[str]) -> None:
    faulthandler.disable()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where LMDB would cry while it dies
    try:
        maps = _mapped(folder, writable=False)
        for name in names:
            with maps.env.begin(db=getattr(maps, name)) as look:
                for _ in look.cursor():
                    pass
    except IndexFailed:
        raise SystemExit(1) from None


def _opened(folder: Path, writable: bool) -> _Maps:
    """The index in that folder, made if there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        if _file(folder) is None:
            (folder / "lock.mdb").unlink(missing_ok=True)  # of a former one: it counts its turns
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
    """Take that file out of its place, if it is still there. Who has it open can go on."""
    with _alone(folder):
        if file is not None and _file(folder) == file:
            (folder / "data.mdb").unlink()


def _file(folder: Path) -> _File | None:
    try:
        found = (folder / "data.mdb").stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else opens or puts away meanwhile: a map is two files, of one moment."""
    lock = os.open(folder / "opening.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
