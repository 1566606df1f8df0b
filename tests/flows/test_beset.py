"""A whole tree among hostile neighbours: what they do stops nobody else, and breaks nothing."""

import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from bench.hostile import Mischief

from handbill.api import operations
from serving import Office, Server, asked, serving, until
from sites import MAPPINGS, HoldingOn, Receiver, Site, document, holding_on, item
from sites import serving as site_serving

FEEDS, CALLBACKS, HANGING = 3, 2, 3
LONG = 60.0
REQUESTS, SEED = 300, 20261127
ASKED = {"groupBy": "CLIENT", "filterBy": {"startDate": "2026-02-01", "endDate": "2026-02-02"}}
CLIENT = {"companyName": "Mills", "caps": {"budget": {"cap": "Monthly", "value": 1000}}}


class Tree(NamedTuple):
    server: Server
    slow: HoldingOn
    silent: HoldingOn
    site: Site
    receiver: Receiver


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    receiver = Receiver()
    with (
        holding_on(drips=True) as slow,
        holding_on(drips=False) as silent,
        site_serving() as site,
    ):
        feeds = [f"{name}:{slow.port}" for name in ("127.0.0.1", "localhost")]
        feeds.append(f"127.0.0.1:{site.port}")
        callbacks = [f"127.0.0.1:{port}" for port in (silent.port, receiver.port)]
        with serving(
            tmp_path_factory.mktemp("data"),
            egress_allow=",".join(feeds),
            egress_allow_callbacks=",".join(callbacks),
        ) as server:
            yield Tree(server, slow, silent, site, receiver)
            slow.ended.set()
            silent.ended.set()
    receiver.close()


def _client(office: Office) -> str:
    made: str = office.ask("POST", "/clients", CLIENT)["result"]
    return made


def _feed(office: Office, client: str, url: str) -> str:
    body = {"xmlFeedUrl": url, "schemaMappings": MAPPINGS}
    made: str = office.ask("POST", f"/clients/{client}/feeds", body)["result"]
    return made


def _report(office: Office, client: str, to: str, day: int = 3) -> None:
    """A report that is to be told to an address; each day is another question."""
    asks = {"startDate": "2026-02-01", "endDate": f"2026-02-{day:02}"}
    body = ASKED | {"filterBy": asks, "callBackUrl": to}
    office.ask("POST", "/reports/stats", body, x_client_id=client)


def _states(office: Office, client: str, feed: str) -> list[str]:
    runs: list[dict[str, Any]] = office.ask(
        "GET", f"/clients/{client}/feeds/{feed}/runs?page=0&limit=10"
    )["data"]
    return [run["status"] for run in runs]


def test_slow_feeds_and_callbacks_that_hang_stop_nobody_else(tree: Tree) -> None:
    slow, silent = tree.slow, tree.silent
    calm = Office(tree.server, "calm")
    busy = [Office(tree.server, f"busy{n}") for n in range(2)]
    hosts = [f"http://{name}:{slow.port}" for name in ("127.0.0.1", "localhost")]
    made = []
    for office, host in zip(busy, hosts, strict=True):
        client = _client(office)
        made += [(office, client, _feed(office, client, f"{host}/{n}.xml")) for n in range(FEEDS)]
        for day in range(CALLBACKS):
            _report(office, client, f"http://127.0.0.1:{silent.port}/", day + 1)
    for _ in range(2 * len(busy)):
        assert slow.there.acquire(timeout=LONG)
    for _ in range(HANGING):
        assert silent.there.acquire(timeout=LONG)

    client = _client(calm)
    tree.site.pages["/feed.xml"] = document(item("1"), item("2"))
    _feed(calm, client, tree.site.url())
    _report(calm, client, f"http://127.0.0.1:{tree.receiver.port}/done")
    page = f"/clients/{client}/jobs?page=1&limit=10"
    until("the jobs", lambda: len(calm.ask("GET", page)["data"]) == 2 or None)
    until("the callback", lambda: len(tree.receiver.said) == 1 or None)
    # Where feeds may be fetched from, callbacks may not be sent to.
    _report(calm, client, tree.site.url("/told"), 4)
    until("a refusal", lambda: tree.server.told("egress_refused") or None)

    running = [one for one in made if _states(*one) == ["RUNNING"]]
    assert len(running) >= len(busy), "the others are at it still"
    office, client, feed = running[0]
    office.ask("DELETE", f"/clients/{client}/feeds/{feed}")
    assert slow.gone.acquire(timeout=LONG), "we hang up"


def test_hostile_requests_are_refused_and_break_nothing(tree: Tree) -> None:
    """The same each time, by their seed; with credentials of an agency, and without."""
    office = Office(tree.server, "attacked")
    headers = office.headers | {"x-client-id": _client(office)}
    ids = [headers["x-client-id"], "Board", "1"]
    mischief = Mischief(operations(), SEED, headers, ids)
    said = Counter[int]()
    for n in range(REQUESTS):
        api = n % 2 == 0
        raw = mischief.of_api() if api else mischief.of_edge()
        status = _status(tree.server.api if api else tree.server.edge, raw)
        assert status < 500, raw
        said[status] += 1
    assert {200, 400, 404} <= said.keys(), said
    for door in (tree.server.api, tree.server.edge):
        assert asked(f"{door}/livez")[0] == 200
    told = [line for line in tree.server.log if line.get("level") == "ERROR"]
    assert told == []


def _status(url: str, raw: bytes) -> int:
    """What is answered; 0: the connection is closed."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=LONG) as connection:
        try:
            connection.sendall(raw)
            line = connection.makefile("rb").readline()
        except ConnectionError:
            return 0
    return int(line.split()[1]) if line else 0
