"""A rule that acts, as a publisher and a user see it: a job group that spends without applies
leaves the feed; it comes back by an undo, by another rule, or by hand; a user's own pause stays.
"""

from pathlib import Path
from typing import Any

from flows.days_world import Town, living, open_client
from flows.test_serve import check_books

_SPENDS = {"parameter": "spent", "condition": "greater than", "value": 0.4, "unit": "$"}
_WITHOUT = {"parameter": "applies", "condition": "equals", "value": 0, "unit": "#"}


def _rule(kind: str, *conditions: dict[str, Any], **more: Any) -> dict[str, Any]:
    said = [{"conditionDuration": "today"} | one for one in conditions]
    return {
        "name": kind,
        "filterLevel": "jobgroups",
        "actionType": "administration",
        "adminActions": {"type": kind},
        "conditions": said,
        "endDate": "12/31/2030",
    } | more


def _run(town: Town) -> None:
    """Let the rules run again."""
    town.forward(minutes=16)


def test_a_rule_holds_what_spends_without_applies(tmp_path: Path) -> None:
    with living(tmp_path) as town:
        town.new("/publishers", {"id": "Board", "name": "Board", "bidType": "CPC"})
        client = open_client(town, "Acme", job={})
        mine = {"x-client-id": client}
        (group,) = (
            one
            for one in town.ask("GET", f"/clients/{client}/jobgroups?page=0&limit=9")["data"]
            if not one["isDefault"]
        )
        at = f"/clients/{client}/campaigns/{group['campaignId']}/jobgroups/{group['id']}"
        town.sees("listed", lambda: town.is_listed("Board", {"Acme"}), "-")
        (link,) = town.links("Board").values()
        for visitor in range(2):
            town.click(link, visitor)
        town.sees("two clicks are booked", lambda: len(town.ledger()) == 2 or None, "-")

        body = _rule("pause", _SPENDS, _WITHOUT)
        seen = town.ask("POST", "/rules/preview", body, **mine)
        (one,) = seen["entities"]
        assert (one["id"], one["seen"], one["skip"]) == (group["id"], [1, 0], None)
        assert [act["action"] for act in one["acts"]] == ["pause"]
        rule = town.ask("POST", "/rules", body, **mine)["data"]["id"]
        assert town.ask("GET", "/rules/control", **mine)["effective"] == "ADVISE"

        def runs() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = town.ask(
                "GET", f"/rules/{rule}/runs?page=0&limit=9", **mine
            )["data"]
            return found

        _run(town)
        (advised,) = town.sees("it advises", lambda: runs() or None, "-")
        assert (advised["mode"], advised["entities"]) == ("ADVISE", seen["entities"])
        assert town.is_listed("Board", {"Acme"}), "nothing was done"
        town.ask("PUT", "/rules/control", {"control": "ACT"}, **mine)
        _run(town)
        town.sees("held, it is gone", lambda: town.is_listed("Board", set()), "-")
        (hold,) = town.ask("GET", f"/clients/{client}/holds")["data"]
        assert (hold["ruleId"], hold["entityId"]) == (rule, group["id"])
        told = town.ask("GET", f"{at}/resolved-status")
        (why,) = told["reasons"]
        assert (told["status"], why["code"], why["blocking"]) == ("PAUSED", "HELD_BY_RULE", True)
        explained = town.ask("GET", f"/clients/{client}/jobs/Acme/explain")
        assert explained["publishers"][0]["reasons"] == ["HELD_BY_RULE"]
        assert town.ask("GET", at)["activeStatus"] == "A", "the user's own switch stays as it was"

        run = runs()[0]
        undone = town.ask("POST", f"/rules/{rule}/runs/{run['id']}/undo", **mine)
        assert ([act["undone"] for act in undone["undone"]], undone["left"]) == ([True], [])
        assert town.call("POST", f"/rules/{rule}/runs/{run['id']}/undo", **mine)[0] == 400
        town.sees("undone, it is back", lambda: town.is_listed("Board", {"Acme"}), "-")
        _run(town)

        # Another rule, killed amid its runs, holds it once; the fix lifts it.
        second = town.ask("POST", "/rules", body | {"name": "again"}, **mine)["data"]["id"]
        town.forward(hours=7)
        town.log_in()
        town.kill("worker-0")
        town.sees("held anew", lambda: town.is_listed("Board", set()), "-")
        (hold,) = town.ask("GET", f"/clients/{client}/holds")["data"]
        assert hold["ruleId"] == second
        # The other reason is that nobody has fetched the feed for hours, until the fetch is judged.
        reasons = town.ask("GET", f"{at}/resolved-status")["reasons"]
        (why,) = (one for one in reasons if one["code"] != "NOT_FETCHED")
        assert why["code"] == "HELD_BY_RULE"
        assert town.ask("PUT", why["fix"]["path"])["result"] is True
        town.sees("lifted, it is back", lambda: town.is_listed("Board", {"Acme"}), "-")

        # A user's own pause stays, whatever rules lift.
        town.ask("PUT", f"{at}/pause")
        town.ask("POST", "/rules", _rule("resume", _WITHOUT), **mine)
        _run(town)
        assert town.ask("GET", at)["activeStatus"] == "P"
        changes = town.kept("SELECT count(*) FROM changes WHERE actor = 'RULE'")
        assert changes == 2, "each hold was told as a change by its rule, and nothing twice"
        assert town.server.stop() == 0
    assert check_books(town.data)["balanced"] is True
