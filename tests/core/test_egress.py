"""What goes out goes where it may, takes no longer and brings back no more than it may."""

import base64
import gzip
from collections.abc import Callable, Iterator

import pytest

from core.egress_server import SHORT, Server, egress_to, fetch, ok, url_of
from core.egress_server import serve as serve  # noqa: PLC0414 - a fixture
from handbill.host.egress import EgressFailed, EgressRefused, FetchLimits, RequestExtras
from handbill.kit.faults import Unavailable


def test_fetches_and_tells_what_the_answer_is_marked_with(serve: Callable[..., Server]) -> None:
    server = serve(lambda _: ok(b"<jobs/>", 'ETag: "v1"', "Last-Modified: Mon, 01 Jan 2024"))
    egress = egress_to(server)
    with egress.open(url_of(server) + "?a=%20b#top", SHORT) as fetched:
        assert (fetched.etag, fetched.last_modified) == ('"v1"', "Mon, 01 Jan 2024")
        assert (fetched.final_url, fetched.unchanged) == (url_of(server) + "?a=%20b#top", False)
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
    asked = RequestExtras(
        user="ü", password="p:w", agent="Feedbot/2", etag='"v1"', last_modified="Mon, 01 Jan 2024"
    )
    egress = egress_to(server)
    with egress.open(url_of(server), SHORT, asked) as fetched:
        assert fetched.unchanged
        assert list(fetched) == []
    egress.close()
    head = server.heard[0]
    assert b"Authorization: Basic " + base64.b64encode("ü:p:w".encode()) + b"\r\n" in head
    assert b"User-Agent: Feedbot/2\r\n" in head
    assert b'If-None-Match: "v1"\r\n' in head
    assert b"If-Modified-Since: Mon, 01 Jan 2024\r\n" in head
    assert "p:w" not in repr(asked)


def test_refuses_to_be_told_that_nothing_changed_where_no_version_was_named(
    serve: Callable[..., Server],
) -> None:
    server = serve(lambda _: [b"HTTP/1.1 304 Not Modified\r\n\r\n"])
    egress = egress_to(server)
    with (
        pytest.raises(EgressFailed, match=r"answered with status 304"),
        egress.open(url_of(server), SHORT),
    ):
        raise AssertionError("nothing was fetched")
    egress.close()


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"plain", ()),
        (gzip.compress(b"plain"), ("Content-Encoding: gzip",)),
        (gzip.compress(b"plain"), ("Content-Type: application/octet-stream",)),
        (gzip.compress(gzip.compress(b"plain")), ("Content-Encoding: x-gzip",)),
        (gzip.compress(b"pl") + gzip.compress(b"ain"), ()),
        (b"plain", ("Content-Encoding: UTF-8",)),
    ],
    ids=["plain", "gzip", "octets", "twice", "two members", "a charset"],
)
def test_gzip_comes_off(
    serve: Callable[..., Server], body: bytes, headers: tuple[str, ...]
) -> None:
    server = serve(lambda _: ok(body, *headers))
    assert fetch(egress_to(server), url_of(server)) == b"plain"


def test_chunked_and_unbounded_bodies(serve: Callable[..., Server]) -> None:
    def answer(path: str) -> list[bytes]:
        if path == "/chunked":
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            return [head, b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n"]
        return [b"HTTP/1.0 200 OK\r\n\r\n", b"abc", b"de"]

    server = serve(answer)
    for path in ("/chunked", "/until-the-end"):
        assert fetch(egress_to(server), url_of(server, path)) == b"abcde"


def test_large_body_comes_in_small_chunks(serve: Callable[..., Server]) -> None:
    body = bytes(range(256)) * 40_000
    server = serve(lambda path: ok(gzip.compress(body, 1) if path == "/gz" else body))
    limits = FetchLimits(most_bytes=len(body))
    egress = egress_to(server)
    for path in ("/", "/gz"):
        with egress.open(url_of(server, path), limits) as fetched:
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
        fetch(egress_to(server), url_of(server))


def test_gzip_bomb_is_refused_at_the_bound(serve: Callable[..., Server]) -> None:
    server = serve(lambda _: ok(gzip.compress(gzip.compress(bytes(50_000_000)))))
    taken = 0
    egress = egress_to(server)

    def take() -> None:
        nonlocal taken
        with egress.open(url_of(server), SHORT) as fetched:
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
        ([b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, BR\r\n\r\nx"], "encoding"),
        ([b"SSH-2.0 secret\r\n\r\n"], "connection failed"),
        ([], "ServerDisconnectedError"),
        (ok(gzip.compress(b"secret" * 99)[:-9]), "cut in the middle"),
        (ok(gzip.compress(b"x") + b"secret" * 9), "damaged gzip"),
        ([b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\nx\x9csecret"], "or deflate"),
        (ok(b"PK\x03\x04secret"), "ZIP archive"),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n"], "connection failed"),
    ],
)
def test_bad_answers_fail_and_are_not_echoed(
    serve: Callable[..., Server], answer: list[bytes], reason: str
) -> None:
    server = serve(lambda _: answer)
    with pytest.raises(EgressFailed, match=reason) as failed:
        fetch(egress_to(server), url_of(server))
    assert "secret" not in str(failed.value)
    assert isinstance(failed.value, Unavailable)
