"""Where requests out may go: names, exceptions and redirects; what stays with its place."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.egress_server import SHORT, Server, egress_to, fetch, ok, to, url_of
from core.egress_server import certificate as certificate  # noqa: PLC0414 - a fixture
from core.egress_server import serve as serve  # noqa: PLC0414 - a fixture
from handbill.host.egress import (
    Egress,
    EgressFailed,
    EgressRefused,
    FetchLimits,
    RequestExtras,
)
from handbill.host.places import AllowedPlaces


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(EgressFailed, match="connection failed"):
        fetch(Egress((f"127.0.0.1:{port}",)), f"http://127.0.0.1:{port}/")


def test_silence_ends_at_the_idle_and_at_the_total_limit(serve: Callable[..., Server]) -> None:
    def answer(path: str) -> Iterator[bytes]:
        if path == "/body":
            yield b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
        yield b""

    server = serve(answer)
    for path in ("/head", "/body"):
        for limits in (FetchLimits(idle_seconds=0.05), FetchLimits(total_seconds=0.05)):
            with pytest.raises(EgressFailed, match="took too long"):
                fetch(egress_to(server), url_of(server, path), limits)


def test_a_body_that_drips_is_given_up(serve: Callable[..., Server]) -> None:
    gate = threading.Event()  # never set: what the peer waits for

    def answer(_: str) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        for _drip in range(4):
            gate.wait(0.05)
            yield b"drip"

    server = serve(answer)
    never_enough = replace(SHORT, least_rate=2**60, slow_seconds=0)
    with pytest.raises(EgressFailed, match="too slow"):
        fetch(egress_to(server), url_of(server, "/"), never_enough)
    assert fetch(egress_to(server), url_of(server, "/"), SHORT) == b"drip" * 4


def test_headers_that_drip_are_given_up(serve: Callable[..., Server]) -> None:
    gate = threading.Event()  # never set, as above

    def answer(_: str) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nX: "
        for _drip in range(20):
            gate.wait(0.05)
            yield b"x"
        yield b"\r\n\r\nbody"

    server = serve(answer)
    soon = replace(SHORT, connect_seconds=0.3, idle_seconds=0.3)
    with pytest.raises(EgressFailed, match="took too long"):
        fetch(egress_to(server), url_of(server, "/"), soon)
    assert fetch(egress_to(server), url_of(server, "/"), SHORT) == b"body"


def test_slow_resolver_ends_at_the_connect_limit() -> None:
    gate = threading.Event()

    def resolve(name: str, port: int) -> list[str]:
        gate.wait()
        return ["127.0.0.1"]

    egress = Egress(resolve=resolve)
    with pytest.raises(EgressFailed, match="took too long"):
        fetch(egress, "http://slow.example/", FetchLimits(connect_seconds=0.05))
    gate.set()


def test_slow_name_servers_leave_room_for_other_names() -> None:
    gate = threading.Event()

    def resolve(name: str, port: int) -> list[str]:
        if name.startswith("slow"):
            gate.wait()
        return ["203.0.113.7"]

    places = AllowedPlaces((), resolve)
    slow = [places.looked_up(f"slow{n}.example", 80) for n in range(40)]
    assert places.looked_up("other.example", 80).result(60) == ["203.0.113.7"]
    assert not any(one.done() for one in slow)
    gate.set()
    assert [one.result(60) for one in slow] == [["203.0.113.7"]] * 40
    places.close()


# ── where it may go ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/", "must start with"),
        ("http://user:pw@example.com/", "user name"),
        ("http://example.com:22/", "port 22"),
        ("http://example.com:8000/", "port 8000 .* example.com:8000 in HANDBILL_EGRESS_ALLOW"),
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
        fetch(egress, url)


def test_name_without_address_fails() -> None:
    def unknown(name: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(EgressFailed, match="no address"):
        fetch(Egress(resolve=lambda name, port: []), "http://none.example/")
    with pytest.raises(EgressFailed, match="cannot be resolved"):
        fetch(Egress(resolve=unknown), "http://none.example/")


def test_exception_is_for_exactly_one_host_and_port(serve: Callable[..., Server]) -> None:
    server = serve(lambda _: ok(b"x"))
    host, port = "feeds.example", server.port
    assert fetch(egress_to(server, host=host), f"http://{host}:{port}/") == b"x"
    for url in (f"http://other.example:{port}/", f"http://127.0.0.1:{port}/"):
        with pytest.raises(EgressRefused, match=f"port {port}"):
            fetch(egress_to(server, host=host), url)
    with pytest.raises(EgressRefused, match="not public"):
        fetch(egress_to(server, host=host), f"http://{host}/")


@pytest.mark.parametrize(
    "text", ["a.b", "http://a.b:80", "a.b?:80", "u@a.b:80", "a b:80", ":80", "a:x"]
)
def test_refuses_exceptions_that_are_no_host_and_port(text: str) -> None:
    with pytest.raises(ValueError, match="egress_allow"):
        Egress((text,))


def test_a_name_is_resolved_once_and_what_was_checked_is_dialled(
    serve: Callable[..., Server],
) -> None:
    server = serve(lambda _: ok(b"x"))
    asked: list[str] = []

    def resolve(name: str, port: int) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    egress = Egress((f"feeds.example:{server.port}",), resolve=resolve)
    assert fetch(egress, f"http://feeds.example:{server.port}/") == b"x"
    assert asked == ["feeds.example"]
    assert f"Host: feeds.example:{server.port}\r\n".encode() in server.heard[0]


def test_proxy_settings_are_not_used(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = serve(lambda _: ok(b"proxy")), serve(lambda _: ok(b"server"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert fetch(egress_to(server), url_of(server)) == b"server"
    assert proxy.heard == []


# ── redirects ───────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_follows_redirects(serve: Callable[..., Server], status: int) -> None:
    pages = {"/a": to("b?x=1", status), "/b?x=1": ok(b"there")}
    server = serve(pages.__getitem__)
    egress = egress_to(server)
    with egress.open(url_of(server, "/a"), SHORT) as fetched:
        assert fetched.final_url == url_of(server, "/b?x=1")
        assert b"".join(fetched) == b"there"
    egress.close()


def test_follows_three_redirects_and_no_more(serve: Callable[..., Server]) -> None:
    server = serve(lambda path: to(f"/{int(path[1:]) - 1}") if path != "/0" else ok(b"end"))
    assert fetch(egress_to(server), url_of(server, "/3")) == b"end"
    with pytest.raises(EgressRefused, match="more than 3 times"):
        fetch(egress_to(server), url_of(server, "/4"))
    assert len(server.heard) == 8


def test_a_redirect_in_another_encoding_is_followed_as_it_is(serve: Callable[..., Server]) -> None:
    answers = {"/a": to("/m\xfcller"), "/m%FCller": ok(b"there")}
    server = serve(answers.__getitem__)
    assert fetch(egress_to(server), url_of(server, "/a")) == b"there"


def test_a_user_name_with_a_colon_is_refused(serve: Callable[..., Server]) -> None:
    server = serve(lambda _: ok(b"x"))
    with pytest.raises(EgressRefused, match="colon"):
        fetch(egress_to(server), url_of(server), asked=RequestExtras(user="a:b", password="p"))
    assert server.heard == []


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://127.0.0.1/", "not public"),
        ("//169.254.169.254/", "not public"),
        ("http://127.0.0.1:22/", "port 22"),
        ("file:///etc/passwd", "must start with"),
        ("http://user:pw@127.0.0.1/", "user name"),
        ("http://[::1", "invalid URL"),
        ("http://rebound.example/", "not public"),
    ],
)
def test_every_redirect_is_checked_in_full(
    serve: Callable[..., Server], location: str, reason: str
) -> None:
    server = serve(lambda _: to(location))
    with pytest.raises(EgressRefused, match=reason):
        fetch(egress_to(server), url_of(server))
    assert len(server.heard) == 1


def test_credentials_stay_with_the_place_they_are_for(serve: Callable[..., Server]) -> None:
    other = serve(lambda _: ok(b"x"))
    here = serve(lambda path: to(url_of(other)) if path == "/out" else to("/out"))
    asked = RequestExtras(user="u", password="p", etag='"v1"')
    assert fetch(egress_to(here, other), url_of(here), asked=asked) == b"x"
    assert [b"Authorization" in heard for heard in here.heard] == [True, True]
    assert b"Authorization" not in other.heard[0]
    assert b"If-None-Match" not in other.heard[0]
    assert b"User-Agent: Handbill" in other.heard[0]


# ── posting ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("status", [200, 204, 302, 410, 500])
def test_post_tells_the_status_and_follows_nothing(
    serve: Callable[..., Server], status: int
) -> None:
    server = serve(lambda _: to("/elsewhere", status))
    egress = egress_to(server)
    headers = {"Content-Type": "application/json", "X-Delivery": "d1"}
    assert egress.post(url_of(server), b'{"reportId":"r1"}', headers, SHORT) == status
    egress.close()
    (heard,) = server.heard
    assert heard.startswith(b"POST /feed HTTP/1.1\r\n")
    assert heard.endswith(b'\r\n\r\n{"reportId":"r1"}')
    assert b"X-Delivery: d1\r\n" in heard
    assert b"Content-Type: application/json\r\n" in heard


def test_tls_is_for_the_name_though_an_address_is_dialled(
    serve: Callable[..., Server], certificate: Path
) -> None:
    named: list[str | None] = []
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_tls.load_cert_chain(certificate)
    server_tls.sni_callback = lambda _socket, name, _context: named.append(name)
    server = serve(lambda _: ok(b"x"), server_tls)
    trusting = ssl.create_default_context(cafile=certificate)

    def over_tls(host: str, tls: ssl.SSLContext | None) -> bytes:
        allow = (f"{host}:{server.port}",)
        egress = Egress(allow, resolve=lambda name, port: ["127.0.0.1"], tls=tls)
        return fetch(egress, f"https://{host}:{server.port}/")

    assert over_tls("feeds.example", trusting) == b"x"
    assert named == ["feeds.example"]
    for host, tls in (("feeds.example", None), ("other.example", trusting)):
        with pytest.raises(EgressFailed, match="TLS handshake"):
            over_tls(host, tls)
