"""``handbill serve`` as an operator sees it: used, killed, ended in order."""

import json
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

from handbill.demo.feeds import feed
from handbill.host.beats import answered_ago
from served_market import BROWSER, JOBS, Clickers, click, open_market
from serving import Office, Server, asked, handbill, hosted, serving, until


def exported(data: Path) -> list[dict[str, Any]]:
    told = handbill("ledger", "export", data=data)
    assert told.returncode == 0, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines()]


def check_books(data: Path) -> dict[str, Any]:
    told = handbill("ledger", "check", "--json", data=data)
    assert told.returncode == 0, told.stdout + told.stderr
    books: dict[str, Any] = json.loads(told.stdout)
    return books


def test_a_job_travels_the_whole_way_and_sigterm_ends_in_order(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with hosted({"/jobs.xml": b"".join(feed("indeed", JOBS))}) as site:
        allow = site.removeprefix("http://")
        allowed = {"egress_allow": allow, "trusted_proxies": "127.0.0.1"}
        with serving(data, begins="anew", fetchers="2", **allowed) as server:
            office = Office(server)
            client, links = open_market(office, site)
            clicks = [click(link, BROWSER, "198.18.0.7") for link in links[:3]]
            assert [status for status, _ in clicks] == [302] * 3
            for door in ("edge-0", "api-0"):
                beats = data / "scratch" / "beats"
                until(f"{door} notes that it answers", partial(answered_ago, beats, door))
            # The last click is acknowledged when the end is asked for: it must still be judged.
            assert server.stop() == 0
            ended = [line["child"] for line in server.log if line["message"] == "ended"]
            kinds = [child.partition("-")[0] for child in ended]
            assert kinds == ["edge", "api", "judge", "fetcher", "fetcher", "worker", "worker"]
            assert {line["status"] for line in server.log if line["message"] == "ended"} == {0}
            logging = {line["process"].partition("-")[0] for line in server.log}
            assert logging >= {"serve", "edge", "api", "fetcher", "worker"}
    entries = exported(data)
    assert {entry["id"] for entry in entries} == {id_ for _, id_ in clicks}
    for entry in entries:
        assert entry["kind"] == "CLICK"
        assert entry["disposition"] == "valid"
        assert entry["clientId"] == client
        assert entry["publisherId"] == "TestExp1"
        assert (entry["chargeMicros"], entry["currency"]) == (500_000, "USD")
    assert check_books(data)["balanced"] is True


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
            server.kill("api-0", at_work=True)
            until("both doors after the worker of the API", lambda: _both_ready(server))
            _kill_what_all_are_forked_from(server)
            until("both doors after all children", lambda: _both_ready(server))
            acknowledged = clickers.finish()
            assert server.stop() == 0
    assert len(acknowledged) > 50
    booked = [entry["id"] for entry in exported(data) if entry["kind"] == "CLICK"]
    assert len(booked) == len(set(booked)), "a click is booked twice"
    assert set(acknowledged) <= set(booked), "an acknowledged click is lost"
    assert check_books(data)["balanced"] is True


def _kill_what_all_are_forked_from(server: Server) -> None:
    """It has one thread, as what is forked may not begin inside another one's work."""
    children = server.children()
    names = {name: Path(f"/proc/{pid}/comm").read_text().strip() for name, pid in children.items()}
    assert names == {name: name for name in children}
    (parent,) = {_parent_of(pid) for pid in children.values()}
    assert _parent_of(parent) == server.process.pid
    assert len(list(Path(f"/proc/{parent}/task").iterdir())) == 1
    below = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    if sys.version_info < (3, 14):
        assert len(below) > len(children), "deputies of the API are forked from it too"
    after = len(server.log)
    os.kill(parent, signal.SIGKILL)
    for name in children:
        server.wait_for("started", name, after)
    assert parent not in {_parent_of(pid) for pid in server.children().values()}


def _parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


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
        assert "--api-port or HANDBILL_API_PORT, 0 for any free port" in third.stderr
        assert "Traceback" not in second.stderr + third.stderr
