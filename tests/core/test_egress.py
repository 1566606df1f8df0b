"""What goes out goes where it may, takes no longer and brings back no more than it may."""

import base64
import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from handbill.host.egress import (
    Asked,
    Egress,
    EgressFailed,
    EgressRefused,
    Limits,
)
from handbill.kit.faults import Unavailable

Answer = Callable[[str], Iterable[bytes]]
SHORT = Limits(connect_seconds=60, idle_seconds=60, total_seconds=120, most_bytes=1_000_000)


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


def _egress(*servers: Server, host: str = "127.0.0.1") -> Egress:
    return Egress(
        tuple(f"{host}:{server.port}" for server in servers),
        resolve=lambda name, port: ["127.0.0.1"],
    )


def _url(server: Server, path: str = "/feed") -> str:
    return f"http://127.0.0.1:{server.port}{path}"


def _ok(body: bytes, *headers: str) -> list[bytes]:
    lines = "".join(f"{header}\r\n" for header in headers)
    return [
        f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode("latin-1"),
        body,
    ]


def _to(location: str, status: int = 302) -> list[bytes]:
    return [f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\n\r\n".encode("latin-1")]


def _fetch(egress: Egress, url: str, limits: Limits = SHORT, asked: Asked | None = None) -> bytes:
    try:
        with egress.open(url, limits, asked) as fetched:
            return b"".join(fetched)
    finally:
        egress.close()


def test_fetches_and_tells_what_the_answer_is_marked_with(serve: Callable[..., Server]) -> None:
    server = serve(lambda _: _ok(b"<jobs/>", 'ETag: "v1"', "Last-Modified: Mon, 01 Jan 2024"))
    egress = _egress(server)
    with egress.open(_url(server) + "?a=%20b#top", SHORT) as fetched:
        assert (fetched.etag, fetched.last_modified) == ('"v1"', "Mon, 01 Jan 2024")
        assert (fetched.final_url, fetched.unchanged) == (_url(server) + "?a=%20b#top", False)
        assert b"".join(fetched) == b"<jobs/>"
    egress.close()
    (heard,) = server.heard
    head = heard.lower()
    assert heard.startswith(b"GET /feed?a=%20b HTTP/1.1\r\n")
    assert f"host: 127.0.0.1:{server.port}\r\n".encode() in head
    assert b"accept-encoding: gzip\r\n" in head
    assert b"user-agent: handbill\r\n" in head
    assert b"authorization" not in head
    assert b"cookie" not in head


def test_asks_with_credentials_and_former_marks(serve: Callable[..., Server]) -> None:
    server = serve(lambda _: [b"HTTP/1.1 304 Not Modified\r\n\r\n"])
    asked = Asked(
        user="ü", password="p:w", agent="Feedbot/2", etag='"v1"', last_modified="Mon, 01 Jan 2024"
    )
    egress = _egress(server)
    with egress.open(_url(server), SHORT, asked) as fetched:
        assert fetched.unchanged
        assert list(fetched) == []
    egress.close()
    head = server.heard[0]
    assert b"Authorization: Basic " + base64.b64encode("ü:p:w".encode()) + b"\r\n" in head
    assert b"User-Agent: Feedbot/2\r\n" in head
    assert b'If-None-Match: "v1"\r\n' in head
    assert b"If-Modified-Since: Mon, 01 Jan 2024\r\n" in head
    assert "p:w" not in repr(asked)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"plain", ()),
        (gzip.compress(b"plain"), ("Content-Encoding: gzip",)),
        (gzip.compress(b"plain"), ("Content-Type: application/octet-stream",)),
        (gzip.compress(gzip.compress(b"plain")), ("Content-Encoding: x-gzip",)),
        (gzip.compress(b"pl") + gzip.compress(b"ain"), ()),
    ],
    ids=["plain", "gzip", "octets", "twice", "two members"],
)
def test_gzip_comes_off(
    serve: Callable[..., Server], body: bytes, headers: tuple[str, ...]
) -> None:
    server = serve(lambda _: _ok(body, *headers))
    assert _fetch(_egress(server), _url(server)) == b"plain"


def test_chunked_and_unbounded_bodies(serve: Callable[..., Server]) -> None:
    def answer(path: str) -> list[bytes]:
        if path == "/chunked":
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            return [head, b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n"]
        return [b"HTTP/1.0 200 OK\r\n\r\n", b"abc", b"de"]

    server = serve(answer)
    for path in ("/chunked", "/until-the-end"):
        assert _fetch(_egress(server), _url(server, path)) == b"abcde"


def test_large_body_comes_in_small_chunks(serve: Callable[..., Server]) -> None:
    body = bytes(range(256)) * 40_000
    server = serve(lambda path: _ok(gzip.compress(body, 1) if path == "/gz" else body))
    limits = Limits(most_bytes=len(body))
    egress = _egress(server)
    for path in ("/", "/gz"):
        with egress.open(_url(server, path), limits) as fetched:
            chunks = list(fetched)
        assert b"".join(chunks) == body
        assert max(map(len, chunks)) <= 1024**2
    egress.close()


@pytest.mark.parametrize("told", [True, False])
def test_body_beyond_the_bound_is_refused(serve: Callable[..., Server], told: bool) -> None:
    def answer(_: str) -> Iterator[bytes]:
        length = f"Content-Length: {10**9}\r\n" if told else ""
        yield f"HTTP/1.1 200 OK\r\n{length}Connection: close\r\n\r\n".encode()
        for _part in range(200):
            yield b"x" * 65536

    server = serve(answer)
    with pytest.raises(EgressRefused, match="more than 1000000 bytes"):
        _fetch(_egress(server), _url(server))


def test_gzip_bomb_is_refused_at_the_bound(serve: Callable[..., Server]) -> None:
    server = serve(lambda _: _ok(gzip.compress(gzip.compress(bytes(50_000_000)))))
    taken = 0
    egress = _egress(server)

    def take() -> None:
        nonlocal taken
        with egress.open(_url(server), SHORT) as fetched:
            for chunk in fetched:
                taken += len(chunk)

    with pytest.raises(EgressRefused, match="more than"):
        take()
    egress.close()
    assert taken <= SHORT.most_bytes


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ([b"HTTP/1.1 404 Gone\r\nContent-Length: 6\r\n\r\nsecret"], "status 404"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"], "ClientPayloadError"),
        ([b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nx"], "encoding"),
        ([b"SSH-2.0 secret\r\n\r\n"], "connection failed"),
        ([], "ServerDisconnectedError"),
        (_ok(gzip.compress(b"secret" * 99)[:-9]), "cut in the middle"),
        (_ok(gzip.compress(b"x") + b"secret" * 9), "damaged gzip"),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n"], "connection failed"),
    ],
)
def test_bad_answers_fail_and_are_not_echoed(
    serve: Callable[..., Server], answer: list[bytes], reason: str
) -> None:
    server = serve(lambda _: answer)
    with pytest.raises(EgressFailed, match=reason) as failed:
        _fetch(_egress(server), _url(server))
    assert "secret" not in str(failed.value)
    assert isinstance(failed.value, Unavailable)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(EgressFailed, match="connection failed"):
        _fetch(Egress((f"127.0.0.1:{port}",)), f"http://127.0.0.1:{port}/")


def test_silence_ends_at_the_idle_and_at_the_total_limit(serve: Callable[..., Server]) -> None:
    def answer(path: str) -> Iterator[bytes]:
        if path == "/body":
            yield b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
        yield b""

    server = serve(answer)
    for path in ("/head", "/body"):
        for limits in (Limits(idle_seconds=0.05), Limits(total_seconds=0.05)):
            with pytest.raises(EgressFailed, match="took too long"):
                _fetch(_egress(server), _url(server, path), limits)


def test_a_body_that_drips_is_given_up(serve: Callable[..., Server]) -> None:
    gate = threading.Event()  # never set: what the peer waits for

    def answer(_: str) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        for _ in range(4):
            gate.wait(0.05)
            yield b"drip"

    server = serve(answer)
    never_enough = replace(SHORT, least_rate=2**60, slow_seconds=0)
    with pytest.raises(EgressFailed, match="too slow"):
        _fetch(_egress(server), _url(server, "/"), never_enough)
    assert _fetch(_egress(server), _url(server, "/"), SHORT) == b"drip" * 4


def test_slow_resolver_ends_at_the_connect_limit() -> None:
    gate = threading.Event()

    def resolve(name: str, port: int) -> list[str]:
        gate.wait()
        return ["127.0.0.1"]

    egress = Egress(resolve=resolve)
    with pytest.raises(EgressFailed, match="took too long"):
        _fetch(egress, "http://slow.example/", Limits(connect_seconds=0.05))
    gate.set()


# ── where it may go ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/", "must start with"),
        ("http://user:pw@example.com/", "user name"),
        ("http://example.com:22/", "port 22"),
        ("http://example.com:8000/", "port 8000"),
        ("http://127.0.0.1/", "not public"),
        ("http://2130706433/", "four decimal"),
        ("http://0x7f.1/", "four decimal"),
        ("http://169.254.169.254/latest/meta-data", "not public"),
        ("http://[::1]/", "not public"),
        ("http://[::ffff:127.0.0.1]/", "not public"),
        ("http://[64:ff9b::7f00:1]/", "not public"),
        ("https:internal.example/report", "not public"),
        ("http://mixed.example/", "not public"),
    ],
)
def test_refuses_where_it_may_not_go(url: str, reason: str) -> None:
    zone = {"internal.example": ["10.0.0.7"], "mixed.example": ["1.1.1.1", "::1"]}
    egress = Egress(resolve=lambda name, port: zone[name])
    with pytest.raises(EgressRefused, match=reason):
        egress.post(url, b"{}", {}, SHORT)
    with pytest.raises(EgressRefused, match=reason):
        _fetch(egress, url)


def test_name_without_address_fails() -> None:
    def unknown(name: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(EgressFailed, match="no address"):
        _fetch(Egress(resolve=lambda name, port: []), "http://none.example/")
    with pytest.raises(EgressFailed, match="cannot be resolved"):
        _fetch(Egress(resolve=unknown), "http://none.example/")


def test_exception_is_for_exactly_one_host_and_port(serve: Callable[..., Server]) -> None:
    server = serve(lambda _: _ok(b"x"))
    host, port = "feeds.example", server.port
    assert _fetch(_egress(server, host=host), f"http://{host}:{port}/") == b"x"
    for url in (f"http://other.example:{port}/", f"http://127.0.0.1:{port}/"):
        with pytest.raises(EgressRefused, match=f"port {port}"):
            _fetch(_egress(server, host=host), url)
    with pytest.raises(EgressRefused, match="not public"):
        _fetch(_egress(server, host=host), f"http://{host}/")


@pytest.mark.parametrize(
    "text", ["a.b", "http://a.b:80", "a.b?:80", "u@a.b:80", "a b:80", ":80", "a:x"]
)
def test_refuses_exceptions_that_are_no_host_and_port(text: str) -> None:
    with pytest.raises(ValueError, match="egress_allow"):
        Egress((text,))


def test_a_name_is_resolved_once_and_what_was_checked_is_dialled(
    serve: Callable[..., Server],
) -> None:
    server = serve(lambda _: _ok(b"x"))
    asked: list[str] = []

    def resolve(name: str, port: int) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    egress = Egress((f"feeds.example:{server.port}",), resolve=resolve)
    assert _fetch(egress, f"http://feeds.example:{server.port}/") == b"x"
    assert asked == ["feeds.example"]
    assert f"Host: feeds.example:{server.port}\r\n".encode() in server.heard[0]


def test_proxy_settings_are_not_used(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = serve(lambda _: _ok(b"proxy")), serve(lambda _: _ok(b"server"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert _fetch(_egress(server), _url(server)) == b"server"
    assert proxy.heard == []


# ── redirects ───────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_follows_redirects(serve: Callable[..., Server], status: int) -> None:
    pages = {"/a": _to("b?x=1", status), "/b?x=1": _ok(b"there")}
    server = serve(pages.__getitem__)
    egress = _egress(server)
    with egress.open(_url(server, "/a"), SHORT) as fetched:
        assert fetched.final_url == _url(server, "/b?x=1")
        assert b"".join(fetched) == b"there"
    egress.close()


def test_follows_three_redirects_and_no_more(serve: Callable[..., Server]) -> None:
    server = serve(lambda path: _to(f"/{int(path[1:]) - 1}") if path != "/0" else _ok(b"end"))
    assert _fetch(_egress(server), _url(server, "/3")) == b"end"
    with pytest.raises(EgressRefused, match="more than 3 times"):
        _fetch(_egress(server), _url(server, "/4"))
    assert len(server.heard) == 8


def test_a_redirect_in_another_encoding_is_followed_as_it_is(serve: Callable[..., Server]) -> None:
    answers = {"/a": _to("/m\xfcller"), "/m%FCller": _ok(b"there")}
    server = serve(answers.__getitem__)
    assert _fetch(_egress(server), _url(server, "/a")) == b"there"


def test_a_user_name_with_a_colon_is_refused(serve: Callable[..., Server]) -> None:
    server = serve(lambda _: _ok(b"x"))
    with pytest.raises(EgressRefused, match="colon"):
        _fetch(_egress(server), _url(server), asked=Asked(user="a:b", password="p"))
    assert server.heard == []


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://127.0.0.1/", "not public"),
        ("//169.254.169.254/", "not public"),
        ("http://127.0.0.1:22/", "port 22"),
        ("file:///etc/passwd", "must start with"),
        ("http://user:pw@127.0.0.1/", "user name"),
        ("http://[::1", "no URL"),
        ("http://rebound.example/", "not public"),
    ],
)
def test_every_redirect_is_checked_in_full(
    serve: Callable[..., Server], location: str, reason: str
) -> None:
    server = serve(lambda _: _to(location))
    with pytest.raises(EgressRefused, match=reason):
        _fetch(_egress(server), _url(server))
    assert len(server.heard) == 1


def test_credentials_stay_with_the_place_they_are_for(serve: Callable[..., Server]) -> None:
    other = serve(lambda _: _ok(b"x"))
    here = serve(lambda path: _to(_url(other)) if path == "/out" else _to("/out"))
    asked = Asked(user="u", password="p", etag='"v1"')
    assert _fetch(_egress(here, other), _url(here), asked=asked) == b"x"
    assert [b"Authorization" in heard for heard in here.heard] == [True, True]
    assert b"Authorization" not in other.heard[0]
    assert b"If-None-Match" not in other.heard[0]
    assert b"User-Agent: Handbill" in other.heard[0]


# ── posting ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("status", [200, 204, 302, 410, 500])
def test_post_tells_the_status_and_follows_nothing(
    serve: Callable[..., Server], status: int
) -> None:
    server = serve(lambda _: _to("/elsewhere", status))
    egress = _egress(server)
    headers = {"Content-Type": "application/json", "X-Delivery": "d1"}
    assert egress.post(_url(server), b'{"reportId":"r1"}', headers, SHORT) == status
    egress.close()
    (heard,) = server.heard
    assert heard.startswith(b"POST /feed HTTP/1.1\r\n")
    assert heard.endswith(b'\r\n\r\n{"reportId":"r1"}')
    assert b"X-Delivery: d1\r\n" in heard
    assert b"Content-Type: application/json\r\n" in heard


# ── TLS ─────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for feeds.example, which is its own authority."""
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "feeds.example")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2120, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("feeds.example")]), critical=False)
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


def test_tls_is_for_the_name_though_an_address_is_dialled(
    serve: Callable[..., Server], certificate: Path
) -> None:
    named: list[str | None] = []
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_tls.load_cert_chain(certificate)
    server_tls.sni_callback = lambda _socket, name, _context: named.append(name)
    server = serve(lambda _: _ok(b"x"), server_tls)
    trusting = ssl.create_default_context(cafile=certificate)

    def fetch(host: str, tls: ssl.SSLContext | None) -> bytes:
        allow = (f"{host}:{server.port}",)
        egress = Egress(allow, resolve=lambda name, port: ["127.0.0.1"], tls=tls)
        return _fetch(egress, f"https://{host}:{server.port}/")

    assert fetch("feeds.example", trusting) == b"x"
    assert named == ["feeds.example"]
    for host, tls in (("feeds.example", None), ("other.example", trusting)):
        with pytest.raises(EgressFailed, match="TLS handshake"):
            fetch(host, tls)
