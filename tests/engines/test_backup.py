"""Backups: from either engine to either, refused when not whole, holding deletions off."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from contract.signed_in import code_of
from handbill.access.keys import ensure_secrets
from handbill.core.entries import Entry
from handbill.host.clock import SetClock
from handbill.host.ids import SeededIds, SystemIds
from handbill.keeping import tables
from handbill.keeping.backup import BackupSource, back_up
from handbill.keeping.manifest import NotWhole
from handbill.keeping.restore import RestorePlace, read_backup, restore, under_way
from handbill.kit.instants import DAY, MINUTE, SECOND, Instant, instant_of_iso
from handbill.people import codes
from handbill.store import holds, installation, sealed, segments
from handbill.store.blobs import open_blobs
from handbill.store.journal import JournalWriter
from handbill.store.journal_folder import gaps
from handbill.store.journal_reading import JournalReader
from handbill.store.journal_streams import StreamMark
from handbill.store.records import Records, open_records
from handbill.store.records.tables import (
    agencies,
    changes,
    clients,
    job_bodies,
    mail_bodies,
    mails,
    person_links,
    person_sessions,
    persons,
    report_questions,
)
from handbill.store.records.tables import holds as held
from market import put_job

NOW: Instant = instant_of_iso("2026-11-10T12:00:00Z")
BODY = bytes(range(256))


@contextmanager
def silent(_what: str, _total: int) -> Iterator[Callable[[int], None]]:
    yield lambda _count: None


def entry(n: int) -> Entry:
    return Entry(
        id=n.to_bytes(16, "big"),
        at=NOW + n,
        kind="CLICK",
        disposition="valid",
        reason="",
        client_no=1,
        campaign_no=2,
        group_no=3,
        publisher_no=4,
        job_id="ab" * 16,
        bid_type="CPC",
        charge_micros=800_000,
        spend_micros=1_000_000,
        currency="USD",
        marked_micros=1_100_000,
        agency_ppm=100_000,
        override_ppm=0,
        click_at=NOW + n,
        click_id=b"c" * 16,
        visitor=b"v" * 16,
        ip="192.0.2.0",
        agent="agent",
        source="edge",
        candidate_id="",
        application_id="",
    )


class Shop:
    """Records with a client and a job, a journal and a segment."""

    def __init__(self, records: Records, folder: Path) -> None:
        self.folder = folder
        self.clock = SetClock(NOW)
        self.ids = SeededIds(3)
        self.blobs = open_blobs(str(folder / "blobs"))
        self.journal = folder / "journal"
        self.source = BackupSource(records, self.blobs, self.journal, self.clock, self.ids)
        writer = JournalWriter(self.journal, "edge-0", SystemIds())
        writer.append_now(b"received")
        writer.close()
        path = segments.path_of("2026-11", NOW, self.ids)
        written = segments.write(self.blobs, path, [entry(1), entry(2)])
        self.segment = written.segment
        with records.write() as tx:
            ensure_secrets(tx, self.ids, NOW)
            agency = tx.put(agencies, id="a", name="Ünï 'a'", currency="USD", created_at=NOW)
            self.client = add_client(tx, agency, "c")
            segments.register(tx, [written], NOW)
            job = put_job(
                tx,
                self.client,
                b"\xab" * 16,
                ref="r",
                digest=b"\x00\xff",
                title="T\u2028",
                url="https://x.example/1",
                created_at=NOW,
                updated_at=NOW,
            )
            tx.put(job_bodies, job_no=job, body=BODY)


def add_client(tx: object, agency_no: int, id_: str) -> int:
    return tx.put(  # type: ignore[attr-defined, no-any-return]
        clients,
        id=id_,
        agency_no=agency_no,
        status="A",
        zone="UTC",
        pixel_id=id_,
        body='{"company_name": "c", "exported_name": "c"}',
        created_at=NOW,
        updated_at=NOW,
    )


@pytest.fixture
def shop(records: Records, tmp_path: Path) -> Shop:
    return Shop(records, tmp_path / "shop")


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RestorePlace]:
    """Empty stores on the one and the other engine."""
    folder = tmp_path / "copy"
    folder.mkdir()
    url = f"sqlite:///{folder / 'records.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    records = open_records(url)
    later = SetClock(NOW + DAY)
    (folder / "scratch").mkdir()
    yield RestorePlace(
        records,
        open_blobs(str(folder / "blobs")),
        folder / "journal",
        folder / "scratch",
        later,
        SeededIds(4),
    )
    records.close()


def test_what_was_backed_up_comes_back_on_either_engine(
    shop: Shop, target: RestorePlace, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    made = back_up(shop.source, backup, silent)
    assert made == read_backup(backup)
    first = restore(backup, made, target, silent)
    with shop.source.records.read() as former, target.records.read() as tx:
        for table in tables.kept_tables():
            if table.name not in {"installation", "tasks", "task_turns", "feed_files"}:
                every = sa.select(*table.columns).order_by(*table.primary_key.columns)
                assert tx.all(every) == former.all(every), table.name
        assert installation.name_of(tx) == installation.name_of(former)
        assert installation.turn_of(tx) != installation.turn_of(former)
    assert target.blobs.get(shop.segment.path) == shop.blobs.get(shop.segment.path)
    assert [e.record for e in JournalReader(target.journal).read({}, 9).lines] == [b"received"]
    assert not any(target.scratch.iterdir())
    with target.records.write() as tx:
        assert add_client(tx, 1, "new") == first
    with pytest.raises(NotWhole, match="never overwrites"):
        restore(backup, made, target, silent)


def test_nobody_is_signed_in_after_a_restore(
    shop: Shop, target: RestorePlace, tmp_path: Path
) -> None:
    since = {"created_at": NOW, "updated_at": NOW}
    dates = {"created_at": NOW, "expires_at": NOW + DAY}
    known = {"person_no": None, "prefix": "p", "digest": b"d"}
    with shop.source.records.write() as tx:
        person = tx.put(persons, id="p", mail="a@b.example", name="", role="OPERATOR", **since)
        tx.put(person_links, **known, **dates)
        tx.put(person_sessions, **known | {"person_no": person}, **dates, ends_at=NOW + DAY)
    backup = tmp_path / "backup"
    restore(backup, back_up(shop.source, backup, silent), target, silent)
    with target.records.read() as tx:
        for table, rows in ((persons, 1), (person_links, 0), (person_sessions, 0)):
            assert tx.value(sa.select(sa.func.count()).select_from(table)) == rows, table.name


def test_no_mail_waits_and_no_shared_link_is_good_after_a_restore(
    shop: Shop, target: RestorePlace, tmp_path: Path
) -> None:
    """Either may have ended since the backup: the mail by having been sent."""
    since = {"created_at": NOW, "updated_at": NOW}
    of_mail = {"kind": "INVITATION", "about": "", "recipient": "a@b.example", "created_at": NOW}
    shown = {"name": "Weekly", "days": 7, "told_by": "none", "created_at": NOW}
    with shop.source.records.write() as tx:
        person = tx.put(persons, id="p", mail="a@b.example", name="", role="OPERATOR", **since)
        sealed.ensure(tx, NOW)
        for state in ("SENDING", "SENT"):
            no = tx.put(mails, id=state, person_no=person, state=state, attempts=1, **of_mail)
            if state == "SENDING":
                row: dict[str, object] = {"mail_no": no}
                tx.put(mail_bodies, **row, value=sealed.seal(tx, mail_bodies, row, b"letter"))
        linked = {"link_prefix": "q", "link_digest": b"d", "link_until": NOW + 9 * DAY}
        for id_, link in (("linked", linked), ("alone", {})):
            tx.put(report_questions, id=id_, client_no=shop.client, **shown, **link)
    backup = tmp_path / "backup"
    restore(backup, back_up(shop.source, backup, silent), target, silent)
    with target.records.read() as tx:
        states = tx.all(sa.select(mails.c.state, mails.c.ended_at).order_by(mails.c.no))
        assert states == [("DROPPED", target.clock.now()), ("SENT", None)]
        assert tx.all(sa.select(mail_bodies.c.mail_no)) == []
        links = tx.all(sa.select(report_questions.c.link_prefix, report_questions.c.link_until))
        assert links == [(None, None)] * 2
        told = tx.all(sa.select(changes.c.kind, changes.c.entity_id))
        assert [id_ for kind, id_ in told if kind == "REPORT_QUESTION"] == ["linked"]


def test_a_code_that_was_used_after_the_backup_is_not_good_again(
    shop: Shop, target: RestorePlace, tmp_path: Path
) -> None:
    """A code is good for up to 90 seconds: a backup and its restore may lie within them."""
    since = {"created_at": NOW, "updated_at": NOW}
    secret, now = b"s" * 20, target.clock.now()
    used, ahead = NOW // SECOND // 30, (now + DAY) // SECOND // 30
    with shop.source.records.write() as tx:
        for id_, last in (("uses", used), ("none", None), ("ahead", ahead)):
            known = {"mail": f"{id_}@b.example", "name": "", "role": "OPERATOR"}
            tx.put(persons, id=id_, code_step=last, **known, **since)
    backup = tmp_path / "backup"
    restore(backup, back_up(shop.source, backup, silent), target, silent)
    with target.records.read() as tx:
        steps: dict[str, Any] = dict(tx.all(sa.select(persons.c.id, persons.c.code_step)))
    assert (steps["none"], steps["ahead"]) == (None, ahead)
    for at in range(now - MINUTE, now + MINUTE, 30 * SECOND):
        assert codes.step_of(secret, code_of(secret, at), now, steps["uses"]) is None
    later = now + MINUTE
    assert codes.step_of(secret, code_of(secret, later), later, steps["uses"]) is not None


def test_two_restores_of_one_backup_give_out_other_numbers(
    sqlite_records: Records, tmp_path: Path
) -> None:
    Shop(sqlite_records, tmp_path)
    with sqlite_records.write() as tx:
        first = tables.move_numbers_on(tx, NOW // SECOND)
        again = tables.move_numbers_on(tx, NOW // SECOND)
        later = tables.move_numbers_on(tx, (NOW + DAY) // SECOND)
    assert first >= tables.NUMBERS_APART
    assert (again, later - first) == (first, 86_400 * tables.NUMBERS_PER_SECOND)


def test_a_number_is_not_given_twice_though_its_row_is_gone(records: Records) -> None:
    with records.write() as tx:
        first = tx.put(agencies, id="a", name="", currency="USD", created_at=0)
        tx.run_text("DELETE FROM agencies", {})
        assert tx.put(agencies, id="b", name="", currency="USD", created_at=0) > first


def damage(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def brought_back(backup: Path, copy: Path) -> None:
    with under_way(copy):
        records = open_records(f"sqlite:///{copy / 'records.db'}")
        target = RestorePlace(
            records,
            open_blobs(str(copy / "blobs")),
            copy / "journal",
            copy,
            SetClock(NOW),
            SeededIds(4),
        )
        try:
            restore(backup, read_backup(backup), target, silent)
        finally:
            records.close()


@pytest.mark.parametrize("what", ["records/clients.rows", "blobs/", "journal/"])
def test_a_damaged_backup_is_refused(sqlite_records: Records, tmp_path: Path, what: str) -> None:
    backup, copy = tmp_path / "backup", tmp_path / "copy"
    made = back_up(Shop(sqlite_records, tmp_path / "shop").source, backup, silent)
    damage(next(backup / kept.path for kept in made.files if kept.path.startswith(what)))
    with pytest.raises(NotWhole, match="is damaged"):
        brought_back(backup, copy)
    assert not copy.exists(), "what looks whole"


def test_what_would_not_be_whole_is_not_made(sqlite_records: Records, tmp_path: Path) -> None:
    shop, backup = Shop(sqlite_records, tmp_path / "shop"), tmp_path / "backup"
    raw = shop.blobs.get(shop.segment.path)
    shop.blobs.put(shop.segment.path, raw[:-1] + b"?")
    with pytest.raises(NotWhole, match=f"{shop.segment.path} is damaged"):
        back_up(shop.source, backup, silent)
    shop.blobs.delete(shop.segment.path)
    with pytest.raises(NotWhole, match=f"{shop.segment.path} is not there"):
        back_up(shop.source, backup, silent)
    assert not backup.exists()
    shop.blobs.put(shop.segment.path, raw)
    with sqlite_records.read() as tx:
        assert tx.all(sa.select(held.c.name)) == [], "a hold outlived its backup"
    backup.mkdir()
    (backup / "mine").write_text("")
    with pytest.raises(NotWhole, match="not empty"):
        back_up(shop.source, backup, silent)
    assert (backup / "mine").exists()
    with pytest.raises(NotWhole, match="not a complete backup"):
        read_backup(backup)


def test_segments_that_are_missing_before_or_after_a_mark_are_named(tmp_path: Path) -> None:
    for _ in range(3):
        writer = JournalWriter(tmp_path, "edge-0", SystemIds())
        writer.append_now(b"x")
        writer.close()
    (stream,) = JournalReader(tmp_path).read({}, 1).begun
    assert gaps(tmp_path, {stream: StreamMark(1, 8)}) == []
    (second,) = (tmp_path / "edge-0").glob("*-000000000002.log")
    second.unlink()
    assert gaps(tmp_path, {stream: StreamMark(1, 8)}) == [
        f"the journal of {stream} has no segment 2"
    ]
    assert len(gaps(tmp_path, {stream: StreamMark(2, 8)})) == 1
    assert (
        len(gaps(tmp_path, {stream: StreamMark(3, 800), "edge-1/001aaaaaaaa": StreamMark(1, 0)}))
        == 2
    )
    assert gaps(tmp_path, {stream: StreamMark(4, 0)}) == []


def test_nothing_is_deleted_under_a_hold_and_a_dead_one_lapses(
    records: Records, tmp_path: Path
) -> None:
    shop = Shop(records, tmp_path)
    with records.write() as tx:
        segments.retire(tx, segments.segments_of_any(tx, [1]), NOW)
        holds.take(tx, "dead", NOW + DAY)
    sweep = segments.sweep
    assert sweep(records, shop.blobs, NOW + DAY) == 0
    assert shop.blobs.exists(shop.segment.path)
    lapsed = NOW + DAY + holds.LEASE
    with records.write() as tx:
        assert not holds.extend(tx, "dead", lapsed)
    assert sweep(records, shop.blobs, lapsed) == 1


def test_a_backup_that_lost_its_hold_is_not_made(sqlite_records: Records, tmp_path: Path) -> None:
    shop = Shop(sqlite_records, tmp_path / "shop")

    @contextmanager
    def slow(_what: str, _total: int) -> Iterator[Callable[[int], None]]:
        shop.clock.forward(holds.LEASE)
        yield lambda _count: None

    with pytest.raises(NotWhole, match="stopped for so long"):
        back_up(shop.source, tmp_path / "backup", slow)
    assert not (tmp_path / "backup").exists()
