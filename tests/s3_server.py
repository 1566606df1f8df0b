"""A real S3 server for tests: SeaweedFS from its wheel, on loopback ports of its own."""

import shutil
import socket
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

from serving import until

_MOST_STARTS = 5  # between our looking for free ports and its start others may take one
_MOST_PORT = 55_000  # the server takes each port plus 10,000 too
BUCKET = "handbill"


def program() -> Path | None:
    """The server's program, where its wheel is installed."""
    found = Path(sysconfig.get_path("scripts")) / "weed"
    return found if found.exists() else None


def _free_ports(count: int) -> list[int]:
    ports: list[int] = []
    with ExitStack() as held:
        while len(ports) < count:
            probe = held.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            if (port := probe.getsockname()[1]) <= _MOST_PORT:
                ports.append(port)
    return ports


def _started(folder: Path, ports: list[int]) -> "subprocess.Popen[bytes]":
    master, volume, filer, s3 = ports
    return subprocess.Popen(
        [
            str(program()),
            "server",
            f"-dir={folder}",
            "-s3",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            f"-master.port={master}",
            f"-volume.port={volume}",
            f"-filer.port={filer}",
            f"-s3.port={s3}",
            "-master.volumeSizeLimitMB=64",
            "-volume.max=20",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _made(server: "subprocess.Popen[bytes]", port: int) -> bool | None:
    """Whether there is the bucket; None while the server is not up, False if it has ended."""
    if server.poll() is not None:
        return False
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("PUT", f"/{BUCKET}")
        return connection.getresponse().status == 200 or None
    except OSError:
        return None
    finally:
        connection.close()


@contextmanager
def s3_running() -> Iterator[dict[str, str]]:
    """The variables by which a client finds the server; it has one bucket."""
    for _ in range(_MOST_STARTS):
        folder = Path(tempfile.mkdtemp(prefix="handbill-s3-"))
        ports = _free_ports(4)
        server = _started(folder, ports)
        try:
            if until("the S3 server", partial(_made, server, ports[-1])):
                yield {
                    "AWS_ENDPOINT": f"http://127.0.0.1:{ports[-1]}",
                    "AWS_ALLOW_HTTP": "true",
                    "AWS_REGION": "us-east-1",
                    "AWS_ACCESS_KEY_ID": "any",
                    "AWS_SECRET_ACCESS_KEY": "any",
                }
                return
        finally:
            server.kill()
            server.wait()
            shutil.rmtree(folder)
    raise AssertionError("the S3 server does not start")
