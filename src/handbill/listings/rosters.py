"""Which jobs stand in a client's part of a publisher's files, so that it is known which have left.

A roster is the jobs' ids, 16 bytes each, in blobs under its digest. When a part is replaced, what
its former roster has and the new one has not are departures: clicks on them may be latent.
"""

import hashlib
import logging
from typing import NamedTuple

from handbill.listings.rows import Part
from handbill.store.blobs import Blobs

_log = logging.getLogger("handbill.listings")
_ID_BYTES = 16
EMPTY = b""


class Moves(NamedTuple):
    """The jobs that have left a part, and those that have come to it."""

    gone: frozenset[bytes]
    come: frozenset[bytes]


NONE = Moves(frozenset(), frozenset())


def write(blobs: Blobs, publisher_no: int, client_no: int, ids: bytes) -> bytes:
    """Keep a roster; its digest."""
    if not ids:
        return EMPTY
    digest = hashlib.blake2b(ids, digest_size=16).digest()
    path = _path(publisher_no, client_no, digest)
    if not blobs.exists(path):
        blobs.put(path, ids)
    return digest


def moves(blobs: Blobs, former: Part | None, part: Part) -> Moves:
    """What a part has lost and won against the one that stood before it."""
    if former is None or former.roster == part.roster:
        return NONE
    before, after = _ids(blobs, former), _ids(blobs, part)
    return Moves(before - after, after - before)


def drop_former(blobs: Blobs, part: Part) -> None:
    """Delete the rosters of a publisher's and client's parts but the one on record."""
    current = _path(part.publisher_no, part.client_no, part.roster)
    for path in blobs.paths(_folder(part.publisher_no, part.client_no)):
        if path != current:
            blobs.delete(path)


def _ids(blobs: Blobs, part: Part) -> frozenset[bytes]:
    if part.roster == EMPTY:
        return frozenset()
    try:
        raw = blobs.get(_path(part.publisher_no, part.client_no, part.roster))
    except FileNotFoundError:
        # Somebody deleted it by hand: nothing can be told to have left, in the click's favour.
        _log.warning("the roster of publisher %d is missing", part.publisher_no)
        return frozenset()
    return frozenset(raw[at : at + _ID_BYTES] for at in range(0, len(raw), _ID_BYTES))


def _folder(publisher_no: int, client_no: int) -> str:
    return f"rosters/{publisher_no}/{client_no}"


def _path(publisher_no: int, client_no: int, digest: bytes) -> str:
    return f"{_folder(publisher_no, client_no)}/{digest.hex()}.ids"
