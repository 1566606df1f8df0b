"""Rows as nouns, on both engines: what is put comes back, and only what is live is found."""

import msgspec
import sqlalchemy as sa

from handbill.store.records import Records, tables
from handbill.store.records.base import Listed, among
from handbill.store.records.mapper import KnownNouns, Mapper


class Body(msgspec.Struct):
    name: str
    tags: list[str] = []


class Plan(msgspec.Struct, kw_only=True):
    """As much of a campaign as this needs; its client is row 1."""

    no: int
    id: str
    client_no: int
    status: str
    is_default: bool
    body: Body
    created_at: int
    updated_at: int


PLANS = Mapper(tables.campaigns, Plan)
ONE = PLANS.live("id", "client_no")
OF_CLIENT = PLANS.live("client_no")
NEWEST = PLANS.live("client_no", order=tables.campaigns.c.no.desc())
EVER = PLANS.ever(among(tables.campaigns.c.no, "nos"))


def plan(id_: str, *, is_default: bool = False) -> Plan:
    return Plan(
        no=0,
        id=id_,
        client_no=1,
        status="A",
        is_default=is_default,
        body=Body(f"Ümlaut {id_}", ["a", "b"]),
        created_at=1,
        updated_at=2,
    )


def office(records: Records) -> None:
    stamp = {"created_at": 1, "updated_at": 1}
    with records.write() as tx:
        agency_no = tx.put(tables.agencies, id="a", name="A", currency="USD", created_at=1)
        client_no = tx.put(
            tables.clients,
            id="c",
            agency_no=agency_no,
            status="A",
            zone="UTC",
            pixel_id="p",
            body="{}",
            **stamp,
        )
        assert client_no == 1


def test_a_noun_comes_back_as_it_was_put(records: Records) -> None:
    office(records)
    with records.write() as tx:
        no = PLANS.add(tx, plan("one", is_default=True))
        kept = ONE.hold(tx, id="one", client_no=1)
    assert kept == msgspec.structs.replace(plan("one", is_default=True), no=no)
    assert kept is not None
    assert kept.is_default is True
    with records.read() as tx:
        assert ONE.first(tx, id="one", client_no=2) is None
        assert tx.value(sa.select(tables.campaigns.c.is_default)) == 1
    assert PLANS.values(kept, "status", "body").keys() == {"status", "body"}


def test_pages_and_counts_are_of_what_is_live(records: Records) -> None:
    office(records)
    with records.write() as tx:
        nos = [PLANS.add(tx, plan(f"p{n}")) for n in range(5)]
        tx.change(tables.campaigns, {"no": nos[1]}, deleted_at=9)
    with records.read() as tx:
        assert [it.id for it in OF_CLIENT.all(tx, client_no=1)] == ["p0", "p2", "p3", "p4"]
        assert [it.id for it in OF_CLIENT.page(tx, 1, 2, client_no=1)] == ["p2", "p3"]
        assert [it.id for it in NEWEST.page(tx, 0, 2, client_no=1)] == ["p4", "p3"]
        newest = NEWEST.first(tx, client_no=1)
        assert newest is not None
        assert newest.id == "p4"
        assert OF_CLIENT.count(tx, client_no=1) == 4
        assert [it.id for it in EVER.all(tx, nos=Listed(nos[:2]))] == ["p0", "p1"]
        assert ONE.first(tx, id="p1", client_no=1) is None


def test_equal_rows_are_known_nouns_until_there_are_too_many(records: Records) -> None:
    office(records)
    with records.write() as tx:
        nos = [PLANS.add(tx, plan(f"p{n}")) for n in range(3)]
    known = KnownNouns(most=2)

    def read(*some: int, of: str = "all") -> list[Plan]:
        with records.read() as tx:
            tx.nouns = known
            nouns: list[Plan] = getattr(EVER, of)(tx, nos=Listed(some))
            return nouns

    first = read(nos[0])[0]
    assert read(nos[0])[0] is first
    assert read(nos[0], of="anew")[0] is not first
    read(nos[1], of="anew")
    assert len(known) == 1, "what is read anew is not remembered"
    with records.write() as tx:
        tx.change(tables.campaigns, {"no": nos[0]}, status="P")
    assert read(nos[0])[0].status == "P"
    assert [it.id for it in read(*nos)] == ["p0", "p1", "p2"]
    assert len(known) <= 2
