"""A backup made beside a server under load, brought back into another folder, and served."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from handbill.demo.feeds import feed
from handbill.store.records import open_records
from handbill.store.records.tables import clients
from served_market import BROWSER, JOBS, Clickers, click, open_market
from serving import Office, asked, handbill, hosted, serving, until

Place = dict[str, str]


def told(words: str, data: Path, **settings: str) -> Any:
    """What a command that must succeed answers as JSON."""
    done = handbill(*words.split(), "--json", data=data, **settings)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return json.loads(done.stdout)


def booked(data: Path, **settings: str) -> list[str]:
    done = handbill("ledger", "export", data=data, **settings)
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["id"] for line in done.stdout.splitlines()]


@pytest.fixture(params=["sqlite", "postgresql"])
def places(request: pytest.FixtureRequest) -> tuple[Place, Place]:
    """Where the records of an installation and of its copy are: both on one engine."""
    if request.param == "sqlite":
        return {}, {}
    names = ("postgres_url", "another_postgres_url")
    first, second = ({"records_url": request.getfixturevalue(name)} for name in names)
    return first, second


def another_client(office: Office) -> str:
    body = {
        "companyName": "Another",
        "exportedName": "another",
        "timeZone": "UTC+0:00",
        "startDate": "01/01/2024",
        "endDate": "01/01/2044",
        "applyConvWindow": 30,
        "advertiserName": "Another",
        "clientType": "DirectEmployer",
        "caps": {"budget": {"cap": "Monthly", "value": 10}},
    }
    return str(office.ask("POST", "/clients", body)["result"])


def numbers(data: Path, settings: Place) -> dict[str, int]:
    """The numbers that links carry, by client id."""
    records = open_records(settings.get("records_url", f"sqlite:///{data}/records.db"))
    try:
        with records.read() as tx:
            return {str(id_): int(no) for id_, no in tx.all(sa.select(clients.c.id, clients.c.no))}
    finally:
        records.close()


def is_ready(door: str) -> bool | None:
    try:
        return asked(f"{door}/readyz")[0] == 200 or None
    except OSError:
        return None


def test_a_backup_under_load_is_served_from_another_folder(
    tmp_path: Path, places: tuple[Place, Place]
) -> None:
    here, there = places
    data, copy, backup = tmp_path / "original", tmp_path / "elsewhere" / "copy", tmp_path / "kept"
    with hosted({"/jobs.xml": b"".join(feed("indeed", JOBS))}) as site:
        common = {"egress_allow": site.removeprefix("http://"), "trusted_proxies": "127.0.0.1"}
        with serving(data, **common, **here) as server:
            office = Office(server)
            _, links = open_market(office, site)
            before = [click(link, BROWSER, "198.18.9.9") for link in links]
            clickers = Clickers(links)
            for _ in range(2):  # so that judged segments of the journal are deleted
                server.kill("edge-0")
                until("the edge", lambda: is_ready(server.edge))
            made = told(f"backup {backup}", data, **here)
            assert len(clickers.finish()) > 10
            lost = another_client(office)
            ports = {"edge_port": server.edge.rpartition(":")[2]}
            assert server.stop() == 0
        lost_no = numbers(data, here)[lost]
        apart = (data / "secrets.key").rename(tmp_path / "apart.key")
        refused = handbill("restore", str(backup), data=copy, **there)
        assert (refused.returncode, "master key" in refused.stderr) == (1, True), refused.stderr
        assert not copy.exists()
        apart.rename(data / "secrets.key")
        brought = told(f"restore {backup}", copy, **there)
        assert brought["installation"] == made["installation"]
        assert lost not in numbers(copy, there)
        with serving(copy, **common, **there, **ports) as server:
            after = [click(link, BROWSER, "198.18.8.8") for link in links]
            assert [status for status, _ in after] == [302] * JOBS
            office = Office(server, "successor")
            new = another_client(office)
            assert server.stop() == 0
    assert numbers(copy, there)[new] > lost_no + 100_000, "the number of a lost client"
    entries = booked(copy, **there)
    assert len(entries) == len(set(entries))
    assert {id_ for _, id_ in before} <= set(entries), "acknowledged before the backup, and lost"
    assert {id_ for _, id_ in after} <= set(entries)
    assert told("ledger check", copy, **there)["balanced"] is True
    explained = told(f"explain click {before[0][1]}", copy, **there)
    assert (explained["state"], explained["disposition"]) == ("JUDGED", "valid")
    told_of = [path for path in copy.rglob("*") if path.is_file() and holds(path, str(data))]
    assert told_of == [], "the former folder's name"


def holds(path: Path, text: str) -> bool:
    return text.encode() in path.read_bytes()
