"""The funnel through HTTP: batches, what becomes of each item, stage maps, and hires."""

from typing import Any

import pytest

from contract.office import NOON, Office
from contract.rooms_office import RoomsOffice, open_rooms
from handbill.access.keys import secret
from handbill.core.funnel_stages import PARKED, UNMAPPED, application_key, candidate_key
from handbill.core.listing_tokens import Listing, SealedClick, click_id
from handbill.funnel import hire_rows, rows, service
from handbill.jobs.writing import job_id
from handbill.kit.instants import DAY, HOUR, MINUTE, iso_of
from handbill.store import marks
from handbill.store.records.tables import applied

YESTERDAY = iso_of(NOON - DAY)
ONE, TWO = b"1" * 16, b"2" * 16


class Ats:
    """An applicant tracking system that reports one client's applications."""

    def __init__(self, rooms: RoomsOffice, client: str) -> None:
        self.rooms, self.client = rooms, client
        self.noun = rooms.noun(client)
        self.headers = {"x-client-id": self.noun.id}

    def applied(self, application_id: str, click: bytes = ONE) -> None:
        """As the judge notes an apply; without a click it is organic."""
        self.note(application_key(application_id), click)

    def note(self, key: str, click: bytes) -> None:
        with self.rooms.desk.records.write() as tx:
            tx.put(applied, client_no=self.noun.no, key=key, click_id=click, facts=b"")

    def item(
        self, application_id: str = "", status: str = "Hired", at: Any = YESTERDAY, **more: Any
    ) -> dict[str, Any]:
        named = {"jobApplicationId": application_id} if application_id else {}
        return named | {"candidateStatus": status, "timestamp": at} | more

    def send(self, *items: dict[str, Any]) -> str:
        reply = self.rooms.ask("POST", "/funnel", list(items), headers=self.headers)
        assert reply.status == 200, reply.raw
        assert list(reply.json) == ["success", "failure", "value"]
        batch_id: str = reply.json["value"]
        return batch_id

    def became(self, batch_id: str) -> list[str]:
        reply = self.rooms.ask("GET", f"/funnel/{batch_id}", headers=self.headers)
        assert reply.status == 200, reply.raw
        return [
            f"{one['disposition']} {one['reason'] or ''}".strip() for one in reply.json["items"]
        ]

    def faults(self, body: Any) -> dict[str, str]:
        reply = self.rooms.ask("POST", "/funnel", body, headers=self.headers)
        assert reply.status == 400
        return {fault["field"]: fault["message"] for fault in reply.json["errors"]}

    def judged(self) -> None:
        """The judge has booked all that is in the journal by now."""
        with self.rooms.desk.records.write() as tx:
            marks.put(tx, marks.read(tx), self.rooms.clock.now(), {})

    def settle(self, disposition: str = PARKED) -> None:
        with self.rooms.desk.records.write() as tx:
            now = self.rooms.clock.now()
            assert service.settle(tx, self.noun, disposition, 0, now) is None

    def hires(self) -> list[hire_rows.Hire]:
        with self.rooms.desk.records.read() as tx:
            return service.unbooked_hires(tx, 100)

    def click(self, random: bytes, client_no: int | None = None) -> str:
        place = Listing(
            client_no=client_no or self.noun.no,
            campaign_no=1,
            group_no=1,
            publisher_no=1,
            job_id=b"j" * 16,
            bid_type="CPC",
            bid_micros=1,
            price_micros=1,
        )
        with self.rooms.desk.records.read() as tx:
            kid, key = max(secret(tx, "listing").items())
        return click_id(SealedClick(random, NOON - DAY, place), kid, key)


@pytest.fixture
def rooms(office: Office) -> RoomsOffice:
    return open_rooms(office.desk, "acme2")


@pytest.fixture
def ats(rooms: RoomsOffice) -> Ats:
    return Ats(rooms, rooms.client(timeZone="UTC-05:00"))


def test_a_long_history_is_not_read_for_each_item(
    ats: Ats, monkeypatch: pytest.MonkeyPatch
) -> None:
    ats.applied("a")
    item = ats.item("a")
    others = [ats.item("a", at=iso_of(NOON - DAY - n * MINUTE)) for n in range(1, 50)]
    for _ in range(3):
        ats.send(*others, *[item] * 50)
    history, read = rows.history, list[list[Any]]()

    def counted(*args: Any) -> Any:
        read.append(found := history(*args))
        return found

    monkeypatch.setattr(rows, "history", counted)
    assert ats.became(ats.send(item)) == ["duplicate"]
    ((one,),) = read
    assert one


def test_a_batch_says_what_became_of_its_items(ats: Ats) -> None:
    ats.applied("a")
    ats.applied("o", b"")
    batch = ats.send(
        ats.item("a", "Interviewed"),
        ats.item("a", "Interviewed"),
        ats.item("a", "Chat"),
        ats.item("b"),
        ats.item("a", "Offered", "2026-10-31"),
        ats.item("o"),
        ats.item("a"),
        ats.item("a", at=iso_of(NOON)),
    )
    assert ats.became(batch) == [
        "counted",
        "duplicate",
        "unmapped",
        "parked",
        "late_frozen",
        "counted",
        "counted",
        "counted hired_before",
    ]
    told = ats.rooms.ask("GET", f"/funnel/{batch}", headers=ats.headers).json
    assert told["counts"] == {
        "counted": 4,
        "duplicate": 1,
        "unmapped": 1,
        "parked": 1,
        "late_frozen": 1,
    }
    assert told["items"][2] | {"timestamp": YESTERDAY} == {
        "index": 2,
        "jobApplicationId": "a",
        "candidateStatus": "Chat",
        "stage": None,
        "timestamp": YESTERDAY,
        "disposition": "unmapped",
        "reason": None,
    }
    assert told["items"][4]["timestamp"] == "2026-10-31T05:00:00.000Z", "the client's own zone"
    assert [(hire.application_id, hire.click_id, hire.at) for hire in ats.hires()] == [
        ("o", b"", NOON - DAY),
        ("a", ONE, NOON - DAY),
    ]
    assert ats.became(ats.send(ats.item("a", "interviewed"))) == ["duplicate"]


def test_one_object_is_a_batch_too(ats: Ats) -> None:
    ats.applied("a")
    reply = ats.rooms.ask("POST", "/funnel", ats.item("a"), headers=ats.headers)
    assert ats.became(reply.json["value"]) == ["counted"]


def test_a_fault_in_any_item_refuses_the_whole(ats: Ats) -> None:
    ats.applied("a")
    soon, late = iso_of(NOON + 10 * MINUTE), iso_of(NOON + 11 * MINUTE)
    assert ats.faults([ats.item("a"), ats.item("a", at="x"), {}]) == {
        "/1/timestamp": "must be a date and time as ISO 8601, mm/dd/yyyy or epoch",
        "/2/candidateStatus": "is required",
        "/2/timestamp": "is required",
    }
    assert ats.faults([ats.item("a"), ats.item("a", at=late), ats.item(clickId="x")]) == {
        "/1/timestamp": "is more than 10 minutes in the future",
        "/2/clickId": "is not a valid click id",
    }
    assert list(ats.faults(ats.item("a", at=late))) == ["/timestamp"]
    assert list(ats.faults([])) == [""]
    assert ats.hires() == []
    ats.send(ats.item("a", at=soon))
    assert ats.hires()[0].at == NOON, "a clock a little ahead is set to now"


def test_what_is_not_known_yet_is_waited_for(ats: Ats) -> None:
    batch = ats.send(ats.item("a"), ats.item("b"), ats.item("b", "New"))
    ats.settle()
    assert ats.became(batch) == ["parked"] * 3
    ats.applied("a")
    ats.settle()
    assert ats.became(batch) == ["counted", "parked", "parked"]
    assert [hire.application_id for hire in ats.hires()] == ["a"]
    ats.rooms.later(DAY - 1)
    ats.settle()
    assert ats.became(batch) == ["counted", "parked", "parked"]
    ats.rooms.later(1)
    ats.settle()
    assert ats.became(batch) == ["counted", "parked", "parked"], "the apply may not be judged yet"
    ats.judged()
    ats.settle()
    assert ats.became(batch)[1:] == ["dead application_not_found"] * 2
    ats.applied("b")
    assert ats.became(ats.send(ats.item("b"))) == ["counted"], "the dead are no history"


def test_a_month_that_closes_meanwhile_is_closed(ats: Ats) -> None:
    ats.rooms.later(19 * DAY)  # December 7th, noon in UTC
    batch = ats.send(ats.item("a"), ats.item("b"))
    ats.rooms.later(17 * HOUR - 1)
    ats.applied("a")
    ats.settle()
    assert ats.became(batch) == ["counted", "parked"]
    ats.rooms.later(1)
    ats.applied("b")
    ats.settle()
    assert ats.became(batch) == ["counted", "late_frozen"], "the 8th begins at five in UTC"
    assert len(ats.hires()) == 1


def test_three_ways_to_name_an_application(ats: Ats) -> None:
    ats.rooms.jobs(ats.client, "r/1")
    ats.note(candidate_key("c", job_id(ats.noun.id, "r/1")), TWO)
    by_candidate = ats.item(additionalDetails={"candidateId": "c", "jobReference": "r/1"})
    batch = ats.send(
        by_candidate,
        ats.item(clickId=ats.click(ONE)),
        ats.item(additionalDetails={"candidateId": "c", "jobReference": "r/2"}),
    )
    assert ats.became(batch) == ["counted", "counted", "parked"]
    assert [hire.click_id for hire in ats.hires()] == [TWO, ONE]
    ats.applied("x", ONE)
    ats.applied("y", TWO)
    again = ats.send(ats.item("x"), ats.item("y"), ats.item(clickId=ats.click(TWO)))
    assert ats.became(again) == ["counted hired_before"] * 3, "the click has hired already"


def test_an_id_that_no_event_told_does_not_hide_the_other_keys(ats: Ats) -> None:
    """The page of thanks told no application id: the ATS is the first to name it."""
    ats.rooms.jobs(ats.client, "r/1")
    ats.note(candidate_key("c", job_id(ats.noun.id, "r/1")), TWO)
    pair = {"candidateId": "c", "jobReference": "r/1"}
    batch = ats.send(
        ats.item("x", clickId=ats.click(ONE)),
        ats.item("y", **pair),
        ats.item("z", candidateId="c", jobReference="r/2", additionalDetails={"clickId": "no"}),
        ats.item("v", clickId=ats.click(ONE, client_no=99)),
    )
    assert ats.became(batch) == ["counted", "counted", "parked", "parked"]
    assert [hire.click_id for hire in ats.hires()] == [ONE, TWO]
    again = ats.send(
        ats.item("x", at=NOON // 1_000_000, clickId=ats.click(ONE)),
        ats.item(clickId=ats.click(ONE)),
        ats.item(**pair, at=NOON // 1_000_000),
    )
    assert ats.became(again) == ["counted hired_before"] * 3
    ats.applied("w", TWO)
    told = ats.send(ats.item("w", clickId=ats.click(b"3" * 16)))
    assert ats.became(told) == ["counted"]
    assert ats.hires()[-1].click_id == TWO, "an id that is known goes first"


def test_two_applications_of_one_click_may_both_hire(ats: Ats) -> None:
    ats.applied("x")
    ats.applied("y")
    assert ats.became(ats.send(ats.item("x"), ats.item("y"))) == ["counted"] * 2
    assert ats.became(ats.send(ats.item(clickId=ats.click(ONE)))) == ["counted hired_before"]
    assert len(ats.hires()) == 2


def test_a_click_of_another_client_tells_nothing(ats: Ats) -> None:
    batch = ats.send(ats.item(clickId=ats.click(ONE, client_no=99)))
    assert ats.became(batch) == ["parked"]
    ats.rooms.later(DAY)
    ats.judged()
    ats.settle()
    assert ats.became(batch) == ["dead application_not_found"]


def test_a_map_is_applied_to_what_has_no_stage(ats: Ats) -> None:
    at = f"{ats.client}/stage-map"
    empty = ats.rooms.get(at)
    assert (empty["stageMap"], empty["unmapped"]) == ({}, {})
    ats.applied("a")
    batch = ats.send(
        ats.item("a", "Talk"),
        ats.item("a", "Signed  up"),
        ats.item("a", "signed UP", NOON // 10**6),
        ats.item("a", "Signed up", "2026-10-01"),
        ats.item("a", "?"),
        ats.item("a", "Hired"),
    )
    assert ats.rooms.get(at)["unmapped"] == {"?": 1, "Signed  up": 1, "Talk": 1, "signed UP": 1}
    done = ats.rooms.put(at, {"stageMap": {"talk": "contacted", "Signed Up": "HIRED", "?": None}})
    assert done == {"result": True, "message": "Stage map updated"}
    told = ats.rooms.get(at)
    assert told["stageMap"] == {"talk": "CONTACTED", "Signed Up": "HIRED"}
    assert told["unmapped"] == {"?": 1}
    assert ats.became(batch) == [
        "counted",
        "duplicate",
        "counted hired_before",
        "late_frozen",
        "unmapped",
        "counted",
    ]
    ats.rooms.put(at, {"stageMap": {"?": "NEW"}})
    assert ats.became(batch)[4] == "counted"
    assert ats.became(batch)[0] == "counted", "what has a stage keeps it"


def test_maps_are_checked(ats: Ats) -> None:
    at = f"{ats.client}/stage-map"
    assert set(ats.rooms.faults("PUT", at, {})) == {"/stageMap"}
    bad = {"stageMap": {"a": "GONE", "b": 3}}
    assert set(ats.rooms.faults("PUT", at, bad)) == {"/stageMap/a", "/stageMap/b"}
    alike = {"stageMap": {"a b": "NEW", "A  B": "HIRED"}}
    assert ats.rooms.faults("PUT", at, alike) == {"/stageMap": "has A  B and a b, which are alike"}


def test_a_hire_is_booked_once(ats: Ats) -> None:
    ats.applied("a")
    ats.applied("b")
    ats.send(ats.item("a"), ats.item("b"))
    taken = [hire.no for hire in ats.hires()]
    assert len(taken) == 2
    with ats.rooms.desk.records.write() as tx:
        assert service.hires_booked(tx, taken[:1], NOON) == 1
        assert service.hires_booked(tx, taken, NOON) == 1
        assert service.hires_booked(tx, taken, NOON) == 0
        assert service.hires_booked(tx, [], NOON) == 0
    assert ats.hires() == []


def test_clients_do_not_see_each_other(ats: Ats) -> None:
    other = Ats(ats.rooms, ats.rooms.client())
    ats.applied("a")
    batch = ats.send(ats.item("a"))
    for headers, status in ((other.headers, 404), ({}, 403), ({"x-client-id": "x"}, 403)):
        assert ats.rooms.ask("GET", f"/funnel/{batch}", headers=headers).status == status
    assert other.became(other.send(other.item("a"))) == ["parked"]
    stranger = ats.rooms.another()
    reply = stranger.ask("POST", "/funnel", [ats.item("a")], headers=ats.headers)
    assert reply.status == 403
    assert stranger.ask("GET", f"{ats.client}/stage-map").status == 404
    with ats.rooms.desk.records.read() as tx:
        assert service.clients_waiting(tx) == [other.noun.id]
        assert rows.waiting(tx, ats.noun.no, UNMAPPED, 0, 9) == []
