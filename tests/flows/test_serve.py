"""``handbill serve`` as an operator sees it: used, killed, ended in order."""

import base64
import json
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lxml import etree

from handbill.demo.feeds import feed
from serving import Office, Server, asked, handbill, hosted, serving, until

JOBS = 30
CLICKERS = 4
MAPPINGS = {
    "schemaMappingsJobCollection": "source",
    "schemaMappingsJob": "job",
    "schemaMappingsTitle": "title",
    "schemaMappingsDescription": "description",
    "schemaMappingsURL": "url",
    "schemaMappingsRefNumber": "referencenumber",
    "schemaMappingsCategory": "category",
    "schemaMappingsCity": "city",
    "schemaMappingsState": "state",
    "schemaMappingsCountry": "country",
    "schemaMappingsCompany": "company",
}


def open_market(office: Office, feeds_at: str) -> tuple[str, list[str]]:
    """A client whose feed is advertised: its id, and the tracked links in its publisher's feed."""
    office.ask("POST", "/publishers", {"id": "TestExp1", "name": "TestExp1", "bidType": "CPC"})
    budget = {"caps": {"budget": {"cap": "Monthly", "value": 10_000}}}
    client = office.ask(
        "POST",
        "/clients",
        {"companyName": "Employer", "exportedName": "employer", "timeZone": "UTC+0:00"}
        | {"startDate": "01/01/2024", "endDate": "01/01/2044", "applyConvWindow": 30}
        | {"advertiserName": "Employer", "clientType": "DirectEmployer"}
        | budget,
    )["result"]
    at = f"/clients/{client}"
    dates = {"startDate": "01/01/2024", "endDate": "01/01/2044"}
    campaign = office.ask("POST", f"{at}/campaigns", {"name": "All year"} | dates)["result"]
    office.ask(
        "POST",
        f"{at}/campaigns/{campaign}/jobgroups",
        {
            "name": "Everything", "cpcBid": 0.5, "priority": 1,
            "placements": [{"value": "TestExp1"}],
            "filters": {
                "operator": "AND",
                "rules": [{"field": "title", "operator": "NOT_EQUAL", "data": "no such title"}],
            },
        }
        | dates
        | budget,
    )  # fmt: skip
    body = {"xmlFeedUrl": f"{feeds_at}/jobs.xml", "schemaMappings": MAPPINGS}
    source = office.ask("POST", f"{at}/feeds", body)["result"]
    office.ask("POST", f"{at}/feeds/{source}/run")
    url = office.ask("GET", "/publishers/TestExp1")["feedUrl"]

    def links() -> list[str] | None:
        status, _, raw = asked(url)
        if status != 200:
            return None
        found = [job.findtext("url", "") for job in etree.fromstring(raw).iterfind("job")]
        return found if len(found) == JOBS else None

    return client, until("the outbound feed", links)


def click(link: str, agent: str, ip: str) -> tuple[int, str]:
    """Follow a link as a visitor; the status and the click's id in the ledger."""
    status, headers, _ = asked(link, headers={"user-agent": agent, "x-forwarded-for": ip})
    if status != 302:
        return status, ""
    text = parse_qs(urlsplit(headers["location"]).query)["jClickId"][0]
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return status, raw[2:18].hex()


def exported(data: Path) -> list[dict[str, Any]]:
    told = handbill("ledger", "export", data=data)
    assert told.returncode == 0, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines()]


def check_books(data: Path) -> dict[str, Any]:
    told = handbill("ledger", "check", "--json", data=data)
    assert told.returncode == 0, told.stdout + told.stderr
    books: dict[str, Any] = json.loads(told.stdout)
    return books


BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"


def test_a_job_travels_the_whole_way_and_sigterm_ends_in_order(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with hosted({"/jobs.xml": b"".join(feed("indeed", JOBS))}) as site:
        allow = site.removeprefix("http://")
        with serving(data, egress_allow=allow, trusted_proxies="127.0.0.1") as server:
            office = Office(server)
            client, links = open_market(office, site)
            clicks = [click(link, BROWSER, "198.18.0.7") for link in links[:3]]
            assert [status for status, _ in clicks] == [302] * 3
            # The last click is acknowledged when the end is asked for: it must still be judged.
            assert server.stop() == 0
            ended = [line["child"] for line in server.log if line["message"] == "ended"]
            kinds = [child.partition("-")[0] for child in ended]
            assert kinds == ["edge", "api", "judge", "fetcher", "fetcher", "worker"]
            assert {line["status"] for line in server.log if line["message"] == "ended"} == {0}
    entries = exported(data)
    assert {entry["id"] for entry in entries} == {id_ for _, id_ in clicks}
    for entry in entries:
        assert entry["kind"] == "CLICK"
        assert entry["disposition"] == "valid"
        assert entry["clientId"] == client
        assert entry["publisherId"] == "TestExp1"
        assert (entry["chargeMicros"], entry["currency"]) == (500_000, "USD")
    assert check_books(data)["balanced"] is True


class Clickers:
    """Visitors that keep clicking until told to stop, and note what was acknowledged."""

    def __init__(self, links: list[str]) -> None:
        self._links = links
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(CLICKERS)
        self._noted = [self._pool.submit(self._click_on, number) for number in range(CLICKERS)]
        self.acknowledged: list[str] = []

    def _click_on(self, number: int) -> list[str]:
        noted = []
        for turn in range(100_000):
            if self._stop.is_set():
                break
            link = self._links[(turn + number) % len(self._links)]
            try:
                status, id_ = click(link, BROWSER, f"198.18.{number}.{turn % 250 + 1}")
            except (OSError, KeyError, IndexError):  # the edge was killed: nothing was promised
                self._stop.wait(0.02)
                continue
            if status == 302:
                noted.append(id_)
        return noted

    def finish(self) -> list[str]:
        self._stop.set()
        found = [id_ for clicker in self._noted for id_ in clicker.result(60)]
        self._pool.shutdown()
        return found


def test_whatever_is_killed_comes_back_and_no_acknowledged_click_is_lost(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with hosted({"/jobs.xml": b"".join(feed("indeed", JOBS))}) as site:
        allow = site.removeprefix("http://")
        with serving(data, egress_allow=allow, trusted_proxies="127.0.0.1", edges="2") as server:
            office = Office(server)
            _, links = open_market(office, site)
            clickers = Clickers(links)
            doomed = ("judge-0", "edge-0", "worker-0", "edge-1", "api-0", "fetcher-0", "judge-0")
            for child in doomed:
                server.kill(child)
                until(f"both doors after {child}", lambda: _both_ready(server))
            acknowledged = clickers.finish()
            assert server.stop() == 0
    assert len(acknowledged) > 50
    booked = [entry["id"] for entry in exported(data) if entry["kind"] == "CLICK"]
    assert len(booked) == len(set(booked)), "a click is booked twice"
    assert set(acknowledged) <= set(booked), "an acknowledged click is lost"
    assert check_books(data)["balanced"] is True


def _both_ready(server: Server) -> bool | None:
    try:
        states = [asked(f"{door}/readyz")[0] for door in (server.api, server.edge)]
    except OSError:
        return None
    return True if states == [200, 200] else None


def test_children_end_with_a_killed_supervisor_and_a_new_one_takes_over(tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = Server(data)
    api, edge = server.api, server.edge
    os.kill(server.process.pid, signal.SIGKILL)
    assert server.wait() == -signal.SIGKILL  # the log ends when the last child has ended
    ports = {"api_port": api.rpartition(":")[2], "edge_port": edge.rpartition(":")[2]}
    with serving(data, **ports) as successor:
        assert (successor.api, successor.edge) == (api, edge)
        assert successor.stop() == 0


def test_a_taken_folder_and_a_taken_port_are_said_plainly(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as server:
        second = handbill("serve", "--api-port", "0", "--edge-port", "0", data=data)
        assert second.returncode == 2
        assert "another handbill serves" in second.stderr
        port = server.api.rpartition(":")[2]
        third = handbill("serve", "--api-port", port, "--edge-port", "0", data=tmp_path / "other")
        assert third.returncode == 2
        assert f"port {port} cannot be listened on" in third.stderr
        assert "Traceback" not in second.stderr + third.stderr
