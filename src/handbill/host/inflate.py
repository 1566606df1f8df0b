"""Inflates gzip in bounded steps, so that a small body cannot become a large one unnoticed."""

from collections.abc import Iterable, Iterator
from itertools import chain

from isal import isal_zlib

STEP = 256 * 1024
_GZIP = 31  # window bits, and the gzip frame
_DAMAGED: type[Exception] = isal_zlib.error  # type: ignore[assignment]
_MAGIC = b"\x1f\x8b\x08"


class NotGzip(ValueError):
    """The bytes begin like gzip, but are cut or damaged."""


def unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks as they are, or inflated if they begin like gzip; each at most 256 KB.

    Several gzip members in a row are one body; zeros after the last are padding. **Refuses** cut or
    damaged gzip (NotGzip), after yielding what could be read.
    """
    source = iter(chunks)
    head = b""
    for chunk in source:
        head += chunk
        if len(head) >= len(_MAGIC):
            break
    body = chain((head,), source)
    return _inflated(body) if head.startswith(_MAGIC) else _in_steps(body)


def _in_steps(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if len(chunk) <= STEP:
            if chunk:
                yield chunk
            continue
        yield from (chunk[at : at + STEP] for at in range(0, len(chunk), STEP))


def _inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    member = isal_zlib.decompressobj(_GZIP)
    for chunk in chunks:
        raw = chunk
        while True:
            if member.eof:
                raw = raw.lstrip(b"\0")
                if not raw:
                    break
                member = isal_zlib.decompressobj(_GZIP)
            try:
                out = member.decompress(raw, STEP)
            except _DAMAGED as damaged:
                raise NotGzip("is damaged gzip") from damaged
            if out:
                yield out
            raw = member.unused_data if member.eof else member.unconsumed_tail
            # A full step may have left output inside, even if all input is taken.
            if not raw and len(out) < STEP:
                break
    if not member.eof:
        raise NotGzip("is cut in the middle of gzip")
