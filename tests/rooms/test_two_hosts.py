"""Two trees on one PostgreSQL: the second is refused, takes over from a dead one, loses nothing."""

import json
import os
import signal
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest

from handbill.config import BadSettings
from handbill.demo.feeds import feed
from handbill.holding import HostHold, holding
from handbill.host.outside import machine_clock, of_this_machine
from handbill.host.settings import Settings
from handbill.ledger.service import export
from handbill.opening import opened, prepare
from handbill.store.blobs import open_blobs
from handbill.store.records import open_records
from handbill.work import hosts
from masters import MASTER_KEY, MASTERS
from served_market import BROWSER, JOBS, click, open_market
from serving import Office, Server, handbill, hosted, serving, until


def _told(*words: str, data: Path, **settings: str) -> Any:
    done = handbill(*words, "--json", data=data, **settings)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _kill_all(server: Server) -> None:
    """As if the machine were gone: nobody is left to drain anything."""
    for pid in (server.process.pid, *server.children().values()):
        os.kill(pid, signal.SIGKILL)
    server.wait()


def test_a_second_host_is_refused_then_takes_over_and_every_click_is_counted_once(
    tmp_path: Path, postgres_url: str
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    shared = {"records_url": postgres_url, "blobs_url": str(tmp_path / "blobs")}
    shared["secrets_key"] = MASTER_KEY
    blobs = open_blobs(shared["blobs_url"])
    clicked: list[str] = []

    def visit(links: list[str], number: int) -> None:
        done = [click(link, BROWSER, f"198.18.{number}.7") for link in links]
        assert {status for status, _ in done} == {302}
        clicked.extend(id_ for _, id_ in done)

    with hosted({"/jobs.xml": b"".join(feed("indeed", JOBS))}) as site:
        asked = {"egress_allow": site.removeprefix("http://"), "trusted_proxies": "127.0.0.1"}
        server = Server(first, **shared, **asked)
        _, links = open_market(Office(server), site)
        visit(links[:10], 1)
        _kill_all(server)
        # The same folder again: it holds what it held, at once.
        port = links[0].split("/")[2].rpartition(":")[2]
        server = Server(first, edge_port=port, **shared, **asked)
        os.kill(server.children()["judge-0"], signal.SIGSTOP)
        visit(links[10:20], 2)

        refused = handbill("serve", "--api-port", "0", "--edge-port", "0", data=second, **shared)
        host = json.loads((first / "host.json").read_bytes())["id"]
        assert refused.returncode == 2
        assert f"host {host} (" in refused.stderr
        assert "has held these records since 20" in refused.stderr
        assert f"handbill hosts release {host}" in refused.stderr
        _kill_all(server)

        _told("hosts", "release", host, data=second, **shared)
        with serving(second, **shared) as other:
            taken = _told("hosts", "adopt", str(first), data=second, **shared)
            assert f"edge-0.{host}" in taken["sources"]

            def booked() -> list[str] | None:
                with closing(open_records(postgres_url, MASTERS)) as records:
                    entries = list(export(records, blobs, second / "scratch"))
                return [one["id"] for one in entries] if len(entries) >= len(clicked) else None

            assert sorted(until("all clicks booked", booked)) == sorted(clicked)
            assert other.stop() == 0
    assert _told("ledger", "check", data=second, **shared)["balanced"] is True


def _settings(folder: Path, tmp_path: Path) -> Settings:
    settings = Settings(
        data=str(folder), records_url=f"sqlite:///{tmp_path / 'records.db'}", secrets_key=MASTER_KEY
    )
    prepare(settings, of_this_machine(settings))
    return settings


def held(settings: Settings) -> AbstractContextManager[HostHold]:
    return holding(settings, of_this_machine(settings), machine_clock())


def test_who_loses_the_hold_is_told_why(tmp_path: Path) -> None:
    one, two = (_settings(tmp_path / name, tmp_path) for name in ("one", "two"))
    with opened(one, of_this_machine(one)) as stores, held(one) as hold:
        assert hold.renew() is None
        with pytest.raises(
            BadSettings, match=f"host {hold.host_id} .* has held these records since"
        ):
            held(two).__enter__()
        with held(one):  # a clone of the whole file system
            assert "its data folder is a copy" in (hold.renew() or "")
        with stores.records.write() as tx:
            hosts.end(tx, hold.host_id)
        assert "released by an operator" in (hold.renew() or "")
        with held(two) as other:
            assert f"host {other.host_id} (" in (hold.renew() or "")
            assert other.renew() is None


def test_a_folder_whose_journal_has_an_heir_goes_on_as_a_new_host(tmp_path: Path) -> None:
    one, two = (_settings(tmp_path / name, tmp_path) for name in ("one", "two"))
    with held(one) as hold:
        former = hold.host_id
    one.journal_folder.mkdir()
    with held(two) as heir:
        adopted = handbill(
            "hosts",
            "adopt",
            one.data,
            "--json",
            data=two.data_folder,
            records_url=two.records_url,
            secrets_key=MASTER_KEY,
        )
        assert json.loads(adopted.stdout) == {"host": former, "sources": []}
        assert heir.host_id != former
        own = {"records_url": two.records_url, "secrets_key": MASTER_KEY}
        words = ("changes", "--entity", former)
        (change,) = _told(*words, data=Path(two.data_folder), **own)["data"]
        assert (change["cause"], change["actor"]["kind"]) == ("hosts adopt", "CLI")
        succeeded = {"field": "/successor", "before": None, "after": heir.host_id}
        assert change["fields"] == [succeeded]
    with held(one) as hold:
        assert hold.host_id not in {former, heir.host_id}
        assert hold.renew() is None


def test_records_that_are_away_do_not_end_a_host(caplog: pytest.LogCaptureFixture) -> None:
    hold = HostHold(open_records("postgresql://nobody@127.0.0.1:1/none"), "host", "run")
    assert (hold.renew(), hold.renew()) == (None, None)
    hold.let_go()
    assert len(caplog.records) == 2
