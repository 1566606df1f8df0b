"""Decides which fetches of feed files are reported, so that no flood fills the journal."""

from typing import Final

from handbill.core.agents import program_of
from handbill.core.received import ReceivedFetch
from handbill.http1.messages import Request
from handbill.kit.instants import MINUTE, Instant

MOST_READERS: Final = 4
"""Programs that are reported for one version of a file in a minute."""


class Fetches:
    """Reports the first fetch of each version of a file in a minute, by each of a few programs.

    It stores no more entries than there are files: unknown names never get here.
    """

    def __init__(self) -> None:
        self._minute = 0
        self._told: dict[tuple[str, Instant], set[str]] = {}

    def told(
        self, name: bytes, version: Instant, status: int, request: Request, now: Instant
    ) -> ReceivedFetch | None:
        """The journal's form of a fetch; None: it is not reported. The plain and the gzipped file
        are one. A HEAD, or a prefetch by a browser, is no fetch.
        """
        if request.method != b"GET" or request.headers.is_ahead:
            return None
        if now // MINUTE != self._minute:
            self._minute = now // MINUTE
            self._told.clear()
        plain = name.decode().partition(".")[0]
        readers = self._told.setdefault((plain, version), set())
        reader = program_of(request.headers.agent)
        if reader in readers or len(readers) == MOST_READERS:
            return None
        readers.add(reader)
        return ReceivedFetch(at=now, name=plain, version=version, status=status, reader=reader)
