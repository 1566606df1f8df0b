"""What SECURITY.md promises, seen at a whole tree: in each of its processes, and from outside."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from serving import Office, Server, asked, handbill, serving, until
from sites import MAPPINGS, Site
from sites import serving as site_serving

CLIENT = {"companyName": "Mills", "caps": {"budget": {"cap": "Monthly", "value": 1000}}}
FILTERS = {"operator": "AND", "rules": [{"field": "title", "operator": "CONTAINS", "data": "e"}]}
DAYS = {"startDate": "2026-02-01", "endDate": "2026-02-02"}
NOBODY = "00000000-0000-4000-8000-000000000000"
_Tree = tuple[Server, Site]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Tree]:
    with site_serving() as site:
        allow = f"127.0.0.1:{site.port}"
        with serving(tmp_path_factory.mktemp("promises") / "data", egress_allow=allow) as server:
            yield server, site


def _asks(client: str) -> dict[str, tuple[str, str, object]]:
    """One of each kind of work, which other processes do: quick, bulk, looked up, streamed, new."""
    return {
        "quick": ("GET", f"/clients/{client}", None),
        "bulk": ("GET", f"/clients/{client}/jobs?page=1&limit=1000", None),
        "looked up": ("POST", f"/clients/{client}/jobgroups/preview", {"filters": FILTERS}),
        "streamed": ("POST", "/stats/stream", {"groupBy": "CLIENT", "filterBy": DAYS}),
        "new": ("POST", "/clients", CLIENT),
    }


def _said(server: Server, headers: dict[str, str], client: str) -> dict[str, int]:
    sent = headers | {"x-client-id": client}
    return {
        kind: asked(server.api + path, verb, body, sent)[0]
        for kind, (verb, path, body) in _asks(client).items()
    }


def _told(server: Server, event: str) -> bool | None:
    return bool(server.told(event)) or None


def _without_request(raw: bytes) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(raw)
    return {name: value for name, value in said.items() if name != "requestId"}


def _cli(server: Server, *words: str) -> None:
    done = handbill(*words, "--agency", "revoking", data=server.data, **server.settings)
    assert done.returncode == 0, done.stderr


def test_what_is_revoked_is_refused_at_once_whoever_does_the_work(tree: _Tree) -> None:
    server, _ = tree
    office, other = Office(server, "revoking"), Office(server, "staying")
    client, others = (one.ask("POST", "/clients", CLIENT)["result"] for one in (office, other))
    assert set(_said(server, office.headers, client).values()) == {200}
    # What is another's, and what was never there, are one and the same.
    foreign, none = (
        asked(f"{server.api}/clients/{one}", headers=office.headers) for one in (others, NOBODY)
    )
    assert (foreign[0], _without_request(foreign[2])) == (404, _without_request(none[2]))

    _cli(server, "api-client", "revoke", office.credentials["apiClientId"])
    by_token = _said(server, office.headers, client)
    assert set(by_token.values()) <= {401, 403}, by_token
    _cli(server, "api-key", "revoke", office.headers["x-api-key"].split("_")[1].partition(".")[0])
    by_key = _said(server, {"x-api-key": office.headers["x-api-key"]}, client)
    assert set(by_key.values()) <= {401, 403}, by_key
    assert set(_said(server, other.headers, others).values()) == {200}
    for event in ("api_client_revoked", "key_revoked", "key_refused"):
        until(event, partial(_told, server, event))


def test_a_redirect_goes_nowhere_that_its_feed_may_not_go(tree: _Tree) -> None:
    server, site = tree
    office = Office(server, "redirected")
    client = office.ask("POST", "/clients", CLIENT)["result"]
    site.redirects |= {
        "/port": "http://127.0.0.1:1/feed.xml",
        "/scheme": "file:///etc/passwd",
        "/metadata": "http://169.254.169.254/latest/meta-data/",
    }

    def ended(feed: str) -> dict[str, Any] | None:
        runs = f"/clients/{client}/feeds/{feed}/runs?page=0&limit=10"
        found: list[dict[str, Any]] = office.ask("GET", runs)["data"]
        return found[0] if found and found[0]["status"] in {"SUCCESS", "FAILED"} else None

    refused = len(server.told("egress_refused"))
    for path in site.redirects:
        body = {"xmlFeedUrl": site.url(path), "schemaMappings": MAPPINGS}
        feed = office.ask("POST", f"/clients/{client}/feeds", body)["result"]
        assert until("the run", partial(ended, feed))["status"] == "FAILED", path
    assert until("refusals", lambda: server.told("egress_refused")[refused:] or None)


def test_nobody_else_reads_what_a_running_tree_writes(tree: _Tree) -> None:
    server, _ = tree
    assert server.data.stat().st_mode & 0o077 == 0
    assert (server.data / "secrets.key").stat().st_mode & 0o777 == 0o600
