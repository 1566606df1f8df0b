"""The edge's index belongs to one state of the records: any other is filled again wholly."""

import faulthandler
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from handbill.core.nouns import Client
from handbill.host.folders import Unusable
from handbill.listings import indexing
from handbill.store.index import EdgeIndex, mend
from handbill.store.records import Records
from handbill.store.records.tables import jobs
from handbill.work import kinds
from masters import open_key
from rooms.listing_market import KEY, Market, open_market


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Iterator[Market]:
    found = open_market(records, tmp_path)
    started(found)
    yield found
    found.tools.index.close()


def started(market: Market) -> bool:
    """What every start does; whether the index has to be filled then."""
    with market.records.write() as tx:
        indexing.check_index(tx, market.tools.index, market.now())
    return not market.tools.index.is_whole()


def publish(market: Market, client: Client) -> None:
    indexing.index_client(market.tools, client)


def known(market: Market, ref: str) -> bytes | None:
    with market.records.read() as tx:
        id_ = tx.value(sa.select(jobs.c.id).where(jobs.c.ref == sa.bindparam("ref")), ref=ref)
    return market.tools.index.url_of(bytes.fromhex(id_))


def exchange(market: Market, folder: Path) -> None:
    """Let the index be the one in this folder."""
    at = market.tools.scratch.parent / "index"
    market.tools.index.close()
    shutil.rmtree(at)
    if folder.exists():
        shutil.copytree(folder, at)
    market.tools = replace(market.tools, index=EdgeIndex(at, writable=True, open_key=open_key))


def test_a_new_index_is_whole_and_stays_so(market: Market) -> None:
    assert market.tools.index.keys() == {1: KEY}
    client = market.client()
    ref = market.job(client)
    publish(market, client)
    assert known(market, ref) == f"https://jobs.example/{ref}".encode()
    assert not started(market)


@pytest.mark.parametrize("what", ["missing", "older", "strange"])
def test_another_index_is_filled_again(market: Market, tmp_path: Path, what: str) -> None:
    client = market.client()
    first = market.job(client)
    publish(market, client)
    former = tmp_path / "former"
    if what == "older":
        shutil.copytree(market.tools.scratch.parent / "index", former)
    if what == "strange":
        strange = EdgeIndex(former, writable=True)
        strange.put_urls([(b"s" * 16, b"https://other.example")])
        strange.move_turn(b"a" * 16, b"b" * 16)
        strange.finish()
        strange.close()
    second = market.job(client)
    publish(market, client)
    exchange(market, former)
    assert started(market)
    assert started(market), "a second start, while it is being filled"
    assert known(market, first) is None
    # A client that is published meanwhile does not make it look whole.
    third = market.job(client)
    publish(market, client)
    assert not market.tools.index.is_whole()
    assert (kinds.REFILL, "") in market.drain()
    assert all(known(market, ref) for ref in (first, second, third))
    assert market.tools.index.client_of_pixel(client.pixel_id) == (client.no, client.id)
    assert market.tools.index.keys() == {1: KEY}
    assert market.tools.index.url_of(b"s" * 16) is None
    assert not started(market)


def test_a_crash_between_index_and_records_leaves_it_right(market: Market) -> None:
    client = market.client()
    ref = market.job(client)
    index = market.tools.index

    class Cut(EdgeIndex):
        def __init__(self) -> None:
            """The same index; the process ends as soon as its turn is written."""

        def __getattribute__(self, name: str) -> object:
            return object.__getattribute__(index, name) if name != "move_turn" else cut

    def cut(former: bytes, turn: bytes) -> None:
        index.move_turn(former, turn)
        raise RuntimeError("killed")

    tools = market.tools
    market.tools = replace(tools, index=Cut())
    with pytest.raises(RuntimeError, match="killed"):
        publish(market, client)
    market.tools = tools
    assert not started(market), "it is one turn ahead, and nothing is lost"
    publish(market, client)
    assert known(market, ref) is not None
    assert not started(market)


@pytest.mark.parametrize("when", ["it begins", "it is half full", "it is nearly full"])
def test_one_that_is_replaced_while_it_is_filled_is_filled_from_the_beginning(
    market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    client = market.client()
    refs = [market.job(client) for _ in range(4)]
    publish(market, client)
    exchange(market, tmp_path / "none")
    assert started(market)
    monkeypatch.setattr(indexing, "_STEP", 1)
    steps = {"it begins": 1, "it is half full": 2, "it is nearly full": 4}[when]
    give_way, given = market.records.give_way, []

    def replaced() -> None:
        given.append(1)
        if len(given) == steps:  # as an edge does that has met a damaged page
            market.tools.index.replace()
        give_way()

    monkeypatch.setattr(market.records, "give_way", replaced)
    assert indexing.refill(market.tools) == len(refs)
    assert market.tools.index.is_whole()
    assert all(known(market, ref) for ref in refs)


def test_edges_read_on_in_a_replaced_one_until_the_new_one_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    _filled(folder, b"https://former.example")
    edge = EdgeIndex(folder, writable=False)
    assert not edge.renew(), "nothing has happened"
    edge.replace()
    assert (edge.url_of(b"a" * 16), edge.is_whole()) == (b"https://former.example", False)
    worker = EdgeIndex(folder, writable=True)
    assert worker.url_of(b"a" * 16) is None
    worker.put_urls([(b"a" * 16, b"https://new.example")])
    worker.close()
    assert not edge.renew()
    assert (edge.url_of(b"a" * 16), edge.is_whole()) == (b"https://former.example", False)
    worker = EdgeIndex(folder, writable=True)
    worker.finish()
    worker.close()
    assert edge.renew()
    assert (edge.url_of(b"a" * 16), edge.is_whole()) == (b"https://new.example", True)
    edge.close()


@pytest.mark.parametrize("how", ["zeros", "noise", "cut off", "cut to nothing", "no head"])
def test_one_that_cannot_be_read_is_put_away_before_it_is_opened(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "index"
    _filled(folder, b"https://former.example", jobs=2_000)
    assert not mend(folder)
    assert not mend(tmp_path / "none")
    file = folder / "data.mdb"
    raw = bytearray(file.read_bytes())
    if how in ("zeros", "noise"):
        for page in range(2 * 4096, len(raw), 4096):
            if b"https://former.example" in raw[page : page + 4096]:
                raw[page : page + 4096] = (b"\0" if how == "zeros" else b"\xff") * 4096
    elif how == "no head":
        raw[: 2 * 4096] = bytes(2 * 4096)
    else:
        del raw[2 * 4096 if how == "cut off" else 0 :]
    file.write_bytes(raw)
    assert mend(folder)
    made = EdgeIndex(folder, writable=True)
    assert (made.is_whole(), made.has_urls()) == (False, False)
    made.close()
    assert not mend(folder)


_LIMITED = """
import resource, sys
from pathlib import Path
from handbill.host.folders import Unusable
from handbill.store.index import EdgeIndex, mend

folder, limit, most = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(limit, (most, most))
for open_it in (mend, lambda folder: EdgeIndex(folder, writable=True)):
    try:
        open_it(folder)
    except Unusable as refused:
        print("ulimit" in str(refused))
"""


@pytest.mark.parametrize(
    ("limit", "most"), [(resource.RLIMIT_AS, 8 * 1024**3), (resource.RLIMIT_NOFILE, 4)]
)
def test_a_process_that_cannot_open_it_does_not_take_it_for_damaged(
    tmp_path: Path, limit: int, most: int
) -> None:
    folder = tmp_path / "index"
    _filled(folder, b"https://kept.example")
    words = (sys.executable, "-c", _LIMITED, str(folder), str(limit), str(most))
    told = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert told.stdout.split() == ["True", "True"], told.stderr
    _is_kept(folder)


def test_a_reader_that_is_killed_has_found_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a system that runs out of memory."""
    folder = tmp_path / "index"
    _filled(folder, b"https://kept.example")
    monkeypatch.setattr(faulthandler, "disable", lambda: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(Unusable, match="index cannot be opened here"):
        mend(folder)
    monkeypatch.undo()
    _is_kept(folder)


def _is_kept(folder: Path) -> None:
    assert not mend(folder)
    kept = EdgeIndex(folder, writable=False)
    assert kept.url_of(b"a" * 16) == b"https://kept.example"
    kept.close()


def _filled(folder: Path, url: bytes, jobs: int = 1) -> None:
    index = EdgeIndex(folder, writable=True)
    index.put_urls(
        [(b"a" * 14 + n.to_bytes(2, "big") if n else b"a" * 16, url) for n in range(jobs)]
    )
    index.finish()
    index.close()
