"""Whether a tree tells the truth about itself, and what hangs is replaced."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import psycopg

from handbill.demo.feeds import feed
from served_market import BROWSER, JOBS, click, open_market
from serving import Office, Server, asked, hosted, serving, until


def status_of(url: str) -> int | None:
    """The status, None while nobody listens."""
    try:
        return asked(url)[0]
    except OSError:
        return None


def test_what_hangs_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path / "data", edges="2", probe_seconds="2") as server:
        hung = ("edge-1", "api-0", "worker-0")
        former = server.children()
        for child in hung:
            os.kill(server.at_work(child), signal.SIGSTOP)
        for child in hung:
            killed = server.wait_for("a process ended and is started again", child)
            assert killed["status"] == -signal.SIGKILL
            server.wait_for("started", child, server.log.index(killed))
        for door in (server.api, server.edge):
            until("it answers", lambda door=door: status_of(f"{door}/livez") == 200 or None)  # type: ignore[misc]
        kept = {name: pid for name, pid in server.children().items() if name not in hung}
        assert kept.items() <= former.items(), "nothing else was killed"
        assert server.stop() == 0


def failed_checks(door: str) -> list[str] | None:
    """The names of the checks of readyz that fail; None while nobody listens."""
    try:
        status, headers, raw = asked(f"{door}/readyz")
    except OSError:
        return None
    failed = [check["name"] for check in json.loads(raw)["checks"] if not check["ok"]]
    assert status == (503 if failed else 200)
    assert ("retry-after" in headers) is bool(failed)
    return failed


def figures(door: str) -> dict[str, float]:
    status, _, raw = asked(f"{door}/metrics")
    assert status == 200
    lines = [line.rpartition(" ") for line in raw.decode().splitlines() if line[:1] != "#"]
    return {name: float(value) for name, _, value in lines if name}


def links_in(server: Server, path: str) -> list[str]:
    raw = asked(server.edge + path)[2].decode()
    return [part.partition("]]>")[0] for part in raw.split("<url><![CDATA[")[1:]]


def test_a_judge_that_stands_still_is_told_and_a_changed_address_is_taken_over(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    with hosted({"/jobs.xml": b"".join(feed("indeed", JOBS))}) as site:
        allow = {"egress_allow": site.removeprefix("http://")}
        with serving(data, edges="2", judge_lag_seconds="2", **allow) as server:
            office = Office(server)
            _, links = open_market(office, site)
            path = office.ask("GET", "/publishers/TestExp1")["feedUrl"].removeprefix(server.edge)
            os.kill(server.children()["judge-0"], signal.SIGSTOP)
            assert [click(link, BROWSER, "")[0] for link in links] == [302] * JOBS
            until("it is told", lambda: failed_checks(server.api) == ["judge"] or None)
            assert failed_checks(server.edge) == [], "clicks are safe without a judge"
            os.kill(server.children()["judge-0"], signal.SIGCONT)
            until("it has caught up", lambda: failed_checks(server.api) == [] or None)
            clicks = "handbill_edge_clicks_total"
            until("both edges are told", lambda: figures(server.edge)[clicks] == JOBS or None)
            for child in ("edge-0", "edge-1"):
                server.kill(child)
                for door in (server.api, server.edge) * 4:
                    assert until("it tells", lambda door=door: told(door)) == JOBS  # type: ignore[misc]
            after = figures(server.api)
            assert after['handbill_feed_runs_total{state="SUCCESS"}'] == 1
            assert after['handbill_restarts_total{child="edge-0",why="ended"}'] == 1
            assert after["handbill_judge_lag_seconds"] >= 0
            assert server.stop() == 0
        former = server.edge
        with serving(data, edge_url="https://jobs.example.test/x", **allow) as server:
            new = "https://jobs.example.test/x/c/"
            until(
                "all is written again",
                lambda: (
                    len([u for u in links_in(server, path) if u.startswith(new)]) == JOBS or None
                ),
            )
            assert any(f"changed from {former} to" in line["message"] for line in server.log)
            old = links[0].replace(former, server.edge)
            assert click(old, BROWSER, "")[0] == 302, "old links stay good"
            assert server.stop() == 0
        with serving(data, edge_url="https://jobs.example.test/x", **allow) as server:
            assert not any("edge's address" in line["message"] for line in server.log), "once"


def told(door: str) -> float | None:
    try:
        return figures(door)["handbill_edge_clicks_total"]
    except OSError:
        return None


def test_with_the_database_away_links_work_and_the_api_says_so(
    tmp_path: Path, postgres_server: str
) -> None:
    data, name = tmp_path / "data", "test_away"
    with psycopg.connect(postgres_server.format("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        url = postgres_server.format(name)
        try:
            with serving(data, records_url=url) as server:
                _goes_and_comes(admin, server, name)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _goes_and_comes(admin: psycopg.Connection[Any], server: Server, name: str) -> None:
    def ask() -> tuple[int, str | None]:
        status, headers, _ = asked(f"{server.api}/.well-known/jwks.json")
        return status, headers.get("retry-after")

    assert ask() == (200, None)
    admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    admin.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    failed = until("it is told", lambda: failed_checks(server.api) or None)
    assert failed == ["records"]
    assert ask() == (503, "5")
    assert asked(f"{server.api}/livez")[0] == asked(f"{server.api}/docs")[0] == 200
    assert failed_checks(server.edge) == []
    assert asked(f"{server.edge}/metrics")[0] == asked(f"{server.api}/metrics")[0] == 200
    admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    until("it is well again", lambda: failed_checks(server.api) == [] or None)
    until("so are calls", lambda: ask() == (200, None) or None)
