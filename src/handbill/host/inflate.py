"""Inflates gzip and deflate in bounded steps: a small body cannot become a large one unnoticed."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from isal import isal_zlib

STEP = 256 * 1024
_FED = 16 * 1024  # at once: the library copies what is left of it at each end of a member
_MOST_EMPTY = 100
_GZIP = 31  # window bits, and the gzip frame
_DAMAGED: type[Exception] = isal_zlib.error  # type: ignore[assignment]
_ZLIB, _BARE = 15, -15  # deflate as HTTP means it, and as some servers send it (RFC 9110, 8.4.1.2)
MAGIC = b"\x1f\x8b\x08"
"""How gzip begins (RFC 1952, 2.3)."""
_PLAIN = re.compile(rb"\s*(?:\xef\xbb\xbf)?<[?!A-Za-z]")  # XML that is only said to be deflated
_ZIP = b"PK\x03\x04"


class NotGzip(ValueError):
    """The bytes are compressed, but cut, damaged, or in a format that is not read."""


def unpacked(chunks: Iterable[bytes], *, deflated: bool = False) -> Iterator[bytes]:
    """The chunks as they are, or inflated if they begin like gzip; each at most 256 KB.
    ``deflated``: the sender says that they are, without gzip's frame.

    Several gzip members in a row are one body; zeros after the last are padding. **Refuses** cut or
    damaged gzip (NotGzip), after yielding what could be read; more than 100 members without any
    content, which no limit on what is unpacked would end; and a ZIP archive.
    """
    source = iter(chunks)
    head = b""
    for chunk in source:
        head += chunk
        if len(head) >= len(_ZIP):
            break
    body = chain((head,), source)
    if head.startswith(MAGIC):
        return _inflated(body, _GZIP)
    if head.startswith(_ZIP):
        raise NotGzip("is a ZIP archive: serve the file itself, or compress it with gzip")
    if deflated and head and not _PLAIN.match(head):
        return _inflated(body, _ZLIB if _is_zlib(head) else _BARE)
    return _in_steps(body, STEP)


def _is_zlib(head: bytes) -> bool:
    """Whether deflate has its header (RFC 1950, 2.2)."""
    return head[0] & 15 == 8 and int.from_bytes(head[:2], "big") % 31 == 0


def _in_steps(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    for chunk in chunks:
        if len(chunk) <= most:
            if chunk:
                yield chunk
            continue
        yield from (chunk[at : at + most] for at in range(0, len(chunk), most))


def _inflated(chunks: Iterable[bytes], frame: int) -> Iterator[bytes]:
    member, is_empty, empty = isal_zlib.decompressobj(frame), True, 0
    for chunk in _in_steps(chunks, _FED):
        raw = chunk
        while True:
            if member.eof:
                raw = raw.lstrip(b"\0")
                if not raw:
                    break
                empty += is_empty
                if empty > _MOST_EMPTY:
                    raise NotGzip(f"has more than {_MOST_EMPTY} empty members of gzip")
                member, is_empty = isal_zlib.decompressobj(frame), True
            try:
                out = member.decompress(raw, STEP)
            except _DAMAGED as damaged:
                raise NotGzip("is damaged gzip or deflate") from damaged
            if out:
                is_empty = False
                yield out
            raw = member.unused_data if member.eof else member.unconsumed_tail
            # A full step may have left output inside, even if all input is taken.
            if not raw and len(out) < STEP:
                break
    if not member.eof:
        raise NotGzip("is cut in the middle of gzip or deflate")
