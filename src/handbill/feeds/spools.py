"""A temporary file for the jobs that a run reads."""

from collections.abc import Iterator
from typing import IO

import msgspec

from handbill.jobs.service import WrittenJob

_PACK = msgspec.msgpack.Encoder()
_UNPACK = msgspec.msgpack.Decoder(WrittenJob)


class Spool:
    """Jobs put aside in a temporary file; of several with one reference, the last one counts."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._last: dict[str, int] = {}
        self._count = 0

    def __contains__(self, ref: str) -> bool:
        return ref in self._last

    def __len__(self) -> int:
        return len(self._last)

    def put(self, job: WrittenJob) -> None:
        raw = _PACK.encode(job)
        self._file.write(len(raw).to_bytes(4, "big"))
        self._file.write(raw)
        self._last[job.ref] = self._count
        self._count += 1

    def drop(self, ref: str) -> None:
        del self._last[ref]

    def __iter__(self) -> Iterator[WrittenJob]:
        self._file.seek(0)
        for number in range(self._count):
            size = int.from_bytes(self._file.read(4), "big")
            job = _UNPACK.decode(self._file.read(size))
            if self._last.get(job.ref) == number:
                yield job
