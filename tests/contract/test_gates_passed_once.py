"""Who is calling is asked before the body is read, and after it if anything can have changed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from contract.asgi import Reply, call
from contract.gates import GOOD, OPERATIONS, FakeDoors
from handbill.host.clock import SetClock
from handbill.host.ids import SeededIds
from handbill.host.settings import Settings
from handbill.http.app import Application
from handbill.http.operations import Caller, Desk
from handbill.kit.instants import DAY, SECOND
from handbill.store.blobs import open_blobs
from handbill.store.journal import JournalWriter
from handbill.store.records import Records, Tx
from handbill.store.records.tables import agencies

Meanwhile = Callable[[Desk], object]


class _Doors(FakeDoors):
    """Doors that count how often they are asked, until they are shut."""

    asked = 0
    shut = False

    def caller(self, tx: Tx, api_key: str, now: int) -> Caller | None:
        self.asked += 1
        return None if self.shut else super().caller(tx, api_key, now)


@pytest.fixture
def desk(records: Records, tmp_path: Path) -> Iterator[Desk]:
    blobs = open_blobs(str(tmp_path / "blobs"))
    journal = JournalWriter(tmp_path / "journal", "api-0", SeededIds(1))
    clock = SetClock(DAY * 20_000)
    yield Desk(records, blobs, journal, clock, SeededIds(1), Settings(), _Doors())
    journal.close()


def _asked(desk: Desk, meanwhile: Meanwhile) -> Reply:
    """The reply to a change; something happens before its body is there."""
    application = Application(OPERATIONS, desk)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def late() -> Any:
            meanwhile(desk)
            return await receive()

        await application(scope, late, send)

    return call(app, "POST", "/things", {"name": "a"}, GOOD)


def _committed(desk: Desk) -> None:
    with desk.records.write() as tx:
        tx.put(agencies, id="b", name="b", currency="USD", created_at=0)


def _forward(desk: Desk) -> None:
    cast(SetClock, desk.clock).forward(SECOND)


def test_where_nothing_has_changed_nobody_is_asked_again(desk: Desk) -> None:
    doors = cast(_Doors, desk.doors)
    assert _asked(desk, lambda _: None).status == 200
    assert doors.asked == (1 if desk.records.reads_inline else 2)


@pytest.mark.parametrize("changed", [_committed, _forward])
def test_whose_key_ends_before_the_body_is_there_is_refused(desk: Desk, changed: Meanwhile) -> None:
    doors = cast(_Doors, desk.doors)

    def ended(desk: Desk) -> None:
        doors.shut = True
        changed(desk)

    assert _asked(desk, ended).status == 401
    assert doors.asked == 2
    doors.shut = False
    assert _asked(desk, lambda _: None).status == 200
