"""Rendered jobs, kept on this machine so that a new bid does not render descriptions again.

Only a cache: it may be lost at any time, and is emptied when it is full.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import lmdb

from handbill.dialects.outbound import Fragment

MOST_BYTES = 16 * 1024**3
_CUT_BYTES = 4
_DIGEST_BYTES = 16
# LMDB must not be open twice in one process.
_ONE_AT_A_TIME = Lock()


class Fragments:
    """(Shape, job id) → fragment of the job as it was at a digest."""

    def __init__(self, env: lmdb.Environment) -> None:
        self._env = env

    def get(self, shape: bytes, jobs: Iterable[tuple[bytes, bytes]]) -> dict[bytes, Fragment]:
        """The fragments of jobs (id, digest) that are there with that digest, by job id."""
        wanted = dict(jobs)
        with self._env.begin() as look:
            pairs = look.cursor().getmulti([shape + job_id for job_id in wanted])
        fresh: dict[bytes, Fragment] = {}
        for key, value in pairs:
            job_id = key[_DIGEST_BYTES:]
            if value.startswith(wanted[job_id]):
                fresh[job_id] = _opened(value)
        return fresh

    def put(self, shape: bytes, jobs: Sequence[tuple[bytes, bytes, Fragment]]) -> None:
        """Store the fragments of jobs (id, digest, fragment)."""
        items = [(shape + job_id, _closed(digest, kept)) for job_id, digest, kept in jobs]
        try:
            self._put(items)
        except lmdb.MapFullError:
            with self._env.begin(write=True) as change:
                change.drop(self._env.open_db(None, txn=change), delete=False)
            self._put(items)

    def _put(self, items: list[tuple[bytes, bytes]]) -> None:
        with self._env.begin(write=True) as change:
            change.cursor().putmulti(items)


@contextmanager
def opened(folder: Path, most_bytes: int = MOST_BYTES) -> Iterator[Fragments]:
    """The cache in a folder of this machine."""
    with _ONE_AT_A_TIME:
        folder.mkdir(parents=True, exist_ok=True)
        env = lmdb.open(str(folder), map_size=most_bytes, max_readers=128)
        try:
            yield Fragments(env)
        finally:
            env.close()


def _closed(digest: bytes, fragment: Fragment) -> bytes:
    cut = len(fragment.before).to_bytes(_CUT_BYTES, "big")
    return b"".join((digest, cut, fragment.before, fragment.after))


def _opened(value: bytes) -> Fragment:
    start = _DIGEST_BYTES + _CUT_BYTES
    cut = start + int.from_bytes(value[_DIGEST_BYTES:start], "big")
    return Fragment(value[start:cut], value[cut:])
