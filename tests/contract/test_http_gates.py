"""The manners of every operation, on a small table of our own."""

import errno
import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from contract.asgi import Reply, call
from contract.gates import COUNT, GOOD, OPERATIONS, Ask, FakeDoors, message_of, operation
from handbill.host.clock import SetClock
from handbill.host.ids import SeededIds, SystemIds
from handbill.host.settings import Settings
from handbill.http.app import Application
from handbill.http.docs import with_pages
from handbill.http.kinds import Public
from handbill.http.openapi import document
from handbill.http.operations import Call, Desk
from handbill.kit.faults import Unavailable
from handbill.kit.instants import DAY
from handbill.store.blobs import open_blobs
from handbill.store.journal import JournalBroken, JournalFull, JournalWriter
from handbill.store.records import Records


@pytest.fixture
def desk(records: Records, tmp_path: Path) -> Iterator[Desk]:
    journal = JournalWriter(tmp_path / "journal", "api-0", SystemIds())
    blobs = open_blobs(str(tmp_path / "blobs"))
    clock = SetClock(DAY * 20_000)
    yield Desk(records, blobs, journal, clock, SeededIds(1), Settings(), FakeDoors())
    journal.close()


@pytest.fixture
def ask(desk: Desk) -> Ask:
    app = Application(with_pages(OPERATIONS), desk)

    def asking(verb: str, url: str, body: Any = None, **kw: Any) -> Reply:
        return call(app, verb, url, body, **({"headers": GOOD} | kw))

    return asking


def test_success_has_the_manners_of_every_answer(ask: Ask) -> None:
    reply = ask("POST", "/things", {"name": "a"})
    assert (reply.status, reply.json["message"]) == (200, "thing created")
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"
    given = ask("GET", "/things?page=0&limit=1", headers=GOOD | {"x-request-id": "abc-12345"})
    assert given.headers["x-request-id"] == "abc-12345"


def test_gates_come_in_order(ask: Ask) -> None:
    bad = {"size": "x"}
    assert ask("POST", "/nothing", bad, headers={}).status == 404
    wrong = ask("DELETE", "/things", bad, headers={})
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, POST")
    assert ask("POST", "/clients/foreign/things", bad, headers={}).status == 401
    only_key = {"x-api-key": "good"}
    assert ask("POST", "/clients/foreign/things", bad, headers=only_key).status == 403
    partner = GOOD | {"x-api-key": "partner"}
    assert ask("POST", "/clients/foreign/things", bad, headers=partner).status == 403
    assert ask("GET", "/partners").status == 403
    assert ask("POST", "/s2s", bad, headers=GOOD | {"client_id": "foreign"}).status == 403
    assert ask("POST", "/clients/foreign/things", bad).status == 400
    assert ask("POST", "/clients/foreign/things", {"name": "taken"}).status == 404
    assert ask("POST", "/clients/mine/things", {"name": "taken"}).status == 400
    assert ask("POST", "/clients/mine/things", {"name": "free"}).status == 200


def test_all_bad_keys_and_all_bad_tokens_look_alike(ask: Ask) -> None:
    keys = [[], [("x-api-key", "bad")], [("x-api-key", "good"), ("x-api-key", "good")]]
    replies = [ask("GET", "/partners", headers=pairs) for pairs in keys]
    assert {str(message_of(reply)) for reply in replies} == {"(401, {'message': 'Unauthorized'})"}
    tokens = [{}, {"x-authorization-key": "bad"}, {"x-authorization-key": ""}]
    replies = [ask("POST", "/things", {}, headers={"x-api-key": "good"} | one) for one in tokens]
    assert {str(message_of(reply)) for reply in replies} == {"(403, {'message': 'Forbidden'})"}


def test_foreign_and_unknown_ids_are_one_answer(ask: Ask) -> None:
    urls = ["/clients/foreign/things/x", "/clients/mine/things/unknown", "/clients/%00/things/x"]
    replies = [message_of(ask("GET", url)) for url in urls]
    assert replies[0] == replies[1] == (404, {"message": "Not found"})
    assert replies[2][0] == 400


def test_client_headers(ask: Ask) -> None:
    for name in ("client_id", "client-id", "x-client-id"):
        assert ask("POST", "/s2s", {"name": "a"}, headers=GOOD | {name: "mine"}).json == "mine"
    assert ask("GET", "/stats", headers=GOOD | {"x-client-id": "mine"}).json == "mine"
    assert ask("GET", "/stats", headers=GOOD | {"client_id": "mine"}).status == 403
    two = [*GOOD.items(), ("client_id", "mine"), ("x-client-id", "other")]
    assert ask("POST", "/s2s", {"name": "a"}, headers=two).status == 403


def test_an_id_may_hold_any_character(ask: Ask) -> None:
    reply = ask("GET", "/clients/mine/things/a%2Fb%20%C3%A9%25")
    assert reply.json == {"thing": "a/b é%", "client": "mine"}
    assert ask("GET", "/clients/mine/things/all").json == {"all": True}


def test_all_faults_are_named_by_field(ask: Ask) -> None:
    status, body = message_of(ask("POST", "/things", {"size": 9, "id": 1}))
    assert status == 400
    assert body["errors"] == [
        {"field": "/name", "message": "is required"},
        {"field": "/size", "message": "must be at most 5"},
    ]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b'"x"',
        b"NaN",
        b'{"name":"a","size":1e999}',
        b'{"name":"\\ud800"}',
        b'{"name":"\xff"}',
        b"9" * 5_000,
        b"[" * 40 + b"]" * 40,
        b'{"name":"a","name":"b"}',
        b'{"name":"\\u0000"}',
        b"{",
    ],
)
def test_bad_json_is_400(ask: Ask, raw: bytes) -> None:
    status, body = message_of(ask("POST", "/things", raw=raw))
    assert (status, body["message"]) == (400, "Bad request")
    assert body["errors"]


def test_a_body_that_breaks_off_is_400(ask: Ask) -> None:
    status, body = message_of(ask("POST", "/things", raw=b'{"name": "a"', cut=True))
    assert (status, [fault["field"] for fault in body["errors"]]) == (400, [""])
    assert "is incomplete" in body["errors"][0]["message"]


@pytest.mark.parametrize(("verb", "target"), [("OPTIONS", "*"), ("CONNECT", "evil.example:80")])
def test_a_target_that_is_no_path_is_unknown(ask: Ask, verb: str, target: str) -> None:
    assert message_of(ask(verb, target)) == (404, {"message": "Not found"})


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("X-GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("identity", bytes),
    ],
)
def test_a_packed_body_is_read(ask: Ask, coding: str, pack: Callable[[bytes], bytes]) -> None:
    packed = {"headers": GOOD | {"content-encoding": coding}}
    assert ask("POST", "/things", raw=pack(b'{"name": "packed"}'), **packed).status == 200
    assert ask("POST", "/things", raw=pack(b'{"name": "a"}')[:-6], **packed).status == 400
    assert ask("POST", "/things", raw=b"", **packed).status == 400
    assert ask("POST", "/things", raw=pack(b" " * 1_000_001), **packed).status == 413


_CUT = "the body is cut in the middle of gzip or deflate"


@pytest.mark.parametrize(
    ("coding", "raw", "message"),
    [
        ("gzip", gzip.compress(b"{}")[:-6], _CUT),
        ("deflate", zlib.compress(b"{}")[:-6], _CUT),
        ("deflate", b"\xff{}", "the body is damaged gzip or deflate"),
        ("gzip", b"{}", "the body is not gzip, as its Content-Encoding says"),
        ("gzip", gzip.compress(b"") * 102, "the body has more than 100 empty members of gzip"),
        ("br", b"{}", "the content encoding must be gzip, deflate or identity"),
    ],
    ids=["cut gzip", "cut deflate", "damaged", "plain", "empty members", "unknown"],
)
def test_a_body_that_cannot_be_unpacked(ask: Ask, coding: str, raw: bytes, message: str) -> None:
    headers = GOOD | {"content-encoding": coding}
    status, body = message_of(ask("POST", "/things", raw=raw, headers=headers))
    assert (status, body["errors"]) == (400, [{"field": "", "message": message}])


def test_limits_in_front(ask: Ask) -> None:
    long = b'{"name": "' + b"a" * 1_000_000 + b'"}'
    assert ask("POST", "/things", raw=long).status == 413
    assert ask("POST", "/many", raw=long).status == 400
    assert ask("GET", "/things?page=0&limit=1&x=" + "y" * 9_000).status == 431
    assert ask("GET", "/things?page=0&limit=1", headers=GOOD | {"x": "y" * 17_000}).status == 431
    wrong_type = GOOD | {"content-type": "text/xml"}
    assert ask("POST", "/things", {"name": "a"}, headers=wrong_type).status == 400
    text_json = GOOD | {"content-type": "text/json; charset=utf8"}
    assert ask("POST", "/things", {"name": "a"}, headers=text_json).status == 200


def test_a_bug_is_500_and_changes_nothing(ask: Ask, desk: Desk) -> None:
    assert message_of(ask("POST", "/things", {"name": "bug"})) == (
        500,
        {"message": "Internal server error"},
    )
    assert ask("POST", "/things", {"name": "late bug"}).status == 500
    with desk.records.read() as tx:
        assert tx.value(COUNT, name="late bug") == 0


class Away:
    """Records that do not answer."""

    def __init__(self, *, reads_inline: bool) -> None:
        self.reads_inline = reads_inline

    def read(self) -> Any:
        raise Unavailable("the records store does not answer")

    write = read


@pytest.mark.parametrize("inline", [True, False])
def test_trouble_that_passes_is_503_and_pages_need_no_records(desk: Desk, inline: bool) -> None:
    away = replace(desk, records=cast(Records, Away(reads_inline=inline)))
    app = Application(with_pages(OPERATIONS), away)
    for verb, url, body in (
        ("GET", "/things?page=0&limit=1", None),
        ("POST", "/things", {"name": "a"}),
        ("POST", "/s2s", {"name": "a"}),
    ):
        reply = call(app, verb, url, body, headers=GOOD)
        assert message_of(reply) == (503, {"message": "Service Unavailable"})
        assert reply.headers["retry-after"] == "5"
    for page in ("/livez", "/openapi.json", "/docs"):
        assert call(app, "GET", page, headers={}).status == 200
    assert call(app, "GET", "/livez?%FF", headers={}).status == 400


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (OSError(errno.ENOSPC, "full"), 503),
        (OSError(errno.EMFILE, "too many"), 503),
        (MemoryError(), 503),
        (JournalFull("slow"), 503),
        (JournalBroken("broken"), 503),
        (OSError(errno.EINVAL, "wrong"), 500),
        (FileNotFoundError(), 500),
        (KeyError("x"), 500),
    ],
)
def test_what_passes_is_told_from_a_bug(desk: Desk, failure: Exception, status: int) -> None:
    def fails(_: Call) -> Any:
        raise failure

    app = Application([operation("fails", "GET", "/fails", fails, kind=Public())], desk)
    assert call(app, "GET", "/fails", headers={}).status == status


@pytest.mark.parametrize(
    ("query", "data", "rels"),
    [
        ("page=0&limit=10", 10, ["first", "next"]),
        ("page=1&limit=10", 10, ["first", "prev", "next"]),
        ("page=2&limit=10", 5, ["first", "prev"]),
        ("page=9&limit=10", 0, ["first", "prev"]),
    ],
)
def test_pages_link_to_each_other(ask: Ask, query: str, data: int, rels: list[str]) -> None:
    reply = ask("GET", f"/things?{query}")
    assert len(reply.json["data"]) == data
    assert [part.split('rel="')[1][:-1] for part in reply.headers["link"].split(", ")] == rels


@pytest.mark.parametrize(
    "query",
    [
        "",
        "page=0",
        "limit=1",
        "page=-1&limit=1",
        "page=0&limit=0",
        "page=0&limit=1001",
        "page=x&limit=1",
        "page=1.0&limit=1",
        "page=99999999999999999999&limit=1",
        "page=0&page=1&limit=1",
        "page=%FF&limit=1",
    ],
)
def test_bad_pages(ask: Ask, query: str) -> None:
    assert ask("GET", f"/things?{query}").status == 400


def test_a_retry_with_a_key_is_answered_from_store(ask: Ask, desk: Desk) -> None:
    keyed = {"headers": GOOD | {"idempotency-key": "k1"}}
    first = ask("POST", "/things", {"name": "once", "size": 1}, **keyed)
    again = ask("POST", "/things", raw=b'{"size": 1,  "name": "once"}', **keyed)
    assert (again.status, again.raw) == (first.status, first.raw)
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert ask("POST", "/things", {"name": "other"}, **keyed).status == 400
    assert ask("POST", "/clients/mine/things", {"name": "once", "size": 1}, **keyed).status == 200
    with desk.records.read() as tx:
        assert tx.value(COUNT, name="once") == 2
    desk.clock.forward(DAY + 1)  # type: ignore[attr-defined]
    assert ask("POST", "/things", {"name": "other"}, **keyed).status == 200


def test_a_refused_request_may_be_retried_under_its_key(ask: Ask) -> None:
    keyed = {"headers": GOOD | {"idempotency-key": "k2"}}
    assert ask("POST", "/things", {"name": "taken"}, **keyed).status == 400
    assert ask("POST", "/things", {"name": "free now"}, **keyed).status == 200
    long = {"headers": GOOD | {"idempotency-key": "k" * 256}}
    assert ask("POST", "/things", {"name": "a"}, **long).status == 400


def test_head_is_a_get_without_its_body(ask: Ask) -> None:
    reply = ask("HEAD", "/clients/mine/things/all")
    assert (reply.status, reply.raw, reply.headers["content-length"]) == (200, b"", "12")


def test_what_is_large_is_gzipped_for_who_takes_it(ask: Ask) -> None:
    zipped = GOOD | {"accept-encoding": "br, gzip"}
    plain, small, large = (
        ask("GET", "/long"),
        ask("GET", "/clients/mine/named", headers=zipped),
        ask("GET", "/long", headers=zipped),
    )
    assert "content-encoding" not in plain.headers | small.headers
    assert (plain.headers["vary"], large.headers["vary"]) == ("Accept-Encoding",) * 2
    assert large.headers["content-encoding"] == "gzip"
    assert gzip.decompress(large.raw) == plain.raw
    assert len(large.raw) == int(large.headers["content-length"]) < 1_000
    assert large.headers["etag"] == "W/" + plain.headers["etag"], "other bytes of the same thing"
    known = zipped | {"if-none-match": large.headers["etag"]}
    assert ask("GET", "/long", headers=known).status == 304
    assert ask("HEAD", "/long", headers=zipped).headers["content-length"] == "50011"
    document = ask("GET", "/openapi.json", headers={"accept-encoding": "gzip"})
    assert len(gzip.decompress(document.raw)) > 2 * len(document.raw)


def test_a_thing_that_is_known_already_is_not_sent_again(ask: Ask) -> None:
    first = ask("GET", "/clients/mine/things/x")
    known = ask(
        "GET", "/clients/mine/things/x", headers=GOOD | {"if-none-match": first.headers["etag"]}
    )
    assert (known.status, known.raw, known.headers["etag"]) == (304, b"", first.headers["etag"])
    other = ask(
        "GET", "/clients/mine/things/y", headers=GOOD | {"if-none-match": first.headers["etag"]}
    )
    assert other.status == 200


def test_a_change_of_a_stale_thing_is_refused(ask: Ask, desk: Desk) -> None:
    etag = ask("GET", "/clients/mine/named").headers["etag"]
    matched = {"headers": GOOD | {"if-match": etag}}
    assert ask("PUT", "/clients/mine/named", {"name": "a"}, **matched).status == 200
    stale = ask("PUT", "/clients/mine/named", {"name": "b"}, **matched)
    assert stale.status == 400
    assert stale.json["errors"][0]["field"] == "/If-Match"
    assert "412" in stale.json["errors"][0]["message"]
    with desk.records.read() as tx:
        assert (tx.value(COUNT, name="a"), tx.value(COUNT, name="b")) == (1, 0)


def test_public_pages(ask: Ask) -> None:
    for path in ("/livez", "/readyz", "/metrics", "/docs", "/openapi.json", "/docs/scalar.js"):
        reply = ask("GET", path, headers={})
        assert reply.status == 200, path
        assert reply.raw
    assert ask("GET", "/openapi.json", headers={}).json["openapi"] == "3.1.0"


def test_the_bare_address_leads_people_to_the_docs_and_robots_away(ask: Ask) -> None:
    person = ask("GET", "/", headers={"accept": "text/html,application/xhtml+xml;q=0.9"})
    assert (person.status, person.headers["location"], person.raw) == (302, "/app", b"")
    for accept in ({}, {"accept": "*/*"}, {"accept": "application/json"}):
        assert ask("GET", "/", headers=accept).status == 404
    robots = ask("GET", "/robots.txt", headers={})
    assert (robots.status, robots.raw) == (200, b"User-agent: *\nDisallow: /\n")


def test_the_document_describes_the_whole_table() -> None:
    made = document(OPERATIONS, "1")
    described = {(verb.upper(), path) for path, verbs in made["paths"].items() for verb in verbs}
    table = {(row.verb, row.path) for row in OPERATIONS}
    assert described == table
    also = {
        path
        for path, verbs in made["paths"].items()
        for row in verbs.values()
        if row.get("x-also-read-as") == ["PATCH"]
    }
    assert also == {path for verb, path in table if verb == "PUT"}
    page = made["paths"]["/things"]["get"]
    assert [part["name"] for part in page["parameters"]] == ["page", "limit", "If-None-Match"]
