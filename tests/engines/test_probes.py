"""What the supervisor takes for an answer of a door, so that a busy one is not killed."""

import asyncio
from asyncio import StreamReader, StreamWriter
from pathlib import Path
from socket import socket

import pytest

from handbill.host.beats import Beat
from handbill.host.children import ChildProcess
from handbill.host.probes import ChildWatch
from handbill.host.settings import Settings

EDGE = ChildProcess("edge", 0)


def _watch(data: Path) -> ChildWatch:
    """It waits a minute for an answer, and takes answers of the last minute for new."""
    return ChildWatch(Settings(data=str(data), probe_seconds=60))


@pytest.mark.parametrize("status", [200, 429, 503])
def test_any_answer_is_one(tmp_path: Path, status: int) -> None:
    """A door with as many connections as it may have refuses the probe too."""

    async def answer(_: StreamReader, writer: StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status} Any\r\n\r\n".encode())
        writer.close()

    async def probed() -> bool:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await _watch(tmp_path).is_answering(EDGE, port)

    assert asyncio.run(probed())


@pytest.mark.parametrize("answered", [True, False])
def test_who_answers_others_lives(tmp_path: Path, answered: bool) -> None:
    """The port is taken and nobody listens, as if the probe had found no place in the queue."""
    watch = _watch(tmp_path)
    beat = Beat(Settings(data=str(tmp_path)).beats_folder, "edge-0")
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert not asyncio.run(watch.is_answering(EDGE, port))
        beat.strike(answered=answered)
        beat.strike()
        assert asyncio.run(watch.is_answering(EDGE, port)) is answered
    beat.close()
