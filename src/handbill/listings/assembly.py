"""Makes a publisher's files from the parts of its clients: head, parts, foot; plain and gzipped.

Only its own task does so, one at a time for each publisher, whichever client's change asked for it.
A file whose parts are the same is left alone, so that its ETag and Last-Modified hold.
"""

from logging import getLogger
from typing import BinaryIO

from isal import isal_zlib

from handbill.clients.service import clients_by_number
from handbill.core.nouns import Publisher
from handbill.dialects.outbound import foot_of, head_of, shape_of
from handbill.kit.digests import digest_of
from handbill.kit.faults import Unavailable
from handbill.kit.instants import Instant
from handbill.listings import nearby, rows
from handbill.listings.parts import UNREADABLE, new_file, packer, path_of
from handbill.listings.rows import File, Part
from handbill.listings.service import ALL_CLIENTS, deliver_in_time
from handbill.publishers import service as publishers
from handbill.store.blobs import Blobs
from handbill.work import kinds
from handbill.work.queue import enqueue
from handbill.work.tools import Tools

_CHUNK = 64 * 1024  # deflate may grow a thousandfold: 66 MB at most
_MOST_TRIES = 3
_OF_NOTHING = b""
_log = getLogger("handbill.listings")
# RFC 1952: deflate, no name, no time, unknown system.
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_FORM = 1
"""To be raised when equal parts come to make other bytes."""


def assemble(tools: Tools, publisher_no: int) -> None:
    """Write each file of a publisher whose content has changed. A deleted publisher's are empty."""
    for _ in range(_MOST_TRIES):
        with tools.records.read() as tx:
            publisher = publishers.publishers_by_number(tx, [publisher_no]).get(publisher_no)
            files = rows.files_of(tx, publisher_no)
            parts = rows.parts_of(tx, publisher_no)
        if publisher is None:
            return
        try:
            for file in files:
                _bring_up(tools, publisher, file, _shown(publisher, file, parts))
        except FileNotFoundError:
            continue
        except _Damaged as damaged:
            if not _have_rendered_anew(tools, damaged.part):
                continue  # The client has just replaced its part: look again.
        return
    raise Unavailable(f"the parts of publisher {publisher_no} change too often to be read")


class _Damaged(Exception):
    """A part's bytes are gone, or not those that were rendered."""

    def __init__(self, part: Part) -> None:
        super().__init__(path_of(part))
        self.part = part


def _have_rendered_anew(tools: Tools, part: Part) -> bool:
    """Have a damaged part rendered again; False if another has replaced it. The former file stays
    until the client is published, which requests the file again. The roster stays too, so that
    listings keep their times.
    """
    now = tools.clock.now()
    with tools.records.write() as tx:
        if rows.hold_part(tx, part.publisher_no, part.client_no) != part:
            return False
        client = clients_by_number(tx, [part.client_no])[part.client_no]
        rows.put_parts(tx, [part._replace(digest=_OF_NOTHING)], now)
        enqueue(tx, kinds.PUBLISH, client.id, now)
    _log.error("%s is missing or damaged, and is rendered again", path_of(part))
    return True


def is_current(publisher: Publisher, file: File, parts: list[Part]) -> bool:
    """Whether a file shows these parts, which are all that its publisher has."""
    return file.digest == _digest(publisher, _shown(publisher, file, parts))


def _shown(publisher: Publisher, file: File, parts: list[Part]) -> list[Part]:
    """The parts that a file shows; none while its publisher is not active."""
    if publisher.status != "A":
        return []
    return [
        part for part in parts if part.job_count and file.client_no in {ALL_CLIENTS, part.client_no}
    ]


def file_path(file: File) -> str:
    return f"feeds/{file.name}.xml"


def _bring_up(tools: Tools, publisher: Publisher, file: File, parts: list[Part]) -> None:
    path = file_path(file)
    digest = _digest(publisher, parts)
    there = tools.blobs.exists(path) and tools.blobs.exists(f"{path}.gz")
    if digest == file.digest and there:
        if not nearby.is_near(tools, file):
            nearby.bring(tools, file)
        return
    # Always later than the former, even if the clock stands: a file is identified by its time.
    now = max(tools.clock.now(), (file.written_at or 0) + 1)
    head, foot = _ends(publisher, parts, now)
    local = tools.own_scratch / f"file-{file.no}.xml"
    packed = tools.own_scratch / f"file-{file.no}.xml.gz"
    try:
        with new_file(local) as plain_file, new_file(packed) as packed_file:
            _write(tools.blobs, plain_file, packed_file, (head, parts, foot))
        # Until the new content is on record, the blobs may have either.
        with tools.records.write() as tx:
            rows.forget_file(tx, file.no)
        for at, made in ((path, local), (f"{path}.gz", packed)):
            nearby.set_time(made, now)
            tools.blobs.put_file(at, made)
            nearby.put(tools, at, made)
        nearby.note(tools, file, digest, now)
    finally:
        local.unlink(missing_ok=True)
        packed.unlink(missing_ok=True)
    with tools.records.write() as tx:
        if not rows.set_file(tx, file, sum(part.job_count for part in parts), digest, now):
            # Which of two workers' content is there now is not known.
            rows.forget_file(tx, file.no)
            enqueue(tx, kinds.ASSEMBLE, str(publisher.no), now)
        elif publisher.body.delivered_by_ftp:
            deliver_in_time(tx, publisher.no, now)


def _digest(publisher: Publisher, parts: list[Part]) -> bytes:
    """A digest of everything that a file is made from, except the time in its head."""
    head, foot = _ends(publisher, parts, 0)
    return digest_of(_FORM, head, foot, [(part.digest, part.roster) for part in parts])


def _ends(publisher: Publisher, parts: list[Part], at: Instant) -> tuple[bytes, bytes]:
    body = publisher.body
    shape = shape_of(body.feed_schema, body.currency, "", {})
    count = sum(part.job_count for part in parts)
    return head_of(shape, body.name, body.url, count, at), foot_of(shape)


def _write(
    blobs: Blobs, plain: BinaryIO, packed: BinaryIO, content: tuple[bytes, list[Part], bytes]
) -> None:
    """Write the plain file and its gzip: one member, since not every reader reads a second one."""
    head, parts, foot = content
    pack = packer()
    plain.write(head)
    packed.write(_GZIP_HEAD + pack.compress(head) + pack.flush(isal_zlib.Z_FULL_FLUSH))
    crc, size = isal_zlib.crc32(head), len(head)
    for part in parts:
        _copy(blobs, part, plain, packed)
        crc = isal_zlib.crc32_combine(crc, part.crc, part.plain_bytes)
        size += part.plain_bytes
    pack = packer()
    plain.write(foot)
    packed.write(pack.compress(foot) + pack.flush())
    crc, size = isal_zlib.crc32(foot, crc), size + len(foot)
    packed.write(crc.to_bytes(4, "little") + (size % 2**32).to_bytes(4, "little"))


def _copy(blobs: Blobs, part: Part, plain: BinaryIO, packed: BinaryIO) -> None:
    """Copy a part into both files. **Refuses** one that is gone, or not as it was rendered
    (_Damaged).
    """
    unpack = isal_zlib.decompressobj(-15)
    crc = 0
    try:
        for chunk in blobs.chunks(path_of(part), _CHUNK):
            content = unpack.decompress(chunk)
            crc = isal_zlib.crc32(content, crc)
            packed.write(chunk)
            plain.write(content)
    except (UNREADABLE, FileNotFoundError) as unreadable:
        raise _Damaged(part) from unreadable
    if crc != part.crc:
        raise _Damaged(part)
