"""Clicks through the real door: what is counted, what is not, and where the seeker is sent."""

from pathlib import Path

import msgspec
import pytest

from door import JOB, KEY, LISTING, NOW, TOKEN, URL, Door, at_the_door
from handbill.core.listing_tokens import (
    SealedClick,
    click_id,
    listing_token,
    open_click,
    token_to_test,
)
from handbill.core.received import ReceivedClick, click_of
from handbill.kit.instants import SECOND
from handbill.kit.jsons import encode

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


def _clicks(door: Door) -> list[ReceivedClick]:
    return [event for event in door.events() if isinstance(event, ReceivedClick)]


def test_a_click_is_durable_and_sent_on(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        said = await door.ask(f"/c/{TOKEN}", headers={"User-Agent": AGENT})
        assert (said.status, said.body) == (302, b"")
        assert said.location == f"{URL.decode()}&jClickId={said.click_id}"
        assert said.headers["cache-control"] == "no-store"
        assert said.headers["referrer-policy"] == "strict-origin-when-cross-origin"
        assert said.headers["date"] == "Mon, 23 Nov 2026 14:00:00 GMT"
        click = open_click(said.click_id, {1: KEY})
        assert (click.at, click.listing) == (NOW, LISTING)
        assert said.headers["x-request-id"] == click.random.hex()
        assert door.events() == [click_of(click.random, NOW, LISTING, "127.0.0.1", AGENT)]
        assert door.edge.counts.clicks == 1

    at_the_door(scenario, tmp_path)


def test_every_click_has_its_own_id(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        ids = set()
        for _ in range(300):
            client.send(f"GET /c/{TOKEN} HTTP/1.1\r\nHost: edge\r\n\r\n".encode())
            ids.add((await client.said()).click_id)
        assert len(ids) == 300
        known = [open_click(one, {1: KEY}).random for one in ids]
        assert {event.random for event in door.events() if isinstance(event, ReceivedClick)} == set(
            known
        )

    at_the_door(scenario, tmp_path)


@pytest.mark.parametrize(
    "headers",
    [
        {"Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Sec-Purpose": "Prefetch;anonymous-client-ip"},
        {"X-Purpose": "preview"},
        {"X-Moz": "prefetch"},
    ],
)
def test_prefetches_are_sent_on_and_are_no_visits(tmp_path: Path, headers: dict[str, str]) -> None:
    async def scenario(door: Door) -> None:
        for _ in range(2):  # the second time the headers are known
            said = await door.ask(f"/c/{TOKEN}", headers=headers)
            assert (said.status, said.location) == (302, URL.decode())
            assert said.headers["cache-control"] == "no-store"
        await door.ask(f"/c/{TOKEN}")  # what came before it is durable, too
        assert [event.ahead for event in _clicks(door)] == ["prefetch", "prefetch", ""]
        assert (door.edge.counts.clicks, door.edge.counts.uncounted) == (1, 2)

    at_the_door(scenario, tmp_path)


def test_a_test_link_is_sent_on_with_a_click_id_and_known_as_a_test(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        tested = token_to_test(LISTING, 1, KEY)
        said = await door.ask(f"/c/{tested}")
        assert (said.status, open_click(said.click_id, {1: KEY}).listing) == (302, LISTING)
        await door.ask(f"/c/{tested}", headers={"Purpose": "prefetch"})
        await door.ask(f"/c/{TOKEN}")
        assert [event.ahead for event in _clicks(door)] == ["test", "prefetch", ""]

    at_the_door(scenario, tmp_path)


def test_another_purpose_is_a_click(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        said = await door.ask(f"/c/{TOKEN}", headers={"Purpose": "apply"})
        assert said.click_id
        assert len(door.events()) == 1

    at_the_door(scenario, tmp_path)


def test_head_is_sent_on_and_is_no_visit(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        said = await door.ask(f"/c/{TOKEN}", "HEAD", headers={"User-Agent": AGENT})
        assert (said.status, said.location) == (302, URL.decode())
        await door.ask(f"/c/{TOKEN}")
        event, _ = _clicks(door)
        assert (event.ahead, event.agent, event.ip) == ("head", AGENT, "127.0.0.1")

    at_the_door(scenario, tmp_path)


def _altered(token: str) -> str:
    middle = len(token) // 2
    return token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "%2e%2e",
        f"={TOKEN}",
        TOKEN[:-1],
        TOKEN[:-1] + "?" + TOKEN[-1:],
        _altered(TOKEN),
        "https://elsewhere.example.test/",
        "A" * 300,
        listing_token(LISTING, 1, b"other" * 6),
        listing_token(LISTING, 9, KEY),
        listing_token(
            msgspec.structs.replace(LISTING, job_id=b"u" * 16), 1, KEY
        ),  # ours, but not in the index
        click_id(SealedClick(b"r" * 16, NOW, LISTING), 1, KEY),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_bad_token_is_404_and_leads_nowhere(tmp_path: Path, token: str, method: str) -> None:
    async def scenario(door: Door) -> None:
        said = await door.ask(f"/c/{token}", method)
        assert said.status == 404
        assert "location" not in said.headers
        body = {"message": "Not found", "requestId": said.headers["x-request-id"]}
        assert said.body == (encode(body) if method == "GET" else b"")
        assert int(said.headers["content-length"]) == len(encode(body))
        assert door.events() == []

    at_the_door(scenario, tmp_path)


@pytest.mark.parametrize(
    "behind",
    [
        "&utm_source=b",
        "&amp;utm_source=b",
        "/",
        "/?a=b",
        ".",
        ")",
        "%20",
        "=",
        ",",
        "%E2%80%9D",
        "'",
        "_",
    ],
)
def test_what_others_put_behind_a_link_loses_nobody(tmp_path: Path, behind: str) -> None:
    async def scenario(door: Door) -> None:
        said = await door.ask(f"/c/{TOKEN}{behind}")
        assert said.status == 302
        assert len(door.events()) == 1

    at_the_door(scenario, tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        f"//c/{TOKEN}",
        f"/c//{TOKEN}",
        f"/c/{TOKEN[:40]}%0A{TOKEN[40:]}",
        f"/c/{TOKEN[:40]}%0D%0A%20{TOKEN[40:]}",
        f"/c/{TOKEN[:40]}%20{TOKEN[40:]}",
        f"/c/{TOKEN[:40]}=%0D%0A{TOKEN[40:]}",
        f"/c/{TOKEN[:40]}%E2%80%8B{TOKEN[40:]}",
        f"/c/{TOKEN[:40]}%C2%AD{TOKEN[40:]}",
        "/c/" + TOKEN.replace("_", "%5C_").replace("-", "%5C-"),
    ],
)
def test_a_link_with_slashes_doubled_or_its_line_broken_loses_nobody(
    tmp_path: Path, path: str
) -> None:
    async def scenario(door: Door) -> None:
        assert (await door.ask(path)).status == 302
        assert len(door.events()) == 1

    at_the_door(scenario, tmp_path)


def test_the_query_never_becomes_the_destination(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        query = "utm_source=x&url=https://elsewhere.example.test/&jClickId=forged&x=%0d%0aX:1"
        said = await door.ask(f"/c/{TOKEN}?{query}")
        assert said.location == f"{URL.decode()}&jClickId={said.click_id}"
        assert open_click(said.click_id, {1: KEY}).listing == LISTING

    at_the_door(scenario, tmp_path)


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        ("https://a.test", "https://a.test?jClickId={}"),
        ("https://a.test/x", "https://a.test/x?jClickId={}"),
        ("https://a.test/x?", "https://a.test/x?jClickId={}"),
        ("https://a.test/x?a=1&", "https://a.test/x?a=1&jClickId={}"),
        ("https://a.test/x?a=%20b&a=2;c", "https://a.test/x?a=%20b&a=2;c&jClickId={}"),
        ("https://a.test/x#top", "https://a.test/x?jClickId={}#top"),
        ("https://a.test/x?a=1#/jobs?b=2", "https://a.test/x?a=1&jClickId={}#/jobs?b=2"),
        ("https://a.test/a b?c=d e", "https://a.test/a%20b?c=d%20e&jClickId={}"),
        ("https://a.test/ü?q=\r\nX: 1", "https://a.test/%C3%BC?q=%0D%0AX:%201&jClickId={}"),
        ('https://a.test/"<{x}>', "https://a.test/%22%3C%7Bx%7D%3E?jClickId={}"),
        ("https://a.test/?jClickId=old&b=1", "https://a.test/?b=1&jClickId={}"),
        ("https://a.test/?b=1&jClickId=old#f", "https://a.test/?b=1&jClickId={}#f"),
        ("HTTP://A.test/x", "HTTP://A.test/x?jClickId={}"),
    ],
)
def test_the_click_id_is_added_and_nothing_else_changes(
    tmp_path: Path, stored: str, sent: str
) -> None:
    async def scenario(door: Door) -> None:
        door.index.put_urls([(JOB, stored.encode())])
        said = await door.ask(f"/c/{TOKEN}")
        found = said.location.partition("jClickId=")[2].partition("#")[0]
        assert said.location.replace(found, "{}") == sent
        assert open_click(found, {1: KEY}).listing == LISTING

    at_the_door(scenario, tmp_path)


@pytest.mark.parametrize("stored", ["javascript:alert(1)", "ftp://a.test/", "//a.test/", ""])
def test_only_the_web_is_a_destination(tmp_path: Path, stored: str) -> None:
    async def scenario(door: Door) -> None:
        door.index.put_urls([(JOB, stored.encode())])
        assert (await door.ask(f"/c/{TOKEN}")).status == 404
        assert door.events() == []

    at_the_door(scenario, tmp_path)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_other_verbs_are_refused(tmp_path: Path, method: str) -> None:
    async def scenario(door: Door) -> None:
        for target in (f"/c/{TOKEN}", "/px.gif", "/px.js", "/f/x.xml", "/livez", "/robots.txt"):
            said = await door.ask(target, method)
            assert (said.status, said.headers["allow"]) == (405, "GET, HEAD")
        assert (await door.ask("/nowhere", method)).status == 404
        assert door.events() == []

    at_the_door(scenario, tmp_path)


def test_an_absolute_target_is_the_same_request(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        said = await door.ask(f"http://edge.example.test/c/{TOKEN}?a=1")
        assert said.status == 302
        assert (await door.ask("http://edge.example.test")).status == 404
        assert len(door.events()) == 1

    at_the_door(scenario, tmp_path)


@pytest.mark.parametrize(
    ("trusted", "forwarded", "ip"),
    [
        ((), "203.0.113.9", "127.0.0.1"),
        (("127.0.0.1",), "203.0.113.9", "203.0.113.9"),
        (("127.0.0.0/8",), "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (("127.0.0.1", "10.0.0.0/8"), "6.6.6.6, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        (("127.0.0.1",), "[2001:db8::1]:4711", "2001:db8::1"),
        (("127.0.0.1",), "203.0.113.9:4711", "203.0.113.9"),
        (("127.0.0.1",), "::ffff:203.0.113.9", "203.0.113.9"),
        (("127.0.0.1",), "rubbish", "127.0.0.1"),
        (("127.0.0.1",), "203.0.113.9, rubbish", "127.0.0.1"),
        (("127.0.0.1",), "", "127.0.0.1"),
    ],
)
def test_only_our_proxies_say_whose_click_it_is(
    tmp_path: Path, trusted: tuple[str, ...], forwarded: str, ip: str
) -> None:
    async def scenario(door: Door) -> None:
        await door.ask(f"/c/{TOKEN}", headers={"X-Forwarded-For": forwarded})
        (event,) = door.events()
        assert isinstance(event, ReceivedClick)
        assert event.ip == ip

    at_the_door(scenario, tmp_path, trusted=trusted)


def test_an_agent_is_kept_readable_and_short(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        await door.ask(f"/c/{TOKEN}", headers={"User-Agent": "\xff" + "a" * 2000})
        (event,) = door.events()
        assert isinstance(event, ReceivedClick)
        assert event.agent == "\ufffd" + "a" * 511

    at_the_door(scenario, tmp_path)


def test_a_new_key_is_found_within_a_second(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        new = b"n" * 32
        token = listing_token(LISTING, 2, new)
        assert (await door.ask(f"/c/{token}")).status == 404
        door.index.put_keys({1: KEY, 2: new})
        assert (await door.ask(f"/c/{token}")).status == 404, "the keys were read a moment ago"
        door.clock.forward(SECOND)
        said = await door.ask(f"/c/{token}")
        assert open_click(said.click_id, {2: new}).listing == LISTING, "signed with the newest key"
        assert (await door.ask(f"/c/{TOKEN}")).status == 302, "the old key still opens"

    at_the_door(scenario, tmp_path)


def test_the_first_keys_of_a_filled_index_are_found_at_once(tmp_path: Path) -> None:
    """An edge that starts before its index is filled has read no keys yet."""

    async def scenario(door: Door) -> None:
        door.index.put_keys({})
        door.edge.refresh_keys()
        assert (await door.ask(f"/c/{TOKEN}")).status == 404
        door.index.put_keys({1: KEY})
        assert (await door.ask(f"/c/{TOKEN}")).status == 302

    at_the_door(scenario, tmp_path)


def test_a_changed_url_is_found_at_once(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        assert (await door.ask(f"/c/{TOKEN}")).location.startswith(URL.decode())
        door.index.put_urls([(JOB, b"https://moved.example.test/")])
        said = await door.ask(f"/c/{TOKEN}")
        assert said.location.startswith("https://moved.example.test/?jClickId=")

    at_the_door(scenario, tmp_path)


class _Noting:
    """The index, noting what is asked of it."""

    def __init__(self, index: object, looks: list[str]) -> None:
        self._index = index
        self._looks = looks

    def __getattr__(self, name: str) -> object:
        self._looks.append(name)
        return getattr(self._index, name)


def test_unknown_keys_cost_one_look_a_second(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        looks: list[str] = []
        door.edge._index = _Noting(door.index, looks)  # type: ignore[assignment]
        for _ in range(3):
            door.clock.forward(SECOND)
            for _ in range(5):
                assert (await door.ask(f"/c/{listing_token(LISTING, 9, KEY)}")).status == 404
                assert (await door.ask("/c/rubbish")).status == 404
        assert looks.count("keys") == 3

    at_the_door(scenario, tmp_path)
