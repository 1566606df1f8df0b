"""Postings through HTTP: purchases, their forms, and what becomes of jobs put into them."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from contract.office import NOON, Office
from contract.rooms_office import RoomsOffice, open_rooms
from handbill.kit.instants import DAY, HOUR, MINUTE, iso_of
from handbill.postings import service, slots
from handbill.store.records.tables import jobs, tasks

DATES = {"startDate": iso_of(NOON - DAY), "endDate": iso_of(NOON + 30 * DAY)}
SLOTS: dict[str, Any] = {"cost": 310, "availableCount": 2, "rotateFreqInDays": 2} | DATES
CREDITS: dict[str, Any] = {"cost": 310, "availableCount": 2, "jobDuration": 5} | DATES


@pytest.fixture
def rooms(office: Office) -> RoomsOffice:
    """A client at self.mine, with the publisher P, and five jobs a to e."""
    opened = open_rooms(office.desk, "acme2")
    opened.ask("POST", "/publishers", {"id": "P", "name": "Pat"})
    return opened


@pytest.fixture
def client(rooms: RoomsOffice) -> str:
    path = rooms.client(timeZone="UTC-05:00")
    rooms.jobs(path, *"abcde")
    return path


def bought(rooms: RoomsOffice, client: str, **body: Any) -> str:
    """The path of a new purchase at P."""
    at = f"{client}/publishers/P/configs"
    return f"{at}/{rooms.new(at, body)}"


def add(rooms: RoomsOffice, config: str, *refs: str) -> dict[str, str]:
    """Put jobs in; reference → reason, or "ok"."""
    client, _, id_ = config.partition("/publishers/P/configs/")
    reply = rooms.ask("POST", f"{client}/configs/{id_}/jobs", list(refs))
    assert (reply.status, reply.json["message"]) == (200, "Create request processed")
    return {ref: one.get("message", "ok") for ref, one in reply.json["result"].items()}


def posted(rooms: RoomsOffice, config: str) -> str:
    jobs = rooms.get(f"{config}/jobs?isPosted=true")["data"]
    return "".join(sorted(job["refNumber"] for job in jobs))


def turn(rooms: RoomsOffice, config: str, after: int) -> None:
    now = rooms.later(after)
    with rooms.desk.records.write() as tx:
        slots.turn(tx, config.rpartition("/")[2], now)


def test_a_purchase_is_shown_in_its_forms(rooms: RoomsOffice, client: str) -> None:
    at = f"{client}/publishers/P/configs"
    assert rooms.get(at) == {"data": []}
    first, second = bought(rooms, client, **SLOTS), bought(rooms, client, **CREDITS)
    listed = rooms.get(at)
    assert [one["id"] for one in listed["data"]] == [p.rpartition("/")[2] for p in (first, second)]
    assert {k: v for k, v in listed.items() if k != "data"} == listed["data"][1]
    row = listed["data"][0]
    assert (row["duration"], row["costPerSlotPerHour"]) == (31 * 24, Decimal("0.208333"))
    assert (row["costPerJobPerDay"], row["jobDuration"]) == (5, 31)
    assert [one["configType"] for one in listed["data"]] == ["SLOT", "DURATION"]
    assert rooms.get(f"{client}/configs?page=0&limit=1")["data"] == [row]
    assert rooms.get(f"{client}/configs?page=1&limit=1")["data"] == [listed["data"][1]]
    assert rooms.get(f"{at}?page=1&limit=1")["data"] == [listed["data"][1]]
    got = rooms.get(first)
    assert got["isActive"]
    assert (got["billingType"], row["billingType"]) == ("PREPAID", {"name": "PREPAID"})
    assert got["startDate"] == DATES["startDate"]


def test_dates_follow_their_pattern_and_the_clients_zone(rooms: RoomsOffice, client: str) -> None:
    dates = {"startDate": "03/12/2026", "endDate": "04/12/2026", "dateFormat": "dd/MM/yyyy"}
    config = bought(rooms, client, **SLOTS | dates)
    got = rooms.get(config)
    assert got["startDate"] == "2026-12-03T05:00:00.000Z"
    assert got["endDate"] == "2026-12-05T04:59:59.999Z"
    assert got["dateFormat"] == "dd/MM/yyyy"
    assert not got["isActive"]
    rooms.put(config, {"endDate": "07/12/2026"})
    assert rooms.get(config)["endDate"] == "2026-12-08T04:59:59.999Z"


def test_faults_are_named(rooms: RoomsOffice, client: str) -> None:
    at = f"{client}/publishers/P/configs"
    assert set(rooms.faults("POST", at, {})) == {
        "/cost",
        "/startDate",
        "/endDate",
        "/availableCount",
    }
    bad = SLOTS | {"endDate": "soon", "dateFormat": "qq", "availableCount": 0, "cost": -1}
    assert set(rooms.faults("POST", at, bad)) == {"/dateFormat", "/availableCount", "/cost"}
    assert set(rooms.faults("POST", at, SLOTS | {"endDate": "soon"})) == {"/endDate"}
    assert set(rooms.faults("POST", at, SLOTS | {"endDate": "9999-12-31"})) == {"/endDate"}
    before = SLOTS | {"endDate": iso_of(NOON - 3 * DAY)}
    assert set(rooms.faults("POST", at, before)) == {"/endDate"}
    long = SLOTS | {"jobDuration": 2, "minJobDurationInDays": 3}
    assert set(rooms.faults("POST", at, long)) == {"/minJobDurationInDays"}
    config = bought(rooms, client, **SLOTS)
    assert set(rooms.faults("PUT", config, {"cost": None, "endDate": "x"})) == {"/cost", "/endDate"}
    assert set(rooms.faults("PUT", config, {"rotateFreqInDays": 0})) == {"/rotateFreqInDays"}
    assert set(rooms.faults("PUT", config, {"minJobDurationInDays": 9, "jobDuration": 3}))
    both = {"endDate": before["endDate"], "jobDuration": 2, "minJobDurationInDays": 3}
    assert set(rooms.faults("PUT", config, both)) == {"/endDate", "/minJobDurationInDays"}
    rooms.put(config, {"minJobDurationInDays": 9})
    assert set(rooms.faults("PUT", config, {"jobDuration": 3})) == {"/minJobDurationInDays"}


def test_what_becomes_of_each_reference(rooms: RoomsOffice, client: str) -> None:
    rooms.jobs(client, "old", end_at=NOON - 1)
    rooms.jobs(client, "lame", missing=("title",))
    config = bought(rooms, client, **SLOTS)
    assert add(rooms, config, "a", "b", "c", "old", "lame", "none") == {
        "a": "ok",
        "b": "ok",
        "c": "NO_SLOT",
        "old": "JOB_INVALID",
        "lame": "JOB_INVALID",
        "none": "JOB_NOT_FOUND",
    }
    assert add(rooms, config, "b", "c") == {"b": "ALREADY_POSTED", "c": "NO_SLOT"}
    row = rooms.get(f"{client}/configs?page=0&limit=10")["data"][0]
    assert (row["usedCount"], row["postedJobsCount"]) == (2, 2)
    jobs = rooms.get(f"{config}/jobs")["data"]
    assert [job["refNumber"] for job in jobs] == ["a", "b", "c"]
    assert [job["isPosted"] for job in jobs] == [True, True, False]
    assert rooms.get(f"{config}/jobs/a") == jobs[0]
    assert rooms.ask("GET", f"{config}/jobs/none").status == 404
    assert rooms.faults("POST", f"{client}/configs/{jobs[0]['id']}/jobs", []) == {
        "": "must not be empty"
    }
    assert rooms.faults("DELETE", f"{config}/jobs", ["a", "a"]) == {"/1": "is given twice"}
    assert rooms.faults("DELETE", f"{config}/jobs", ["7", 7.0]) == {"/1": "is given twice"}
    inactive = bought(rooms, client, **SLOTS | {"startDate": iso_of(NOON + DAY)})
    assert add(rooms, inactive, "a") == {"a": "CONFIG_INACTIVE"}


def test_posted_jobs_of_a_publisher(rooms: RoomsOffice, client: str) -> None:
    one, two = bought(rooms, client, **SLOTS), bought(rooms, client, **SLOTS)
    add(rooms, one, "a", "b", "c")
    add(rooms, two, "b", "d")
    rooms.put(f"{two}/jobs/pin", ["d"])
    at = f"{client}/publishers/P/jobs"
    every = rooms.get(f"{at}?page=0&limit=100")["data"]
    assert [job["refNumber"] for job in every] == ["a", "b", "b", "d"]
    assert every[3]["configId"] == two.rpartition("/")[2]
    pinned = rooms.ask("GET", f"{at}?page=0&limit=1&pinned=true")
    assert [job["refNumber"] for job in pinned.json["data"]] == ["d"]
    assert "next" not in pinned.headers["link"]
    assert rooms.ask("GET", at).status == 400
    noun = rooms.noun(client)
    with rooms.desk.records.read() as tx:
        publisher_no = service.posting_of(tx, noun, one.rpartition("/")[2], None).publisher_no
        assert len(service.posted_jobs(tx, noun.no)[publisher_no]) == 3
    rooms.put(f"{two}/jobs/pause", ["d"])
    with rooms.desk.records.read() as tx:
        assert len(service.posted_jobs(tx, noun.no)[publisher_no]) == 2


def test_pins_and_pauses(rooms: RoomsOffice, client: str) -> None:
    config = bought(rooms, client, **SLOTS)
    add(rooms, config, "a", "b", "c")
    done = rooms.put(f"{config}/jobs/pin", ["b", "x"])
    assert done["message"] == "Pin request processed"
    assert done["result"]["x"] == {"success": False, "message": "JOB_NOT_FOUND"}
    assert rooms.faults("PUT", f"{config}/jobs/pin", ["a", "c"]) == {
        "": "only 2 jobs can be pinned"
    }
    rooms.put(f"{config}/jobs/pause", ["a", "b"])
    assert posted(rooms, config) == "bc", "a gives its slot up, b is pinned and keeps it"
    assert rooms.get(f"{config}/jobs?isPaused=true&isPosted=true&isPinned=true&status=A")["data"]
    assert rooms.get(f"{config}/jobs?status=P") == {"data": []}
    rooms.put(f"{config}/jobs/unpin", ["b"])
    assert posted(rooms, config) == "c"
    rooms.put(f"{config}/jobs/enable", ["a", "b"])
    assert posted(rooms, config) == "ac", "a was paused first and waits no longer than b, but older"
    client_level = f"{client}/configs/{config.rpartition('/')[2]}/jobs"
    gone = rooms.ask("DELETE", client_level, ["a"])
    assert gone.json["message"] == "Delete request processed"
    assert posted(rooms, config) == "bc"
    assert rooms.ask("GET", f"{config}/jobs/a").status == 404


def test_slots_take_turns(rooms: RoomsOffice, client: str) -> None:
    config = bought(rooms, client, **SLOTS | {"minJobDurationInDays": 1})
    add(rooms, config, "a", "b", "c", "d")
    rooms.put(f"{config}/jobs/pin", ["a"])
    turn(rooms, config, DAY)
    assert posted(rooms, config) == "ab", "no run is due"
    turn(rooms, config, DAY)
    assert posted(rooms, config) == "ac", "one may go: the first of those that never were posted"
    assert rooms.get(f"{config.rpartition('/')[0]}")["lastRotated"] == iso_of(NOON + 2 * DAY)
    turn(rooms, config, 2 * DAY)
    assert posted(rooms, config) == "ad"
    turn(rooms, config, 2 * DAY)
    assert posted(rooms, config) == "ab", "b waits longest"
    turn(rooms, config, 60 * DAY)
    assert posted(rooms, config) == "", "the purchase is over"
    assert rooms.ask("PUT", config, {"endDate": iso_of(NOON + 90 * DAY)}).status == 200
    assert posted(rooms, config) == "ac"


def test_credits_are_used_up(rooms: RoomsOffice, client: str) -> None:
    config = bought(rooms, client, **CREDITS)
    assert add(rooms, config, "a", "b", "c") == {"a": "ok", "b": "ok", "c": "NO_SLOT"}
    rooms.put(f"{config}/jobs/pause", ["a"])
    assert posted(rooms, config) == "b", "a's credit is used up although it is paused"
    rooms.put(f"{config}/jobs/enable", ["a"])
    assert posted(rooms, config) == "ab"
    assert rooms.faults("PUT", config, {"availableCount": 1}) == {
        "/availableCount": "must be at least the 2 in use"
    }
    turn(rooms, config, 5 * DAY - 1)
    assert posted(rooms, config) == "ab"
    turn(rooms, config, 1)
    assert posted(rooms, config) == ""
    assert add(rooms, config, "a") == {"a": "NO_SLOT"}
    rooms.put(config, {"availableCount": 3})
    assert len(posted(rooms, config)) == 1
    assert rooms.get(config)["usedCount"] == 3


def test_jobs_that_cannot_be_shown_lose_their_slot(rooms: RoomsOffice, client: str) -> None:
    config = bought(rooms, client, **SLOTS)
    rooms.jobs(client, "late", end_at=NOON + HOUR)
    add(rooms, config, "late", "a", "b")
    with rooms.desk.records.read() as tx:
        assert slots.due(tx, NOON + 10 * MINUTE, 10) == [config.rpartition("/")[2]]
    turn(rooms, config, HOUR)
    assert posted(rooms, config) == "ab"
    assert rooms.get(f"{config}/jobs?status=P")["data"][0]["refNumber"] == "late"


def test_jobs_that_are_gone_vanish(rooms: RoomsOffice, client: str) -> None:
    config = bought(rooms, client, **SLOTS)
    add(rooms, config, "a", "b", "c")
    with rooms.desk.records.write() as tx:
        tx.change(jobs, {"ref": "a"}, left_at=NOON)
    assert rooms.ask("GET", f"{config}/jobs/a").status == 404
    assert posted(rooms, config) == "b"
    assert rooms.put(f"{config}/jobs/pin", ["a"])["result"]["a"]["message"] == "JOB_NOT_FOUND"
    assert posted(rooms, config) == "bc", "its slot is free"
    one = rooms.ask("GET", f"{client}/publishers/P/jobs?page=0&limit=1")
    assert "page=1" in one.headers["link"]
    assert len(rooms.get(f"{client}/publishers/P/jobs?page=1&limit=1")["data"]) == 1


def test_every_move_wakes_the_listings(rooms: RoomsOffice, client: str) -> None:
    config = bought(rooms, client, **SLOTS)
    key = client.removeprefix("/clients/")

    def woken() -> int:
        with rooms.desk.records.write() as tx:
            return tx.run_text(f"DELETE FROM tasks WHERE key = '{key}'", {})[1]

    assert tasks.c.key is not None
    woken()
    add(rooms, config, "a")
    assert woken() == 1
    rooms.put(f"{config}/jobs/pin", ["a"])
    assert woken() == 0, "a pin moves nobody"
    rooms.put(f"{config}/jobs/pause", ["a"])
    assert woken() == 1
    rooms.ask("DELETE", config)
    assert woken() == 1


def test_one_purchase_serves_several_clients(rooms: RoomsOffice, client: str) -> None:
    other = rooms.client()
    rooms.jobs(other, "z")
    stranger = rooms.another().client()
    ids = [path.removeprefix("/clients/") for path in (client, other, stranger)]
    at = f"{client}/publishers/P/configs"
    assert rooms.ask("POST", at, SLOTS | {"clientIds": [ids[2]]}).status == 404
    config = bought(rooms, client, **SLOTS | {"clientIds": [ids[1], ids[0]]})
    assert rooms.get(config)["clientIds"] == [ids[0], ids[1]]
    theirs = config.replace(client, other)
    assert add(rooms, config, "a") == {"a": "ok"}
    assert add(rooms, theirs, "z", "a") == {"z": "ok", "a": "JOB_NOT_FOUND"}
    assert add(rooms, config, "b") == {"b": "NO_SLOT"}, "the slots are shared"
    assert [job["refNumber"] for job in rooms.get(f"{theirs}/jobs")["data"]] == ["z"]
    assert rooms.get(theirs)["usedCount"] == 2
    rooms.put(config, {"clientIds": []})
    assert rooms.ask("GET", theirs).status == 404
    assert posted(rooms, config) == "ab", "the slot of the client left out is free"


def test_slots_are_never_exceeded_by_many_at_once(rooms: RoomsOffice, client: str) -> None:
    other = rooms.client()
    refs = [f"r{n}" for n in range(12)]
    for path in (client, other):
        rooms.jobs(path, *refs)
    ids = [path.removeprefix("/clients/") for path in (client, other)]
    for body in (SLOTS, CREDITS):
        config = bought(rooms, client, **body | {"availableCount": 3, "clientIds": ids})
        paths = [path for path in (client, other) for _ in refs]
        with ThreadPoolExecutor(8) as threads:
            done = list(
                threads.map(add, [rooms] * 24, (config.replace(client, p) for p in paths), refs * 2)
            )
        assert sorted(reason for one in done for reason in one.values()) == (
            ["NO_SLOT"] * 21 + ["ok"] * 3
        )
        held = [
            rooms.get(f"{config.replace(client, p)}/jobs?isPosted=true") for p in (client, other)
        ]
        assert sum(len(one["data"]) for one in held) == rooms.get(config)["usedCount"] == 3


def test_foreign_unknown_and_deleted_are_one_answer(rooms: RoomsOffice, client: str) -> None:
    config = bought(rooms, client, **SLOTS)
    rooms.ask("POST", "/publishers", {"id": "Q", "name": "Q"})
    gone = bought(rooms, client, **SLOTS)
    assert rooms.ask("DELETE", gone).json == {"result": True, "message": "Config update processed"}
    elsewhere = config.replace("/publishers/P/", "/publishers/Q/")
    nobody = config.replace("/publishers/P/", "/publishers/none/")
    urls = [gone, elsewhere, nobody, config.replace(client, rooms.client()), config + "x"]
    for url in urls:
        for verb, path, body in (
            ("GET", url, None),
            ("PUT", url, {}),
            ("DELETE", url, None),
            ("GET", url + "/jobs", None),
            ("GET", url + "/jobs/a", None),
            ("PUT", url + "/jobs/pin", ["a"]),
        ):
            reply = rooms.ask(verb, path, body)
            assert (reply.status, reply.json["message"]) == (404, "Not found"), (verb, path)
    client_level = f"{client}/configs/{gone.rpartition('/')[2]}/jobs"
    assert rooms.ask("POST", client_level, ["a"]).status == 404
    assert rooms.get(config)["id"] == config.rpartition("/")[2]
