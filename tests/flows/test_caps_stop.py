"""A cap that is full takes its listings out of the feeds; more room brings them back: the whole
tree, as a publisher and a visitor see it.
"""

import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from flows.days_world import NOON, Town, living, open_client
from flows.test_serve import check_books
from serving import asked, handbill

BUDGET = 2.0  # four clicks at 0.50


def _caps(value: float, **more: object) -> dict[str, object]:
    return {"caps": {"budget": {"cap": "Monthly", "value": value, **more}}}


def _links(town: Town) -> list[str]:
    town.sees("the job is listed", lambda: town.is_listed("Board", {"Acme"}), "-")
    return list(town.links("Board").values())


def _story(town: Town, client: str, at: str) -> Any:
    """The job group's budget, once control has looked at the last click. Then it is told alike by
    budget, resolved-status, explain, stats and both commands.
    """
    budget = town.ask("GET", f"/clients/{client}/budget")
    told, cap = _cap_in(budget)
    if cap["delivery"] != "STOPPED" or not cap["unbilled"]["count"]:
        return None
    assert (cap["value"], cap["used"], cap["unbilled"]["count"]) == (BUDGET, BUDGET, 1)
    assert cap["unbilled"]["value"] == 0.5
    assert [one["id"] for one in cap["unbilled"]["publishers"]] == ["Board"]
    assert cap["unspentBecause"] == []
    stands = town.ask("GET", f"{at}/resolved-status")
    brief = {name: stands[name] for name in ("status", "description")}
    assert told["resolvedStatus"] == brief | {"delivery": "STOPPED"}
    assert stands["status"] == "CAPPED"
    assert stands["reasons"][0]["params"]["used"] == BUDGET
    explained = town.ask("GET", f"/clients/{client}/jobs/Acme/explain")
    assert explained["publishers"][0]["reasons"] == ["CAPPED"]
    assert explained["jobGroup"]["state"] == brief
    assert _row_of_stats(town, client) == {
        "resolvedStatus": "CAPPED",
        "resolvedStatusDescription": stands["description"],
        "clicks": "4",
        "overCapClicks": "1",
        "spent": "2",
    }
    clock = {"clock_file": str(town.data.parent / "offset")}
    printed = handbill("budget", client, "--json", data=town.data, **clock)
    assert printed.returncode == 0, printed.stderr
    _, by_command = _cap_in(json.loads(printed.stdout))
    assert {name: by_command[name] for name in ("used", "delivery", "unbilled")} == {
        name: cap[name] for name in ("used", "delivery", "unbilled")
    }
    said = handbill("status", client, data=town.data, **clock)
    assert "Group: CAPPED, STOPPED" in said.stdout, said.stderr
    return cap


def _cap_in(budget: Any) -> tuple[Any, Any]:
    """The job group, and its budget."""
    (group,) = (one for campaign in budget["campaigns"] for one in campaign["jobGroups"])
    (cap,) = group["caps"]
    return group, cap


def _row_of_stats(town: Town, client: str) -> dict[str, str]:
    today = town.at.date()
    days = {"startDate": f"{today - timedelta(days=2)}", "endDate": f"{today}"}
    question = {"filters": days, "aggregationLevel": {"primaryLevel": "JOBGROUP"}}
    asked_for = town.ask("POST", "/stats", question, x_client_id=client)

    def made() -> str | None:
        path = f"/stats/{asked_for['taskId']}"
        told = town.ask("GET", path, x_client_id=client)
        return told["location"][0] if told["status"] == "SUCCESS" else None

    _, _, raw = asked(town.sees("the report", made, "-"))
    (row,) = csv.DictReader(raw.decode().splitlines())
    names = ("resolvedStatus", "resolvedStatusDescription", "clicks", "overCapClicks", "spent")
    return {name: row[name] for name in names}


def _explained(town: Town, client: str, clicked: list[str]) -> None:
    """Each click says how the cap stood as it came, whatever it is set to by now."""
    for number, click_id in enumerate(clicked):
        told = town.ask("GET", f"/clicks/{click_id}/explain")
        assert told == town.ask("GET", f"/clients/{client}/clicks/{click_id}/explain")
        is_last = number == len(clicked) - 1
        assert told["disposition"] == ("over_cap" if is_last else "valid")
        assert [one["result"] for one in told["checks"] if one["result"] == "DECIDED"] == []
        (cap,) = (one for one in told["caps"] if one["level"] == "group")
        assert (cap["value"], cap["used"]) == (BUDGET, number * 0.5)
        assert (cap["decided"], cap["asNow"]) == (is_last, False)
        assert told["link"]["listedOn"] is not None
    said = handbill(
        "explain", "click", clicked[-1], data=town.data, clock_file=f"{town.data.parent / 'offset'}"
    )
    assert "over_cap (group_budget_monthly)" in said.stdout, said.stderr


def test_a_full_cap_leaves_the_feeds_and_comes_back(tmp_path: Path) -> None:
    with living(tmp_path) as town:
        town.new("/publishers", {"id": "Board", "name": "Board", "bidType": "CPC"})
        client = open_client(town, "Acme", job={}, group=_caps(BUDGET) | {"delivery": "ASAP"})
        (group,) = (
            one
            for one in town.ask("GET", f"/clients/{client}/jobgroups?page=0&limit=9")["data"]
            if not one["isDefault"]
        )
        assert group["delivery"] == "ASAP"
        at = f"/clients/{client}/campaigns/{group['campaignId']}/jobgroups/{group['id']}"
        (link,) = _links(town)
        clicked = [town.click(link, visitor) for visitor in range(5)]
        town.sees("full, it is gone", lambda: town.is_listed("Board", set()), "-")
        first = town.sees("all tell of the full cap", lambda: _story(town, client, at), "-")
        _explained(town, client, clicked)
        assert first["forecastEnd"] is None, "nothing is known on the first day"
        town.forward(days=1)
        town.log_in()
        second = town.sees("and on the next day", lambda: _story(town, client, at), "-")
        assert second["forecastEnd"]["value"] == BUDGET
        assert second["timeInBudget"] < first["timeInBudget"] < 100
        town.ask("PUT", at, _caps(2 * BUDGET))
        assert _links(town), "raised, it is back"
        town.ask("PUT", at, _caps(BUDGET))
        town.sees("lowered, it is gone", lambda: town.is_listed("Board", set()), "-")
        town.ask("PUT", f"/clients/{client}", _caps(1.0))
        town.ask("PUT", at, _caps(2 * BUDGET))
        town.sees("the client's own cap is full", lambda: town.is_listed("Board", set()), "-")
        _explained(town, client, clicked)
        town.move_to(
            NOON.replace(month=NOON.month % 12 + 1, day=1, year=NOON.year + NOON.month // 12)
        )
        town.log_in()
        assert _links(town), "a new month has room"
        assert town.server.stop() == 0
        clicks = "SELECT value FROM tallies WHERE kind = 'CLICK' AND disposition = "
        assert (town.kept(f"{clicks}'valid'"), town.kept(f"{clicks}'over_cap'")) == (4, 1)
    assert check_books(town.data)["balanced"] is True
