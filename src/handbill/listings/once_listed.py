"""The jobs that a client's part of a publisher's files once listed, and lists no longer.

They are a blob, named by its digest: their ids, behind how many were kept when the ids of jobs
that are no longer live were last dropped. Nothing is noted of a job while it is listed.
"""

import hashlib
import logging
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from struct import Struct
from typing import Final

from handbill.jobs import service as jobs
from handbill.listings.rows import Part
from handbill.store.blobs import Blobs
from handbill.work.tools import Tools

_log = logging.getLogger("handbill.listings")
_HEAD: Final = Struct(">Q")
_ID: Final = Struct(">16s")
SPARE: Final = 10_000
"""With so many more than twice the ids that were kept last, those of no live job are dropped."""


def carried_on(tools: Tools, part: Part, former: Part | None, left: AbstractSet[bytes]) -> Part:
    """The part with the former one's jobs and those that have just left it. If the former blob is
    damaged, only these are known.
    """
    if former is None:
        return part
    raw = _read(tools.blobs, former) if left else None
    if raw is None:
        if not left:
            return part._replace(once=former.once)
        _log.error("what publisher %d once listed is missing or damaged", part.publisher_no)
        raw = _HEAD.pack(0)
    known = set(_ids(raw))
    fresh = left - known
    if not fresh:
        return part._replace(once=former.once)
    (kept,) = _HEAD.unpack_from(raw)
    if len(known) + len(fresh) > 2 * kept + SPARE:
        with tools.records.read() as tx:
            live = {bytes.fromhex(id_) for id_ in jobs.ids(tx, part.client_no)}
        some = sorted((known | fresh) & live)
        raw = b"".join((_HEAD.pack(len(some)), *some))
    else:
        raw = b"".join((raw, *sorted(fresh)))
    digest = _digest(raw)
    tools.blobs.put(_path(part, digest), raw)
    return part._replace(once=digest)


def ids(blobs: Blobs, part: Part) -> Iterator[bytes] | None:
    """The ids of these jobs; None: the blob is missing or damaged."""
    raw = _read(blobs, part)
    return None if raw is None else _ids(raw)


def drop_former(blobs: Blobs, part: Part, former: Part | None) -> None:
    """Delete the blobs of a publisher's and client's parts except those on record now and just
    before.
    """
    if former is None or former.once == part.once:
        return
    kept = {_path(part, part.once), _path(part, former.once)}
    for path in blobs.paths(_folder(part)):
        if path not in kept:
            blobs.delete(path)


def _ids(raw: bytes) -> Iterator[bytes]:
    return (job_id for (job_id,) in _ID.iter_unpack(memoryview(raw)[_HEAD.size :]))


def _read(blobs: Blobs, part: Part) -> bytes | None:
    if not part.once:
        return _HEAD.pack(0)
    try:
        raw = blobs.get(_path(part, part.once))
    except FileNotFoundError:
        return None
    return raw if _digest(raw) == part.once else None


def _digest(raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=16).digest()


def _folder(part: Part) -> str:
    return f"once-listed/{part.publisher_no}/{part.client_no}"


def _path(part: Part, digest: bytes) -> str:
    return f"{_folder(part)}/{digest.hex()}.ids"
