"""``handbill markup``: the same as the operations, beside a server or without one."""

import io
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from handbill.access.service import create_agency
from handbill.cli import markups
from handbill.cli.speaking import Mistaken, settings_with
from handbill.clients.service import create as create_client
from handbill.core.nouns import ClientBody
from handbill.host.outside import of_this_machine
from handbill.kit.faults import Refused
from handbill.kit.jsons import decode, encode
from handbill.opening import opened, prepare

SINCE = 1_793_491_200


class Shop:
    """An agency and its client, in a data folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.data = str(folder / "data")
        self._capsys = capsys
        settings = settings_with(data=self.data)
        prepare(settings, of_this_machine(settings))
        with opened(settings, of_this_machine(settings)) as stores, stores.records.write() as tx:
            now = stores.clock.now()
            for name in ("acme", "other"):
                create_agency(tx, stores.ids, now, agency_id=name, name=name, currency="USD")
            given = ClientBody(company_name="Mills", exported_name="Mills")
            self.client = create_client(tx, stores.ids, now, 1, given).id

    def said(self, command: Any, *ids: str, agency: str = "acme", **flags: Any) -> Any:
        """What a command prints, as JSON."""
        command(*ids, agency_id=agency, data=self.data, json=True, **flags)
        lines = self._capsys.readouterr().out.splitlines()
        return [decode(line.encode()) for line in lines]

    def create(self, **flags: Any) -> str:
        flags = {"client": self.client, "value": "12.5", "effective_from": f"{SINCE}"} | flags
        (told,) = self.said(markups.create_markup, **flags)
        made: str = told["markupId"]
        return made

    def show(self, markup_id: str) -> Any:
        return self.said(markups.show_markup, markup_id)[0]


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(tmp_path, capsys)


def test_a_markup_of_flags_is_created_changed_and_deleted(shop: Shop) -> None:
    made = shop.create(name="up")
    told = shop.show(made)
    assert (told["value"], told["effectiveFrom"], told["name"]) == (Decimal("12.5"), SINCE, "up")
    assert told["entities"] == [
        {"clientId": shop.client, "entityId": shop.client, "level": "Client", "placementId": None}
    ]
    shop.said(markups.update_markup, made, effective_from="2026-11-02", value="7")
    told = shop.show(made)
    assert (told["value"], told["effectiveFrom"], told["name"]) == (7, SINCE + 86_400, "up")
    assert shop.said(markups.list_markups) == [told]
    assert shop.said(markups.list_markups, client=shop.client) == [told]
    assert shop.said(markups.list_markups, agency="other") == []
    shop.said(markups.delete_markup, made)
    assert shop.said(markups.list_markups) == []
    with pytest.raises(Mistaken):
        shop.show(made)


def test_a_markup_of_json(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entity = {"clientId": shop.client, "level": "Client"}
    body = encode({"effectiveFrom": SINCE, "value": 3, "entities": [entity]})
    file = tmp_path / "body.json"
    file.write_bytes(body)
    nothing = {"client": None, "value": None, "effective_from": None}
    made = [shop.create(json_body=str(file), **nothing)]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))
    made.append(shop.create(json_body="-", **nothing))
    assert [one["id"] for one in shop.said(markups.list_markups)] == made
    for bad in (b"{", b"", b"\xff"):
        file.write_bytes(bad)
        with pytest.raises(Mistaken):
            shop.create(json_body=str(file), **nothing)
    file.write_bytes(b"[]")
    with pytest.raises(Refused):
        shop.create(json_body=str(file), **nothing)
    with pytest.raises(Mistaken, match="omit the other options"):
        shop.create(json_body=str(file))
    with pytest.raises(Mistaken, match="No such file"):
        shop.create(json_body=str(tmp_path / "none"), **nothing)


def test_what_cannot_be_is_told(shop: Shop) -> None:
    made = shop.create()
    flags: dict[str, Any]
    for flags in (
        {"value": "x"},
        {"value": "NaN"},
        {"client": "nobody"},
        {"agency": "nobody"},
        {"agency": "other"},
        {"level": "Campaign", "entity": "x"},
    ):
        with pytest.raises(Mistaken):
            shop.create(**flags)
    for flags, field in (
        ({"value": "-1"}, "/value"),
        ({"effective_from": "soon"}, "/effectiveFrom"),
        ({"level": "Job"}, "/entities/0/level"),
        ({"level": "Campaign"}, "/entities/0/entityId"),
        ({"client": None}, "/entities"),
        ({"placement": "Nobody"}, "/entities/0/placementId"),
    ):
        with pytest.raises(Refused) as refused:
            shop.create(**flags)
        assert [fault.field for fault in refused.value.faults] == [field]
    for command in (markups.delete_markup, markups.show_markup, markups.update_markup):
        with pytest.raises(Mistaken):
            shop.said(command, made, agency="other")
    assert [one["id"] for one in shop.said(markups.list_markups)] == [made]
