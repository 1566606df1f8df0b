"""Every cause that keeps something out of the feeds: told first, told alike everywhere, mended."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.testing import CliRunner

from contract.causes import CAUSES, WITHOUT_FIX, Cause
from contract.causing import held, nine_jobs
from contract.conftest import opened
from contract.office import Office
from contract.test_explain import at, explained, id_of, opened_tools, sqlite_tools
from contract.test_resolved_status import Market, budget, days
from handbill.__main__ import app
from handbill.cli.budgets import MENDED
from handbill.contract.standing.models import ABOUT
from handbill.core.standing.reasons import FixKind
from handbill.store.records import Records
from handbill.work.tools import Tools
from masters import MASTER_KEY

__all__ = ["sqlite_tools"]


ON_BOTH = (
    "campaign held",
    "job ended",
    "campaign's clicks",
    "placement's week",
    "job's own budget",
    "excluded",
    "below the least bid in euros",
)
"""One of each kind, also on PostgreSQL."""


@pytest.fixture
def market(sqlite_office: Office, sqlite_tools: Tools) -> Market:
    """A client in which all is well."""
    return well(sqlite_office, sqlite_tools)


@pytest.fixture
def on_postgresql(postgres_records: Records, tmp_path: Path) -> Iterator[Market]:
    """The same on the other engine."""
    for office in opened(postgres_records, tmp_path):
        for tools in opened_tools(office, tmp_path):
            yield well(office, tools)


def well(office: Office, tools: Tools) -> Market:
    market = Market(office, tools).open()
    told = market.stands(market.client)
    assert (told["status"], told["delivery"], told["reasons"]) == ("ACTIVE", "FULL", [])
    assert market.is_listed()
    return market


JOBS_WORDS = {
    "PAUSED JOB": "JOB_PAUSED",
    "EXPIRED JOB": "EXPIRED|JOB_NOT_IN_FORCE",
    "NOT_STARTED JOB": "JOB_NOT_IN_FORCE",
    "NO_GROUP": "NO_PLACEMENT",
    "PLACEMENT_PAUSED": "PLACEMENT_INACTIVE",
    "PUBLISHER_PAUSED": "PUBLISHER_INACTIVE",
    "EXCLUDED": "PUBLISHER_EXCLUDED",
    "JOBS_CAPPED": "CAPPED",
    **dict.fromkeys((f"CAP_{why}" for why in ("ZERO", "REACHED", "IN_FLIGHT", "LOCKED")), "CAPPED"),
    **dict.fromkeys(
        ("PAUSED", "PARENT_PAUSED", "EXPIRED", "OFF_DAY", "NOT_STARTED"), "NOT_TRADING"
    ),
}
"""How the explanation of a job says the same; other codes alike."""


def is_listed(market: Market) -> bool:
    """Whether the job is in its publisher's feed; explanation and feed agree."""
    told = explained(market.office, market.client)["publishers"]
    return any(one["id"] == market.publisher for one in told) and market.is_listed()


def first_of(market: Market, cause: Cause) -> Any:
    """The state that was asked for, once it and every explanation tell the same."""
    place = f"{market.group}/placements/{market.publisher}"
    where = place if cause.asked == "placement" else getattr(market, cause.asked)
    told = market.stands(where)
    first = told["reasons"][0]
    assert f"{first['code']} {first['level']}" == cause.told, told
    assert told["delivery"] == "STOPPED"
    assert told["description"] == first["description"]
    at_once = cause.asked == "job" and first["since"] is None
    assert first["since"] == (None if at_once else told["evaluatedAt"])
    assert not is_listed(market)
    if cause.asked == "job":
        seen = at(explained(market.office, market.client), market.publisher)["reasons"]
        code = str(first["code"])
        words = JOBS_WORDS.get(cause.told) or JOBS_WORDS.get(code) or code
        assert {*words.split("|")}.intersection(seen), seen
        return told
    seen = market.explained(market.group if cause.asked == "placement" else where)
    shown = next((one for one in seen["listings"] if one["id"] == market.publisher), None)
    assert shown is None or shown["listings"] == 0
    if cause.asked == "placement":
        assert shown is not None
        assert shown["resolvedStatus"]["description"] == first["description"]
    return told


@pytest.mark.parametrize("name", CAUSES)
def test_each_cause_is_told_first_and_mended_by_its_fix(market: Market, name: str) -> None:
    """One after the other, each over a client of its own, in which all is well before."""
    is_told_and_mended(market, CAUSES[name])


@pytest.mark.parametrize("name", ON_BOTH)
def test_some_of_each_kind_on_postgresql(on_postgresql: Market, name: str) -> None:
    is_told_and_mended(on_postgresql, CAUSES[name])


def is_told_and_mended(market: Market, cause: Cause) -> None:
    for act in cause.acts:
        act(market)
    market.tick()
    fix = first_of(market, cause)["reasons"][0]["fix"]
    assert fix is not None
    reply = market.office.ask(fix["method"], fix["path"], fix["body"])
    assert reply.status == 200, (fix, reply.raw)
    market.tick()
    assert_well(market, cause)


@pytest.mark.parametrize("name", WITHOUT_FIX)
def test_a_cause_that_no_request_mends_has_no_fix(market: Market, name: str) -> None:
    cause = WITHOUT_FIX[name]
    for act in cause.acts:
        act(market)
    market.tick()
    assert first_of(market, cause)["reasons"][0]["fix"] is None, cause.why_no_fix
    for act in cause.mended:
        act(market)
    market.tick()
    if cause.mended:
        assert_well(market, cause)


def test_several_causes_are_mended_one_by_one(market: Market) -> None:
    """Each fix removes the first reason, and leaves the next one to be mended."""
    for name in ("excluded", "off day", "cap of 0", "campaign paused", "client paused"):
        for act in CAUSES[name].acts:
            act(market)
    market.tick()
    mended = []
    while reasons := market.stands(market.group)["reasons"]:
        first = reasons[0]
        mended.append(first["code"] + first["level"])
        fix = first["fix"]
        assert market.office.ask(fix["method"], fix["path"], fix["body"]).status == 200
        market.tick()
        assert len(mended) < 9
    assert sorted(mended) == [
        "CAP_ZEROJOBGROUP",
        "EXCLUDEDCLIENT",
        "OFF_DAYJOBGROUP",
        "PARENT_PAUSEDCAMPAIGN",
        "PARENT_PAUSEDCLIENT",
    ]
    assert is_listed(market)


def test_what_slows_is_reported_and_stops_nothing(market: Market) -> None:
    nine_jobs(budget(3))(market)
    market.spend(1.9)
    market.tick()
    (brakes,) = market.explained(market.group)["resolvedStatus"]["reasons"]
    assert (brakes["code"], brakes["blocking"]) == ("CAP_BRAKING", False)
    fix = brakes["fix"]
    assert market.office.ask(fix["method"], fix["path"], fix["body"]).status == 200
    market.tick()
    assert market.stands(market.group)["reasons"] == []
    days(4)(market)
    market.tick()
    lost = market.explained(market.group)["resolvedStatus"]["reasons"][-1]
    assert (lost["code"], lost["level"]) == ("NOT_FETCHED", "PUBLISHER")
    assert (lost["blocking"], lost["fix"]) == (False, None)


def test_a_lowered_bid_is_reported_and_has_no_fix(market: Market) -> None:
    nine_jobs(budget(10, pacing=True, thresholdP=100))(market)
    (paced,) = market.explained(market.group)["resolvedStatus"]["reasons"]
    assert (paced["code"], paced["blocking"], paced["fix"]) == ("PACED", False, None)


def test_a_hold_is_told_by_the_command(market: Market, tmp_path: Path) -> None:
    held("group")(market)
    market.tick()
    runner = CliRunner(env={"HANDBILL_SECRETS_KEY": MASTER_KEY})
    for words in (
        ("explain", "group", id_of(market.group), "--client", id_of(market.client)),
        ("status", id_of(market.client)),
    ):
        said = runner.invoke(app, [*words, "--data", str(tmp_path)])
        assert said.exit_code == 0, said.output
        assert "to mend it, lift the rule's hold" in said.stdout
    assert MENDED.keys() == {*get_args(FixKind)}, "each kind of fix has its words"


def test_every_code_has_its_cause_here() -> None:
    seen = {one.told.split()[0] for one in (*CAUSES.values(), *WITHOUT_FIX.values())}
    slowing = {"CAP_BRAKING", "PACED", "NOT_FETCHED"}
    assert seen | slowing == ABOUT.keys() - {"NO_URL"}, "a job without a URL is not even valid"


def assert_well(market: Market, cause: Cause) -> None:
    place = f"{market.group}/placements/{market.publisher}"
    mended = market.stands(place if cause.asked == "placement" else getattr(market, cause.asked))
    assert mended["status"] == "ACTIVE", mended
    assert mended["delivery"] in {"FULL", "PACED"}, mended
    assert mended["alsoHolding"] == [], mended
    assert market.is_listed()
