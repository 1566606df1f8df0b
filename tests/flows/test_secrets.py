"""Secrets at rest: nothing that opens a door stands readable in what an installation keeps."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handbill.access import keys
from handbill.demo.feeds import feed
from handbill.host.ids import SystemIds
from handbill.host.masters import Masters, drawn
from handbill.host.settings import Settings
from handbill.store.records import open_records
from served_market import BROWSER, JOBS, click, open_market
from serving import Office, handbill, hosted, serving, until

FEED, FTP, PORTAL = "feed-pass-7Jq2", "ftp-pass-9Kx4", "portal-pass-3Vw8"
NAMES = ("jwt", "listing", "apikey", "link", "visitor")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> dict[str, str]:
    """Where the records are."""
    if request.param == "sqlite":
        return {}
    return {"records_url": request.getfixturevalue("postgres_url")}


def told(words: str, data: Path, **settings: str) -> Any:
    """What a command that must succeed answers as JSON."""
    done = handbill(*words.split(), "--json", data=data, **settings)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return json.loads(done.stdout)


def spelled(secret: bytes) -> Iterator[bytes]:
    """A secret in the ways that it might stand somewhere."""
    yield secret
    yield secret.hex().encode()
    yield base64.b64encode(secret)
    yield base64.urlsafe_b64encode(secret).rstrip(b"=")


def own_keys(data: Path, **place: Any) -> list[bytes]:
    settings = Settings(data=str(data), **place)
    records = open_records(settings.records_address, Masters(settings))
    try:
        with records.read() as tx:
            return [key for name in NAMES for key in keys.secret(tx, name).values()]
    finally:
        records.close()


def holding(folder: Path, secrets: list[bytes]) -> list[str]:
    """The files that hold one of these."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "secrets.key":
            raw = path.read_bytes()
            found += [str(path) for secret in secrets for one in spelled(secret) if one in raw]
    return found


def test_what_is_planted_is_nowhere_to_be_read(tmp_path: Path, place: dict[str, str]) -> None:
    data, backup = tmp_path / "data", tmp_path / "kept"
    with hosted({"/jobs.xml": b"".join(feed("indeed", JOBS))}) as site:
        allowed = {"egress_allow": site.removeprefix("http://"), "log_level": "debug"}
        with serving(data, **allowed, **place) as server:
            office = Office(server)
            client, links = open_market(office, site)
            auth = {"username": "u", "password": FEED}
            fed = office.ask(
                "POST",
                f"/clients/{client}/feeds",
                {"xmlFeedUrl": f"{site}/jobs.xml?2", "config": {"auth": auth}},
            )["result"]
            login = {"host": "127.0.0.1", "username": "v", "password": FTP}
            office.ask(
                "POST",
                "/publishers",
                {
                    "name": "Vendor",
                    "bidType": "CPC",
                    "currency": "USD",
                    "deliverFeedByFTP": True,
                    "ftpConfig": {"credentials": login},
                    "publisherPortalDetails": {
                        "url": "https://p.example",
                        "username": "w",
                        "password": PORTAL,
                    },
                },
            )
            callback = office.ask("GET", "/callbacks/secret")["secret"].removeprefix("whsec_")
            runs = f"/clients/{client}/feeds/{fed}/runs?page=0&limit=1"
            until(
                "a run",
                lambda: (
                    [1 for run in office.ask("GET", runs)["data"] if run["endedOn"] is not None]
                    or None
                ),
            )
            assert click(links[0], BROWSER, "198.18.9.9")[0] == 302
            told(f"backup {backup}", data, **place)
            assert server.stop() == 0
    secrets = [FEED.encode(), FTP.encode(), PORTAL.encode(), base64.b64decode(callback)]
    secrets += [base64.b64encode(f"u:{FEED}".encode()), *own_keys(data, **place)]
    assert len(secrets) == 5 + len(NAMES)
    assert holding(data, secrets) == []
    assert holding(backup, secrets) == [], "the backup is a dump of every table"
    log = str(server.log).encode()
    assert [one for secret in secrets for one in spelled(secret) if one in log] == []
    assert (data / "secrets.key").stat().st_mode & 0o777 == 0o600
    told("doctor", data, **place)
    # Without its key nothing starts, and nothing is made in its place; with it all is there.
    kept = tmp_path / "apart.key"
    (data / "secrets.key").rename(kept)
    for wrong in ({}, {"secrets_key": drawn(SystemIds())}):
        refused = handbill("serve", data=data, **place, **wrong)
        assert refused.returncode == 2
        assert "encrypted with the master key" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert not (data / "secrets.key").exists()
    named = {"secrets_key_file": str(kept), **place}
    assert told("keys list", data, **named)["data"]
