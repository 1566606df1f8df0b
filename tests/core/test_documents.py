"""Documents of others: got within bounds, kept for a while, and not asked for too often."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from core.egress_server import SHORT, Server, egress_to, ok, to, url_of
from core.egress_server import serve as serve  # noqa: PLC0414 - a fixture
from handbill.host.documents import ASKED_AGAIN_AFTER, FAILED_FOR, KEPT_FOR, Documents
from handbill.host.egress import EgressFailed, EgressRefused
from handbill.kit.faults import Unavailable

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept-Encoding": "gzip"}


def test_a_form_is_posted_and_its_answer_read(serve: Callable[..., Server]) -> None:
    """Whatever its status; a redirect is an answer, and not followed."""
    said = {"/bad": [b"HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\n{}"], "/ok": ok(b"[1]")}
    said |= {"/moved": [to("/ok")[0].replace(b"\r\n\r\n", b"\r\nContent-Length: 0\r\n\r\n")]}
    said |= {"/large": ok(b"x" * (SHORT.most_bytes + 1))}
    server = serve(said.__getitem__)
    egress = egress_to(server)
    body = urlencode({"code": "a b"}).encode()
    assert egress.ask(url_of(server, "/ok"), body, FORM, SHORT) == (200, b"[1]")
    assert egress.ask(url_of(server, "/bad"), body, FORM, SHORT) == (400, b"{}")
    assert egress.ask(url_of(server, "/moved"), body, FORM, SHORT) == (302, b"")
    with pytest.raises(EgressRefused, match="bytes"):
        egress.ask(url_of(server, "/large"), body, FORM, SHORT)
    with pytest.raises(EgressRefused, match="not public"):
        egress.ask("http://127.0.0.2:8080/", body, FORM, SHORT)
    egress.close()
    assert [one.split(b" ")[:2] for one in server.heard] == [
        [b"POST", path] for path in (b"/ok", b"/bad", b"/moved", b"/large")
    ]
    assert server.heard[0].endswith(b"\r\n\r\ncode=a+b")


def test_a_document_is_kept_and_got_anew(serve: Callable[..., Server]) -> None:
    server = serve(lambda path: ok(b'{"path": "%s"}' % path.encode()))
    egress, documents = egress_to(server), Documents(most=2)

    def got(name: str, path: str, at: int, *, anew: bool = False) -> int:
        """How many requests there have been by then."""
        found = documents.get(egress, name, url_of(server, path), at, anew=anew)
        assert found == {"path": path}
        return len(server.heard)

    assert [got("a", "/x", at) for at in (0, KEPT_FOR - 1, KEPT_FOR)] == [1, 1, 2]
    soon = KEPT_FOR + ASKED_AGAIN_AFTER
    assert [got("a", "/x", at, anew=True) for at in (soon - 1, soon, soon)] == [2, 3, 3]
    assert got("a", "/y", soon) == 4, "another address, the same place"
    assert [got(name, "/x", soon) for name in ("b", "c", "b", "a")] == [5, 6, 6, 7]
    egress.close()


def test_what_failed_is_left_alone_for_a_while(serve: Callable[..., Server]) -> None:
    server = serve(lambda _: [b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"])
    egress, documents = egress_to(server), Documents()
    for at, wanted in ((0, 1), (FAILED_FOR - 1, 1), (FAILED_FOR, 2)):
        with pytest.raises(Unavailable, match="500"):
            documents.get(egress, "a", url_of(server), at)
        assert len(server.heard) == wanted
    with pytest.raises(EgressFailed):
        documents.get(egress, "another", url_of(server), 0)
    egress.close()


def test_what_is_refused_is_left_alone_for_a_while(serve: Callable[..., Server]) -> None:
    said = {"/moved": to("/ok"), "/ok": ok(b"{}"), "/no-json": ok(b"<html>")}
    server = serve(said.__getitem__)
    egress, documents = egress_to(server), Documents()
    for path in ("/moved", "/no-json"):
        before = len(server.heard)
        for at in (0, FAILED_FOR - 1):
            with pytest.raises(EgressRefused, match="document"):
                documents.get(egress, path, url_of(server, path), at)
        told = len(server.heard)
        with pytest.raises(EgressRefused, match="document"):
            documents.get(egress, path, url_of(server, path), FAILED_FOR)
        assert len(server.heard) - told == told - before
    egress.close()
