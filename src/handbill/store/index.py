"""The edge's index: what a click needs to know, in an LMDB map shared by all processes.

Written by the worker, read by every edge; it outlives both, so that clicks are redirected while
API and worker are down. It can be rebuilt from the records at any time.

Each change has a *turn*, a fresh random name that stands in the records too. By it an index that
is missing, or of other or later records, is told from one that belongs to these records as they
are: only the turn of the last change, or the one before if the records did not get to note the
last one, is right. One that is not is filled again, and until then does not call itself whole.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import lmdb

_MAP_BYTES = 64 * 1024**3  # address space, not memory: the file grows as it is filled
IndexDamaged = lmdb.Error
"""Its file is not as it was written: it has to be made anew, and is filled from the records."""
_TURN, _FORMER, _WHOLE = b"turn", b"former", b"whole"


def key_place(kid: int) -> tuple[str, ...]:
    """Where the key of that number was sealed for: its row in the records (store/sealed.py)."""
    return "secrets", "value", "listing", str(kid)


class EdgeIndex:
    """Job id (16 bytes) → URL; pixel id → client number; key id → listing key.

    ``open_key``: makes a key of how it is kept here, which is as the records keep it: sealed.
    """

    def __init__(
        self, folder: Path, *, writable: bool,
        open_key: Callable[[int, bytes], bytes] = lambda _, key: key,
    ) -> None:  # fmt: skip
        self._open_key = open_key
        folder.mkdir(parents=True, exist_ok=True)
        if not writable and not (folder / "data.mdb").exists():
            EdgeIndex(folder, writable=True).close()
        self._env = lmdb.open(
            str(folder), map_size=_MAP_BYTES, max_dbs=4, readonly=not writable,
            max_readers=1024, lock=True,
        )  # fmt: skip
        self._urls = self._env.open_db(b"urls", create=writable)
        self._pixels = self._env.open_db(b"pixels", create=writable)
        self._keys = self._env.open_db(b"keys", create=writable)
        self._state = self._env.open_db(b"state", create=writable)

    def url_of(self, job_id: bytes) -> bytes | None:
        """The stored URL of a job, percent-encoded, or None for a job never indexed."""
        # Let go of, a read transaction ends; ending it in so many words costs each click more.
        found: bytes | None = self._env.begin(self._urls).get(job_id)
        return found

    def client_of_pixel(self, pixel_id: str) -> tuple[int, str] | None:
        """The number and the id of the client whose pixel it is."""
        with self._env.begin(db=self._pixels) as look:
            found = look.get(pixel_id.encode()[:500])
        return None if found is None else (int.from_bytes(found[:8], "big"), found[8:].decode())

    def keys(self) -> dict[int, bytes]:
        """Listing keys by key id."""
        return {kid: self._open_key(kid, key) for kid, key in self.kept_keys().items()}

    def kept_keys(self) -> dict[int, bytes]:
        """The same as they are kept."""
        with self._env.begin(db=self._keys) as look:
            return {raw_kid[0]: bytes(key) for raw_kid, key in look.cursor()}

    def has_urls(self) -> bool:
        """Whether any job was ever indexed."""
        with self._env.begin(db=self._urls) as look:
            return bool(look.stat(self._urls)["entries"])

    def is_whole(self) -> bool:
        """Whether what is not in it is not there: false until it is filled from the records."""
        with self._env.begin(db=self._state) as look:
            return look.get(_WHOLE) is not None

    def is_of(self, turn: bytes) -> bool:
        """Whether it belongs to the records whose turn this is, be it whole or being filled."""
        with self._env.begin(db=self._state) as look:
            return turn in {look.get(_TURN), look.get(_FORMER)}

    def put_urls(self, urls: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the URLs of jobs, all or none."""
        with self._env.begin(db=self._urls, write=True) as change:
            change.cursor().putmulti(urls)

    def put_pixels(self, pixels: Iterable[tuple[str, int, str]]) -> None:
        """Set which pixels are whose: pixel id, the client's number, its id."""
        with self._env.begin(db=self._pixels, write=True) as change:
            for pixel_id, client_no, client_id in pixels:
                change.put(pixel_id.encode(), client_no.to_bytes(8, "big") + client_id.encode())

    def put_keys(self, keys: Mapping[int, bytes]) -> None:
        """Hold these keys, and no others."""
        with self._env.begin(db=self._keys, write=True) as change:
            change.drop(self._keys, delete=False)
            for kid, key in keys.items():
                change.put(bytes((kid,)), key)

    def move_turn(self, former: bytes, turn: bytes) -> None:
        """Name the change that was put before; ``former`` is the records' turn until they have
        noted this one.
        """
        with self._env.begin(db=self._state, write=True) as change:
            change.put(_FORMER, former)
            change.put(_TURN, turn)

    def empty(self) -> None:
        """Forget everything: it is not whole until ``finish``."""
        with self._env.begin(write=True) as write:
            for every in (self._state, self._urls, self._pixels, self._keys):
                write.drop(every, delete=False)

    def finish(self) -> None:
        """It is filled: from now on what is not in it is not there."""
        with self._env.begin(db=self._state, write=True) as write:
            write.put(_WHOLE, b"1")

    def close(self) -> None:
        self._env.close()
