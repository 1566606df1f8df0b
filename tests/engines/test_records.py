"""Both engines answer alike, keep what is committed, and say in one way what went wrong."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.faults import Unavailable
from handbill.store.records import Clash, Records
from handbill.store.records.base import Listed, Row, among, among_ids
from handbill.store.records.tables import (
    agencies,
    clicks,
    conversion_keys,
    counters,
    publishers,
)

_KEYS = ("scope", "entity", "day_on")
AGENCIES = sa.select(agencies.c.id, agencies.c.name).order_by(agencies.c.id)
_VALUES = sa.select(counters.c.entity, counters.c.client_no, counters.c.clicks).order_by(
    counters.c.entity
)
HARD_TEXTS = ("", " ", "\\N", "\\.", "tab\tline\nreturn\r", 'it\'s "50%" {x} :y %(z)s', "日本 🎉")
FEW_AND_MANY = pytest.mark.parametrize("count", [3, 1_000])


def _agency(name: str) -> dict[str, Any]:
    return {"id": name, "name": name.upper(), "currency": "USD", "created_at": 1}


def _counter(entity: str, value: int, client_no: int = 1) -> dict[str, Any]:
    return {
        "scope": "job",
        "entity": entity,
        "day_on": "L",
        "client_no": client_no,
        "budget_units": 0,
        "budget_micros": 0,
        "clicks": value,
        "applies": 0,
    }


def put_agency(records: Records, name: str) -> int:
    with records.write() as tx:
        return tx.put(agencies, **_agency(name))


def all_agencies(records: Records, statement: Any, **params: Any) -> list[Row]:
    with records.read() as tx:
        return tx.all(statement, **params)


# ── rows in, rows out ───────────────────────────────────────────────────────────────────────────
def test_put_answers_the_number_of_the_row(records: Records) -> None:
    first, second = put_agency(records, "a"), put_agency(records, "b")
    assert 0 < first < second
    with records.write() as tx:
        assert tx.put(clicks, id=b"c", client_no=1, disposition="counted", at=1) == 0


@FEW_AND_MANY
def test_put_many_keeps_every_value_as_it_is(records: Records, count: int) -> None:
    rows = [
        {
            "client_no": (-(2**63), 2**63 - 1, number)[number % 3],
            "key": HARD_TEXTS[number % len(HARD_TEXTS)] + str(number),
            "click_id": bytes([number % 256, 0, 255]),
            "at": number,
        }
        for number in range(count)
    ]
    with records.write() as tx:
        tx.put_many(conversion_keys, rows)
        tx.put_many(conversion_keys, [])
    found = all_agencies(records, sa.select(*conversion_keys.c).order_by(conversion_keys.c.at))
    assert found == [tuple(row.values()) for row in rows]


@FEW_AND_MANY
def test_absent_values_are_none(records: Records, count: int) -> None:
    agency = put_agency(records, "a")
    row = {
        "agency_no": agency,
        "status": "A",
        "body": "{}",
        "created_at": 1,
        "updated_at": 1,
        "deleted_at": None,
    }
    with records.write() as tx:
        tx.put_many(publishers, [{"id": f"p{number}", **row} for number in range(count)])
    found = all_agencies(records, sa.select(publishers.c.deleted_at))
    assert found == [(None,)] * count


@FEW_AND_MANY
def test_upsert_replaces_adds_or_keeps(records: Records, count: int) -> None:
    names = [f"{number:04d}" for number in range(count)]

    def upsert(
        value: int, client_no: int, adds: tuple[str, ...] = (), *, keep: bool = False
    ) -> Row:
        rows = [_counter(name, value, client_no) for name in names]
        with records.write() as tx:
            tx.upsert_many(counters, _KEYS, rows[: count // 2], adds, keep=keep)
            tx.upsert_many(counters, _KEYS, rows[count // 2 :], adds, keep=keep)
            tx.upsert_many(counters, _KEYS, [], adds, keep=keep)
        found = all_agencies(records, _VALUES)
        assert [row[0] for row in found] == names
        (answer,) = {row[1:] for row in found}
        return answer

    assert upsert(5, 1) == (1, 5)
    assert upsert(7, 2) == (2, 7)
    assert upsert(-3, 3, ("clicks",)) == (2, 4)
    assert upsert(9, 4, ("clicks",), keep=True) == (2, 4)


@FEW_AND_MANY
def test_upsert_of_the_same_keys_twice(records: Records, count: int) -> None:
    rows = [_counter(f"{number // 2:04d}", 1) for number in range(2 * count)]
    with records.write() as tx:
        tx.upsert_many(counters, _KEYS, rows, ("clicks",))
    assert {row[2] for row in all_agencies(records, _VALUES)} == {2}


@FEW_AND_MANY
def test_upsert_sees_what_the_transaction_wrote(records: Records, count: int) -> None:
    with records.write() as tx:
        for _ in range(3):
            tx.upsert_many(
                counters, _KEYS, [_counter(f"{n:04d}", 2) for n in range(count)], ("clicks",)
            )
    found = all_agencies(records, _VALUES)
    assert len(found) == count
    assert {row[2] for row in found} == {6}


def test_change_and_run_tell_how_many(records: Records) -> None:
    for name in "abc":
        put_agency(records, name)
    with records.write() as tx:
        assert tx.change(agencies, {"currency": "USD"}, name="N", currency="EUR") == 3
        assert tx.change(agencies, {"id": "a", "name": "other"}, name="M") == 0
        assert tx.run(sa.delete(agencies).where(agencies.c.id == b("id")), id="b") == 1
    assert all_agencies(records, AGENCIES) == [("a", "N"), ("c", "N")]


def test_one_and_value(records: Records) -> None:
    put_agency(records, "a")
    named = sa.select(agencies.c.name, agencies.c.id).where(agencies.c.id == b("id"))
    with records.read() as tx:
        assert tx.one(named, id="a") == ("A", "a")
        assert tx.value(named, id="a") == "A"
        assert tx.one(named, id="b") is None
        assert tx.value(named, id="b") is None


@pytest.mark.parametrize(
    ("condition", "known", "unknown"),
    [
        (among(clicks.c.client_no, "those"), [1, 2], [-1, 3]),
        (among(clicks.c.disposition, "those"), ["d1", 'it\'s "2"'], ["x"]),
        (among_ids(clicks.c.id, "those"), [b"\0" * 16, b"\xff" * 16], [b"\1" * 16]),
    ],
)
def test_among(records: Records, condition: among, known: list[Any], unknown: list[Any]) -> None:
    with records.write() as tx:
        tx.put(clicks, id=b"\0" * 16, client_no=1, disposition="d1", at=1)
        tx.put(clicks, id=b"\xff" * 16, client_no=2, disposition='it\'s "2"', at=2)
        tx.put(clicks, id=b"\x7f" * 16, client_no=9, disposition="d9", at=3)
    asked = sa.select(condition.column).where(condition).order_by(clicks.c.at)

    def found(those: list[Any]) -> list[Any]:
        return [row[0] for row in all_agencies(records, asked, those=Listed(those))]

    assert found(known) == found([*known, *unknown, *known]) == known
    assert found(unknown) == found([]) == []


def test_pages(records: Records) -> None:
    for name in "abcde":
        put_agency(records, name)
    most = sa.select(agencies.c.id).order_by(agencies.c.id).limit(b("most", type_=sa.Integer))
    page = most.offset(b("skip", type_=sa.Integer))
    assert all_agencies(records, most, most=2) == [("a",), ("b",)]
    assert all_agencies(records, page, most=2, skip=3) == [("d",), ("e",)]
    assert all_agencies(records, page, most=2, skip=9) == []


def test_texts_compare_by_their_bytes(records: Records) -> None:
    names = ["B", "a", "_", "Z", "ä", "b", "-", "日", "A b", "Ab"]
    for name in names:
        put_agency(records, name)
    assert [row[0] for row in all_agencies(records, AGENCIES)] == sorted(names)
    later = sa.select(agencies.c.id).where(agencies.c.id > b("id")).order_by(agencies.c.id)
    assert all_agencies(records, later, id="b") == [("ä",), ("日",)]


def test_counts_and_sums_are_integers(records: Records) -> None:
    with records.write() as tx:
        tx.put_many(counters, [_counter("a", 2**61), _counter("b", -1)])
    total = sa.select(
        sa.func.count(), sa.func.sum(counters.c.clicks), sa.func.max(counters.c.clicks)
    )
    with records.read() as tx:
        row = tx.one(total)
    assert row == (2, 2**61 - 1, 2**61)
    assert {type(value) for value in row} == {int}


def test_statements_name_their_values(records: Records) -> None:
    with records.read() as tx, pytest.raises(TypeError, match="bindparam"):
        tx.all(sa.select(agencies.c.no).where(agencies.c.id == "a"))


# ── transactions ────────────────────────────────────────────────────────────────────────────────
def test_failed_transaction_keeps_nothing(records: Records) -> None:
    def fail() -> None:
        with records.write() as tx:
            tx.put(agencies, **_agency("a"))
            raise KeyError("why")

    with pytest.raises(KeyError):
        fail()
    assert all_agencies(records, AGENCIES) == []


def test_second_row_of_the_same_keys_is_a_clash(records: Records) -> None:
    put_agency(records, "a")

    def clash(many: int) -> None:
        with records.write() as tx:
            tx.put(agencies, **_agency("b"))
            tx.put_many(agencies, [_agency(f"n{number}") for number in range(many)])
            tx.put_many(agencies, [_agency("a"), *(_agency(f"m{n}") for n in range(many))])

    for many in (0, 300):
        with pytest.raises(Clash):
            clash(many)
    with records.write() as tx:
        tx.put(clicks, id=b"c", client_no=1, disposition="d", at=1)
    with pytest.raises(Clash), records.write() as tx:
        tx.put(clicks, id=b"c", client_no=1, disposition="d", at=1)
    assert all_agencies(records, AGENCIES) == [("a", "A")]


def test_row_of_an_unknown_parent_is_a_bug_not_a_clash(records: Records) -> None:
    def put() -> None:
        with records.write() as tx:
            tx.put(
                publishers, id="p", agency_no=99, status="A", body="", created_at=1, updated_at=1
            )

    with pytest.raises(Exception, match=r"(?i)foreign key") as failed:
        put()
    assert not isinstance(failed.value, Clash | Unavailable)


def test_read_changes_nothing(records: Records) -> None:
    def change() -> None:
        with records.read() as tx:
            tx.put(agencies, **_agency("a"))

    with pytest.raises(Exception, match=r"(?i)read.?only"):
        change()
    put_agency(records, "b")
    assert all_agencies(records, AGENCIES) == [("b", "B")]


def test_read_is_of_one_moment(records: Records) -> None:
    put_agency(records, "a")
    with records.read() as tx:
        assert len(tx.all(AGENCIES)) == 1
        writer = threading.Thread(target=put_agency, args=(records, "b"))
        writer.start()
        writer.join()
        assert len(tx.all(AGENCIES)) == 1
    assert len(all_agencies(records, AGENCIES)) == 2


def test_streams_go_on_side_by_side(records: Records) -> None:
    with records.write() as tx:
        tx.put_many(counters, [_counter(f"{n:05d}", n) for n in range(5_000)])
    one = sa.select(counters.c.clicks).order_by(counters.c.entity)
    some = one.where(counters.c.clicks >= b("least"))
    with records.read() as tx:
        pairs = zip(tx.stream(one), tx.stream(some, least=10), strict=False)
        assert [(x, y) for (x,), (y,) in pairs] == [(n, n + 10) for n in range(4_990)]


def test_conditional_change_never_overspends(records: Records) -> None:
    with records.write() as tx:
        tx.put(counters, **_counter("budget", 0))
    spend = (
        sa.update(counters)
        .where(counters.c.entity == b("of"), counters.c.clicks + b("bid") <= b("cap"))
        .values(clicks=counters.c.clicks + b("bid"))
    )

    def worker(_: int) -> int:
        spent = 0
        for _turn in range(30):
            with records.write() as tx:
                spent += tx.run(spend, of="budget", bid=3, cap=100)
        return spent

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(worker, range(4))) == 33
    assert all_agencies(records, _VALUES) == [("budget", 1, 99)]


def test_locked_row_lets_one_decide_at_a_time(records: Records) -> None:
    no = put_agency(records, "0")
    name = sa.select(agencies.c.name).where(agencies.c.no == b("no"))

    def add(_: int) -> None:
        for _turn in range(25):
            with records.write() as tx:
                assert tx.lock_row(agencies, no)
                tx.change(agencies, {"no": no}, name=str(int(tx.value(name, no=no)) + 1))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))
    assert all_agencies(records, AGENCIES) == [("0", "100")]
    with records.write() as tx:
        assert not tx.lock_row(agencies, no + 1)
