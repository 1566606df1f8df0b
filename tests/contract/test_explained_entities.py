"""Explanations of clients, campaigns, job groups and caps, by the API and by commands."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contract.causing import held
from contract.office import Office
from contract.test_explain import id_of, tools
from contract.test_resolved_status import Market, budget, two_places
from handbill.__main__ import app
from handbill.access.keys import ensure_secrets
from handbill.access.service import agency_of
from handbill.kit.instants import MINUTE
from handbill.work.tools import Tools
from market import Market as Books
from masters import MASTER_KEY

__all__ = ["tools"]


@pytest.fixture
def of_records(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The variables by which a command in another folder finds the same records and files."""
    url = f"sqlite:///{tmp_path / 'records.db'}"
    if request.node.callspec.params["records"] == "postgresql":
        url = request.getfixturevalue("postgres_migrated")
    return {"HANDBILL_RECORDS_URL": url, "HANDBILL_BLOBS_URL": str(tmp_path / "blobs")}


def test_a_cap_says_who_uses_it_and_since_when_it_is_so(office: Office, tools: Tools) -> None:
    market = Market(office, tools).open()
    made = market.explained(market.group)
    (shown,) = made["listings"]
    assert (shown["listings"], shown["resolvedStatus"]["status"]) == (1, "ACTIVE")
    (cap,) = made["caps"]
    begun = office.get(market.group)["createdOn"]
    assert (cap["setOn"], cap["drawnBy"], cap["reserved"]) == (begun, [], 0)
    two_places(market)
    office.put(market.campaign, {"caps": {"clicks": {"cap": "Weekly", "value": 7}}})
    market.tick()
    office.put(market.group, {"name": "another name", "caps": budget(10)})
    office.put(market.group, {"name": "a third"})
    named = {
        (one["cap"], one.get("publisherId")): one for one in market.explained(market.group)["caps"]
    }
    whole, locked = named["budget", None], named["budget", f"{market.publisher}b"]
    assert (whole["reserved"], whole["value"], whole["used"]) == (8, 10, Decimal("1.8"))
    assert whole["drawnBy"] == [
        {
            "level": "PLACEMENT",
            "id": market.publisher,
            "name": market.publisher,
            "used": Decimal("1.8"),
        }
    ]
    assert (locked["locked"], locked["drawnBy"], locked["value"]) == (True, [], 8)
    assert whole["setOn"] > begun, "it was changed once, and sent again as it was"
    assert whole["setOn"] == locked["setOn"]
    of_client, of_campaign = market.explained(market.client), market.explained(market.campaign)
    assert [one["id"] for one in of_client["caps"][0]["drawnBy"]] == [id_of(market.campaign)]
    for asked, caps in (
        ("cap=budget", [whole, locked]),
        (f"cap=BUDGET&publisherId={market.publisher}b", [locked]),
        (f"publisherId={market.publisher}", []),
        ("cap=clicks", []),
    ):
        told = office.get(f"{market.group}/explain?{asked}")
        assert told == market.explained(market.group) | {"caps": caps}, asked
    assert office.faults("GET", f"{market.group}/explain?cap=spend").keys() == {"/cap"}
    unknown = office.ask("GET", f"{market.group}/explain?cap=budget&publisherId=Nobody")
    assert unknown.status == 404
    (clicks,) = of_campaign["caps"]
    assert [(one["id"], one["used"]) for one in clicks["drawnBy"]] == [(id_of(market.group), 1)]
    office.ask("DELETE", market.group)
    market.tick()
    (clicks,) = market.explained(market.campaign)["caps"]
    assert (clicks["drawnBy"], clicks["drawnByOthers"], clicks["used"]) == ([], 1, 1)


def test_commands_explain_the_same(
    office: Office, tools: Tools, of_records: dict[str, str], tmp_path: Path
) -> None:
    market = Market(office, tools).open()
    market.spend(2.5)
    office.put(f"{market.campaign}/pause")
    market.tick()
    client, campaign, group = map(id_of, (market.client, market.campaign, market.group))

    def run(*words: str) -> Result:
        return command(of_records, tmp_path, "explain", *words)

    of = "--client", client
    path: str
    words: tuple[str, ...]
    for path, words in (
        (market.client, ("client", client)),
        (market.campaign, ("campaign", campaign, *of)),
        (market.group, ("group", group, *of)),
    ):
        told: Any = json.loads(run(*words, "--json").stdout)
        found = office.get(f"{path}/explain")
        assert told.keys() == found.keys()
        for name in ("level", "id", "name", "listings"):
            assert told[name] == found[name], "the command's clock is another one"
        assert told["resolvedStatus"]["reasons"] == found["resolvedStatus"]["reasons"]
        lines = run(*words)
        assert lines.exit_code == 0, lines.output
        assert told["name"] in lines.stdout
    assert "the campaign is paused" in run("group", group, *of).stdout
    cap = run("cap", "budget", *of, "--group", group)
    assert "2.5 of 9000 used" in cap.stdout
    assert json.loads(run("cap", "budget", *of, "--json").stdout)["drawnBy"][0]["id"] == campaign
    for wrong in (
        ("group", "nobody", *of),
        ("group", group, "--client", "nobody"),
        ("campaign", group, *of),
        ("cap", "clicks", *of),
        ("cap", "budget", *of, "--group", group, "--publisher", "Nobody"),
    ):
        assert run(*wrong).exit_code != 0, wrong
    commands_lift_holds(market, of_records, tmp_path)


def test_a_click_is_explained_by_api_and_command_alike(
    office: Office, of_records: dict[str, str], tmp_path: Path
) -> None:
    books = Books(office.desk.records, tmp_path, clock=office.clock)
    with office.desk.records.write() as tx:
        ensure_secrets(tx, office.desk.ids, office.clock.now())
        books.agency_no = agency_of(tx, office.agency_id).no
    listing = books.listing()
    first, again = (books.clicked(listing, ip="203.0.113.3") for _ in range(2))
    office.clock.forward(MINUTE)
    books.judge_all()
    for click, disposition in ((first, "valid"), (again, "duplicate")):
        id_ = click.random.hex()
        told = office.get(f"/clients/c1/clicks/{id_}/explain")
        assert (told["clickId"], told["disposition"]) == (id_, disposition)
        said = command(of_records, tmp_path, "explain", "click", id_, "--client", "c1", "--json")
        assert json.loads(said.stdout, parse_float=Decimal) == told
        (lists,) = [one for one in told["checks"] if one["check"] == "ADDRESS_LIST"]
        assert (lists["result"], lists["description"]) == (
            "OFF",
            "the click definition has no list of bots' addresses",
        )
    strange = office.another().ask("GET", f"/clients/c1/clicks/{first.random.hex()}/explain")
    assert strange.status == 404


def command(of_records: dict[str, str], tmp_path: Path, *words: str) -> Result:
    (tmp_path / "at" / "index" / "data.mdb").unlink(missing_ok=True)  # as in test_commands
    runner = CliRunner(env={"HANDBILL_SECRETS_KEY": MASTER_KEY} | of_records)
    return runner.invoke(app, [*words, "--data", str(tmp_path / "at")])


def commands_lift_holds(market: Market, of_records: dict[str, str], tmp_path: Path) -> None:
    """They list what rules hold as the API does, and lift it once."""
    for kind in ("campaign", "group", "job"):
        held(kind)(market)
    of = "--client", id_of(market.client)
    told = market.office.get(f"{market.client}/holds")["data"]
    assert [(one["level"], one["name"]) for one in told] == [
        ("CAMPAIGN", "autumn"),
        ("JOBGROUP", "g"),
        ("JOB", "1"),
    ]
    listed = command(of_records, tmp_path, "rules", "holds", *of, "--json")
    assert json.loads(listed.stdout, parse_float=Decimal)["data"] == told
    assert "autumn" in command(of_records, tmp_path, "rules", "holds", *of).stdout
    for one in told:
        lift = ("rules", "lift", one["id"], *of)
        assert command(of_records, tmp_path, *lift).exit_code == 0
        assert "no such hold" in str(command(of_records, tmp_path, *lift).exception)
    assert market.office.get(f"{market.client}/holds")["data"] == []
