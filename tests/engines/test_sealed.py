"""All that is sealed comes under another master key, in steps that may be broken off."""

from pathlib import Path

import pytest

from handbill.access import keys, rotating, rows, tokens
from handbill.access.doors import AccessDoors
from handbill.access.service import create_agency, proved_key
from handbill.host.clock import SetClock
from handbill.host.ids import SeededIds
from handbill.host.masters import Masters, NoMasterKey, add_first, drawn, file_of
from handbill.host.settings import Settings
from handbill.kit.faults import Refused
from handbill.kit.instants import DAY, MINUTE, Instant
from handbill.store import sealed
from handbill.store.records import Records

NOW: Instant = 20_780 * DAY
IDS = SeededIds(5)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(data=str(tmp_path))
    add_first(file_of(found), drawn(IDS))
    return found


def test_a_new_master_key_takes_over_in_steps(records: Records, settings: Settings) -> None:
    records.masters = Masters(settings)
    with records.write() as tx:
        keys.ensure_secrets(tx, IDS, NOW)
        before = {name: keys.secret(tx, name) for name in (*keys.RANDOM, keys.SIGNING)}
        former = sealed.in_force(tx)
    assert former is not None
    add_first(file_of(settings), drawn(IDS))
    newest = Masters(settings).newest()
    with records.write() as tx:
        sealed.put_in_force(tx, newest, NOW + 1)  # by a process that has read its file before
        keys.add(tx, "listing", 2, b"n" * 32, NOW)
        assert sealed.reseal(tx, 2) == 2
        assert sealed.names_used(tx) == {former: len(before) - 2, newest: 3}
        assert sealed.names_needed(tx) == {former, newest}
    with records.write() as tx:
        while sealed.reseal(tx, 2):
            continue
        assert sealed.names_used(tx) == {newest: len(before) + 1}
    lines = file_of(settings).read_text().splitlines()
    file_of(settings).write_text("\n".join(lines[:-1]))  # without the former
    records.masters = Masters(settings)
    with records.read() as tx:
        assert {name: keys.secret(tx, name)[1] for name in before} == {
            name: kept[1] for name, kept in before.items()
        }
    file_of(settings).write_text(lines[-1])  # the former alone
    records.masters = Masters(settings)
    with records.read() as tx, pytest.raises(NoMasterKey, match=newest.hex()):
        keys.secret(tx, "jwt")


def test_own_keys_are_exchanged_with_overlap(records: Records, settings: Settings) -> None:
    records.masters = Masters(settings)
    clock = SetClock(NOW)
    doors = AccessDoors(settings)
    with records.write() as tx:
        keys.ensure_secrets(tx, IDS, NOW)
        _, api_key, client_id = create_agency(
            tx, IDS, NOW, agency_id="acme", name="Acme", currency="USD"
        )
        caller = doors.caller(tx, api_key, NOW)
        assert caller is not None
        client = next(iter(keys.secret(tx, "jwt").values()))
        api_client = rows.api_client(tx, client_id)
        assert api_client is not None
        token = tokens.issue(client, IDS, NOW, api_client, settings.public_api, 86_400)
        assert doors.admits(tx, caller, token, NOW)
        assert rotating.rotate(tx, IDS, NOW, "jwt") == 2
        clock.forward(MINUTE)
        assert doors.admits(tx, caller, token, clock.now()), "former tokens stay good"
        with pytest.raises(Refused, match="400"):
            rotating.retire(tx, clock.now(), "jwt", 2, at_once=True)  # it signs
        with pytest.raises(Refused, match="400"):
            rotating.retire(tx, clock.now(), "jwt", 1, at_once=False)
        rotating.retire(tx, clock.now(), "jwt", 1, at_once=True)
        clock.forward(MINUTE)
        assert doors.admits(tx, caller, token, clock.now()) is None, "a retired key's token lives"
        assert rotating.rotate(tx, IDS, NOW, "apikey") == 2
        assert proved_key(tx, api_key, {}, NOW) is not None
        with pytest.raises(Refused, match="400"):
            rotating.retire(tx, clock.now(), "apikey", 1, at_once=True)  # a key lives under it
