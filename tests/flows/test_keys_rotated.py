"""Our own keys are exchanged beside a running server: what the former ones signed stays good for as
long as the guide says, the new ones sign at once, and nothing is restarted. Over four months.
"""

import base64
import json
from pathlib import Path
from typing import Any

from flows.days_world import Town, living, open_client
from serving import asked, handbill, until

ROTATED = ("jwt", "listing", "apikey", "link", "visitor", "callback")


class Keys:
    """The operator's commands, by the town's clock."""

    def __init__(self, town: Town) -> None:
        self.town = town

    def run(self, *words: str, status: int = 0) -> Any:
        own = ("--agency", "acme") if "callback" in words or words[0] == "api-key" else ()
        settings = {"clock_file": self.town.server.settings["clock_file"]}
        done = handbill(*words, *own, "--json", data=self.town.data, **settings)
        assert done.returncode == status, (words, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout) if status == 0 else None

    def retire(self, kind: str, key: str = "1", status: int = 0) -> None:
        self.run("keys", "retire", kind, key, status=status)


def _kid(token: str) -> str:
    head = token.partition(".")[0]
    found: str = json.loads(base64.urlsafe_b64decode(head + "=="))["kid"]
    return found


def _report(town: Town, client: str) -> str:
    """A new report's link, once its callback has come."""
    said, before = town.receiver.said, len(town.receiver.said)
    # Other days each time: a question that was answered lately has the same report again.
    asks = {
        "groupBy": "CLIENT",
        "callBackUrl": f"http://127.0.0.1:{town.receiver.port}/done",
        "filterBy": {"startDate": "2030-02-01", "endDate": f"2030-02-{1 + before:02}"},
    }
    id_ = town.ask("POST", "/reports/stats", asks, x_client_id=client)["reportId"]
    until("the callback", lambda: len(said) > before or None)
    url: str = town.ask("GET", f"/reports/{id_}", x_client_id=client)["url"]
    return url


def _other(town: Town, former: str) -> str | None:
    found = town.links("Board").get("fed")
    return None if found == former else found


def _signatures(town: Town) -> int:
    return len(town.receiver.said[-1].headers["webhook-signature"].split())


def _dies(what: str, url: str) -> None:
    until(f"{what} is dead", lambda: asked(url)[0] == 404 or None, 120)


def test_every_key_is_exchanged_beside_a_running_server(tmp_path: Path) -> None:
    with living(tmp_path) as town:
        keys = Keys(town)
        town.new("/publishers", {"id": "Board", "name": "Board", "bidType": "CPC"})
        client = open_client(town, "fed", "Board", job={})
        former = until("a link", lambda: town.links("Board").get("fed"))
        report = _report(town, client)
        assert _signatures(town) == 1
        token = town.headers["x-authorization-key"]
        started = town.server.children()

        made = {kind: keys.run("keys", "rotate", kind) for kind in (*ROTATED, "master")}

        assert {kind: made[kind]["key"] for kind in ROTATED} == dict.fromkeys(ROTATED, 2)
        # What the former keys signed is good, and what is made now is by the new ones.
        assert town.call("GET", f"/clients/{client}")[0] == 200
        town.log_in()
        assert _kid(town.headers["x-authorization-key"]) != _kid(token)
        link = until("another link", lambda: _other(town, former))
        for visitor, one in enumerate((former, link), 1):
            event = {"clickId": town.click(one, visitor), "a": "3", "jobApplicationId": one[-9:]}
            town.ask("POST", "/s2s/events", event, x_client_id=client)
        applied = "SELECT count(*) FROM applied"
        until("both clicks are found", lambda: town.kept(applied) == 2 or None)
        assert asked(report)[0] == asked(_report(town, client))[0] == 200
        assert _signatures(town) == 2, "by the former key too"
        assert town.server.children() == started

        # Nothing goes before its time, whoever asks.
        (own, other) = town.headers["x-api-key"], keys.run("api-key", "create")["apiKey"]
        for kind in ("jwt", "listing", "apikey", "link", "callback"):
            keys.retire(kind, status=2)
        town.forward(hours=25)
        assert town.call("GET", f"/clients/{client}")[0] in {401, 403}
        town.log_in()
        keys.retire("master", made["master"]["former"])
        town.forward(days=8)
        town.log_in()
        for kind in ("jwt", "callback", "visitor"):
            keys.retire(kind)
        for kind in ("listing", "link"):  # by which links in mails end them
            keys.retire(kind, status=2)
        _report(town, client)
        until("one signature", lambda: (_report(town, client) and _signatures(town) == 1) or None)

        # A month later a link of the former key still leads on; after four it may be let go.
        town.forward(days=30)
        assert asked(former)[0] == asked(link)[0] == 302
        town.forward(days=90)
        keys.retire("listing")
        keys.retire("link")
        _dies("the former link", former)
        assert asked(link)[0] == 302
        # API keys stay under the key that digested them, until the last of them is gone.
        town.log_in()
        keys.retire("apikey", status=2)
        town.headers["x-api-key"] = other
        keys.run("api-key", "revoke", own.split("_")[1].partition(".")[0])
        keys.retire("apikey")
        town.log_in()
        assert town.call("GET", f"/clients/{client}")[0] == 200
        assert town.server.children() == started, "nothing was restarted"
        assert town.server.stop() == 0
