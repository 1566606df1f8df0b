"""A server that answers what a test gives it, and a client that may go to it."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from handbill.host.egress import (
    Egress,
    FetchLimits,
    RequestExtras,
)

Answer = Callable[[str], Iterable[bytes]]
SHORT = FetchLimits(connect_seconds=60, idle_seconds=60, total_seconds=120, most_bytes=1_000_000)


class Server:
    """A server of raw bytes: what it heard, and what it is to say to each path."""

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.heard: list[bytes] = []
        self._answer = answer
        self._tls = tls
        self._closing = False
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            self._open.append(connection)
            if self._closing:
                return
            # The other side may leave at any time, as some tests want it.
            with suppress(OSError):
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        """A connection whose answer ends in b"" is left open."""
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True)
            self._open.append(connection)
        heard = b""
        while b"\r\n\r\n" not in heard:
            got = connection.recv(65536)
            if not got:
                return
            heard += got
        head, _, body = heard.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length")),
            0,
        )
        while len(body) < length:
            body += connection.recv(65536)
        self.heard.append(head + b"\r\n\r\n" + body)
        for part in self._answer(head.split(b" ")[1].decode()):
            if not part:
                return
            connection.sendall(part)
        connection.close()

    def close(self) -> None:
        self._closing = True
        with socket.create_connection(("127.0.0.1", self.port)):
            self._thread.join()
        for connection in self._open:
            connection.close()
        self._socket.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(answer: Answer, tls: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(answer, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def egress_to(*servers: Server, host: str = "127.0.0.1") -> Egress:
    return Egress(
        tuple(f"{host}:{server.port}" for server in servers),
        resolve=lambda name, port: ["127.0.0.1"],
    )


def url_of(server: Server, path: str = "/feed") -> str:
    return f"http://127.0.0.1:{server.port}{path}"


def ok(body: bytes, *headers: str) -> list[bytes]:
    lines = "".join(f"{header}\r\n" for header in headers)
    return [
        f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode("latin-1"),
        body,
    ]


def to(location: str, status: int = 302) -> list[bytes]:
    return [f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\n\r\n".encode("latin-1")]


def fetch(
    egress: Egress, url: str, limits: FetchLimits = SHORT, asked: RequestExtras | None = None
) -> bytes:
    try:
        with egress.open(url, limits, asked) as fetched:
            return b"".join(fetched)
    finally:
        egress.close()


# ── TLS ─────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for feeds.example and localhost, which is its own authority."""
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "feeds.example")])
    names = [x509.DNSName("feeds.example"), x509.DNSName("localhost")]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2120, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "feeds.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path
