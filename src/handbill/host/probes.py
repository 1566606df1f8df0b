"""Probes of a child: whether it shows signs of life, and answers where it listens."""

import asyncio

from handbill.host.beats import BEAT_SECONDS, answered_ago, silence_of
from handbill.host.children import ChildProcess
from handbill.host.clock import ticking
from handbill.host.settings import Settings

READY_SECONDS = 180.0
"""A machine that is busy with other things may take so long to start a process."""
MOST_MISSED = 3
"""So many probes without a sign of life, and a child is taken for hung."""
_JUDGE_SILENCE = 120.0
"""The judge is seen between two batches, which may wait for the records. **Units**: seconds."""
_ANSWER_SECONDS = 5.0


class ChildWatch:
    """Checks whether a child shows signs of life: the file that it touches and, where it is the
    only one to listen on a port, that it answers there.

    Any answer is one: a door that is full says so. Where so many come that a probe is not answered
    in time, it counts that others are: to kill a busy process would cut all of them off.
    """

    def __init__(self, settings: Settings) -> None:
        self.seconds = float(settings.probe_seconds)
        self._folder = settings.beats_folder
        self._host = settings.near_host
        self._ports = {"api": settings.api_port}
        if settings.edges == 1:  # if several share it, nobody knows which one answers
            self._ports["edge"] = settings.edge_port

    async def until_hung(self, child: ChildProcess) -> None:
        """Wait until a child that has just started misses too many probes in a row.

        Its first sign of life may take as long as a start may, and so may its first answer: a door
        that is not open yet does not hang.
        """
        began = ticking()
        has_lived, has_opened, missed = False, False, 0
        while missed < MOST_MISSED or (not has_lived and ticking() - began < READY_SECONDS):
            await asyncio.sleep(self.seconds)
            silence = silence_of(self._folder, child.name)
            has_lived = has_lived or (silence is not None and silence < ticking() - began)
            lives = has_lived and silence is not None and silence <= self._longest(child)
            port = self._ports.get(child.kind)
            if lives and port is not None:
                answers = await self.is_answering(child, port)
                has_opened = has_opened or answers
                lives = answers or (not has_opened and ticking() - began < READY_SECONDS)
            missed = 0 if lives else missed + 1

    async def is_answering(self, child: ChildProcess, port: int) -> bool:
        if await status_at(self._host, port, "/livez", self.seconds) is not None:
            return True
        ago = answered_ago(self._folder, child.name)
        return ago is not None and ago <= self._longest(child)

    def _longest(self, child: ChildProcess) -> float:
        """How long a process may be silent before it counts as hung."""
        most = max(self.seconds, 2 * BEAT_SECONDS)
        return max(most, _JUDGE_SILENCE) if child.kind == "judge" else most


async def status_at(
    host: str, port: int, path: str, seconds: float = _ANSWER_SECONDS
) -> int | None:
    """The status with which one of our own processes on this machine answers a GET; None if it does
    not answer.
    """
    asked = f"GET {path} HTTP/1.1\r\nHost: handbill\r\nConnection: close\r\n\r\n"
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(asked.encode())
                words = (await reader.readline()).split(b" ")
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None
