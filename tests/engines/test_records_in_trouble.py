"""What records do when a process dies, a connection is lost or two changes wait for each other."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from multiprocessing import get_context
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import bindparam as b
from sqlalchemy import make_url

from engines.test_records import AGENCIES, all_agencies, put_agency
from handbill.host.garbage import undisturbed
from handbill.kit.faults import Unavailable
from handbill.store.records import Records, open_records
from handbill.store.records.postgresql import PostgresConnection
from handbill.store.records.tables import (
    agencies,
    reports,
)

SOON = 2.0
"""Seconds to wait for an answer that will not come. Not fewer: a busy machine may take a while for
those that do come.
"""

# ── what the world does ─────────────────────────────────────────────────────────────────────────
_WRITER = """
import sys
from handbill.store.records import open_records
from handbill.store.records.tables import agencies
records = open_records(sys.argv[1])
for number in range(10**6):
    with records.write() as tx:
        tx.put(agencies, id=str(number), name="", currency="", created_at=number)
    print(number, flush=True)
"""


def test_kill_loses_nothing_committed(records: Records) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _WRITER, records.url.replace("+psycopg", "")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    for _ in range(20):
        child.stdout.readline()
    child.kill()
    last = int((child.stdout.readlines() or ["19"])[-1])
    child.stdout.close()
    child.wait()
    numbers = [row[0] for row in all_agencies(records, sa.select(agencies.c.created_at))]
    assert set(range(last + 1)) <= set(numbers)
    put_agency(records, "life goes on")


def test_sqlite_syncs_every_commit(sqlite_records: Records) -> None:
    with sqlite_records.write() as tx:
        assert tx.run_text("PRAGMA synchronous", {})[0] == [(2,)]
        assert tx.run_text("PRAGMA journal_mode", {})[0] == [("wal",)]
        assert tx.run_text("PRAGMA foreign_keys", {})[0] == [(1,)]


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_lost_connection_is_the_worlds_doing_and_replaced(postgres_records: Records) -> None:
    me = sa.select(sa.func.pg_backend_pid())
    with postgres_records.read() as tx:
        pid = tx.value(me)

    def terminate() -> None:
        with postgres_records.read() as tx:
            tx.run_text("SELECT pg_terminate_backend(%(pid)s, 10000)", {"pid": pid})

    other = threading.Thread(target=terminate)
    other.start()
    other.join()
    with pytest.raises(Unavailable):
        put_agency(postgres_records, "a")
    put_agency(postgres_records, "b")
    assert all_agencies(postgres_records, AGENCIES) == [("b", "B")]


@pytest.mark.parametrize(("said", "idle"), [("", "10"), ("keepalives_idle=2", "2")])
def test_a_host_that_vanishes_is_not_waited_for_for_hours(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, said: str, idle: str
) -> None:
    """The driver gives up after half a minute without a sign of the host; the URL may say other."""
    made: list[psycopg.Connection[Any]] = []
    connect = PostgresConnection.connect

    def noted(**of: Any) -> psycopg.Connection[Any]:
        made.append(connect(**of))
        return made[-1]

    monkeypatch.setattr(PostgresConnection, "connect", noted)
    with closing(open_records(f"{postgres_url}{'&' if '?' in postgres_url else '?'}{said}")) as own:
        assert all_agencies(own, sa.select(sa.literal_column("1"))) == [(1,)]
        known = made[0].info.get_parameters()
    assert known["keepalives_idle"] == idle
    assert int(known["tcp_user_timeout"]) < 30_000
    assert int(known["keepalives_interval"]) * int(known["keepalives_count"]) < 30


def test_a_frozen_server_is_given_up_and_found_again(postgres_url: str) -> None:
    """It still acknowledges what is sent, so that only this side's clock ends the wait."""
    pid = sa.select(sa.func.pg_backend_pid())
    with (
        closing(open_records(postgres_url)) as patient,
        closing(open_records(postgres_url, answer_seconds=SOON)) as own,
    ):
        ((frozen,),) = all_agencies(own, pid)
        with stopped(frozen), pytest.raises(Unavailable, match="no answer in"):
            all_agencies(own, pid)
        ((other,),) = all_agencies(own, pid)
        assert other != frozen
        number = sa.text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
        # What was given up ends there too.
        while all_agencies(patient, number, pid=frozen) != [(0,)]:
            pass


def test_what_waits_for_a_lock_and_is_given_up_leaves_the_server(postgres_url: str) -> None:
    """Else each that tries again takes one more of its connections, until it has none left."""
    locks, waits = "LOCK TABLE held", "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with (
        closing(open_records(postgres_url)) as patient,
        closing(open_records(postgres_url, answer_seconds=SOON)) as own,
        ExitStack() as until_told,
    ):
        with patient.write() as tx:
            tx.run_text("CREATE TABLE held ()", {})
        holder = until_told.enter_context(psycopg.connect(postgres_url))
        holder.execute(locks)
        for _ in range(2):
            with pytest.raises(Unavailable, match="no answer in"), own.write() as tx:
                tx.run_text(locks, {})
        while all_agencies(patient, sa.text(waits)) != [(0,)]:
            pass


def test_the_server_gives_up_a_host_that_has_vanished(postgres_url: str) -> None:
    """What it was changing would stay locked for hours, also for the host that takes over. On a
    Unix socket the server tells no values, only that the session has set them.
    """
    names = "tcp_keepalives_idle tcp_keepalives_interval tcp_keepalives_count tcp_user_timeout"
    told = sa.text("SELECT name FROM pg_settings WHERE source = 'session' AND name LIKE 'tcp%'")
    with closing(open_records(postgres_url)) as own:
        assert {name for (name,) in all_agencies(own, told)} == set(names.split())


def test_who_waits_for_a_lock_does_not_make_others_wait(postgres_url: str) -> None:
    """They are answered meanwhile, so that the server is not frozen: they keep what they have."""
    me, waits = "SELECT pg_backend_pid()", "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with (
        closing(open_records(postgres_url, answer_seconds=SOON)) as own,
        psycopg.connect(postgres_url) as holder,
        ThreadPoolExecutor(1) as pool,
    ):
        holder.execute("CREATE TABLE held ()")
        holder.commit()
        holder.execute("LOCK TABLE held")
        before = all_agencies(own, sa.text(me))
        waiting = pool.submit(all_agencies, own, sa.text("SELECT 1 FROM held"))
        while all_agencies(own, sa.text(waits)) == [(0,)]:
            pass
        with pytest.raises(Unavailable, match="no answer in"):
            waiting.result()
        assert all_agencies(own, sa.text(me)) == before


def test_an_older_server_is_told(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", 130_022)
    told = pytest.raises(Unavailable, match="need PostgreSQL 14 or newer, and this is 13")
    with closing(open_records(postgres_url)) as own, told:
        put_agency(own, "a")


def _put_and_stop(own: Records, until_given_up: ExitStack) -> None:
    """Stop the server when all but the commit is done."""
    with own.write() as tx:
        tx.put(agencies, id="a", name="A", currency="", created_at=1)
        until_given_up.enter_context(stopped(tx.value(sa.select(sa.func.pg_backend_pid()))))


def test_a_commit_without_an_answer_may_have_been_done(postgres_records: Records) -> None:
    """What is asked again must find out: the server does what it was sent once it goes on."""
    url = postgres_records.url.replace("+psycopg", "")
    with closing(open_records(url, answer_seconds=SOON)) as own:
        with pytest.raises(Unavailable), ExitStack() as until_given_up:
            _put_and_stop(own, until_given_up)
        while not all_agencies(postgres_records, AGENCIES):
            pass


def test_one_thread_asks_a_silent_server_and_no_other_waits(postgres_url: str) -> None:
    """Else all that wait for a thread would wait in vain one after the other."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://a@127.0.0.1:{silent.getsockname()[1]}/a?connect_timeout=2"
        with closing(open_records(url)) as own, ThreadPoolExecutor(1) as pool:
            with undisturbed(), pytest.raises(Unavailable, match="timeout"):
                put_agency(own, "a")
            with silent.accept()[0] as given_up:
                given_up.settimeout(10)
                assert given_up.makefile("rb").read() != b"", "its end is read: it is closed"
            asking = pool.submit(put_agency, own, "b")
            with silent.accept()[0], pytest.raises(Unavailable, match="being asked again"):
                put_agency(own, "c")
            with pytest.raises(Unavailable, match="start it"):
                asking.result()


def test_deadlock_is_told_as_to_be_tried_again(postgres_records: Records) -> None:
    numbers = [put_agency(postgres_records, name) for name in "ab"]
    meet = threading.Barrier(2)

    def cross(order: list[int]) -> bool:
        try:
            with postgres_records.write() as tx:
                tx.lock_row(agencies, order[0])
                meet.wait()
                tx.lock_row(agencies, order[1])
        except Unavailable:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(cross, (numbers, numbers[::-1]))) == [False, True]


def test_connections_end_with_their_threads(postgres_records: Records) -> None:
    url = postgres_records.url.replace("+psycopg", "")
    with closing(open_records(url)) as records:

        def ask() -> None:
            put_agency(records, threading.current_thread().name)

        open_ones = sa.text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        )
        (before,) = all_agencies(records, open_ones)[0]
        for number in range(5):
            thread = threading.Thread(target=ask, name=str(number))
            thread.start()
            thread.join()
        found = before + 5
        while found > before:  # the server takes a moment to see them leave
            (found,) = all_agencies(records, open_ones)[0]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_leaves_our_connections_open(records: Records) -> None:
    """It forgets other threads, and with them what they hold."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(put_agency, records, "before").result()
        child = get_context("fork").Process(target=int)
        child.start()
        child.join()
        assert child.exitcode == 0
        assert len(pool.submit(all_agencies, records, AGENCIES).result()) == 1


def test_unreachable_engines_are_the_worlds_doing() -> None:
    for url in ("sqlite:////nowhere/at/all.db", "postgresql:///x?host=/nowhere"):
        with pytest.raises(Unavailable), open_records(url).read():
            pass


@pytest.mark.parametrize(
    ("instead", "why"),
    [
        ({"user": "nobody"}, 'role "nobody" does not exist'),
        ({"dbname": "nowhere"}, 'database "nowhere" does not exist'),
        ({"host": "/nowhere"}, "Is the server running"),
    ],
)
def test_what_the_server_refuses_is_one_sentence_with_a_way_out(
    postgres_url: str, instead: dict[str, str], why: str
) -> None:
    url = make_url(postgres_url)
    place = {"host": str(url.query["host"]), "dbname": str(url.database), "user": str(url.username)}
    asked = "&".join(f"{name}={value}" for name, value in (place | instead).items())
    with pytest.raises(Unavailable) as told, open_records(f"postgresql:///?{asked}").read():
        pass
    assert re.fullmatch(f"the records store .* HANDBILL_RECORDS_URL: .*{why}.*", str(told.value))


@pytest.mark.parametrize("url", ["mysql://x/y", "records.db", ""])
def test_refuses_other_engines(url: str) -> None:
    with pytest.raises(ValueError, match="HANDBILL_RECORDS_URL"):
        open_records(url)


def test_reports_have_room_for_large_texts(records: Records) -> None:
    agency = put_agency(records, "a")
    question = "é" * 1_000_000
    with records.write() as tx:
        no = tx.put(
            reports,
            id="r",
            agency_no=agency,
            client_no=1,
            kind="k",
            state="s",
            percent=0,
            question=question,
            question_digest=b"",
            parts="[]",
            created_at=1,
            expires_at=2,
        )
    found = sa.select(reports.c.question).where(reports.c.no == b("no"))
    assert all_agencies(records, found, no=no) == [(question,)]
