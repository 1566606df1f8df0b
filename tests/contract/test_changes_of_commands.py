"""Every command that changes something leaves its changes, by its user; and how they are listed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from contract.office import Office
from contract.test_changes import told
from contract.test_commands import Run, refused, run, said
from contract.world import FEED, PROVIDER
from handbill.__main__ import app
from handbill.access.work import tell_event
from handbill.cli.speaking import Misspoken, Mistaken
from handbill.contract.rules.routes import BODY as RULE
from handbill.core.mailings import Choices
from handbill.host.acting import user
from handbill.host.clock import SystemClock
from handbill.host.figures import SECURITY
from handbill.kit.instants import DAY, iso_of
from handbill.people import choices
from handbill.people import service as people
from handbill.store.records import Records
from handbill.work import hosts, kinds
from handbill.work.queue import lease

__all__ = ["run"]

LOOKS = {
    "settings",
    "openapi",
    "agency list",
    "agency show",
    "api-key list",
    "api-client list",
    "keys list",
    "keys new",
    "changes",
    "client list",
    "stage-map show",
    "publisher list",
    "publisher show",
    "publisher feeds",
    "publisher rhythms",
    "publisher-family list",
    "publisher-family show",
    "click-definition show",
    "feed list",
    "feed runs",
    "explain job",
    "explain click",
    "explain client",
    "explain campaign",
    "explain group",
    "explain cap",
    "budget",
    "overview",
    "status",
    "journal check",
    "ledger export",
    "ledger check",
    "hosts list",
    "backup",
    "doctor",
    "markup list",
    "person list",
    "oidc show",
    "mail list",
    "markup show",
    "rates list",
    "rules list",
    "rules show",
    "rules backtest",
    "rules preview",
    "rules runs",
    "rules holds",
}
LEAVES_NONE = {
    "rules undo": "what rules do is undone by their own service: contract/test_changes.py",
    "rules lift": "the same of what rules hold",
    "serve": "a process; what it is asked for is told there",
    "api": "the same",
    "edge": "the same",
    "judge": "the same",
    "fetcher": "the same",
    "worker": "the same",
    "demo": "calls the API of a server of its own, which tells it",
    "simulate": "plays in a folder of its own",
    "migrate": "brings tables to the newest revision; nobody's settings change",
    "restore": "makes another installation, whose changes are those of the copy",
    "index rebuild": "fills again what follows from the records",
    "callbacks run": "tries what is due; each callback tells what came of it",
    "mail run": "the same of mails",
    "publisher deliver": "the same of deliveries",
    "journal quarantine": "leaves a receipt of its own, in the journal's folder",
    "hosts adopt": "tells the host's successor: tests/rooms/test_two_hosts.py",
}
Seen = list[tuple[str, str, str]]
"""Kind, act and cause of each change."""


def _every_command() -> Iterator[str]:
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        yield from (f"{name} {word}" for word in below) if below else (name,)


class Desk:
    """Runs commands, and knows which there were and what each left."""

    def __init__(self, run: Run, records: Records) -> None:
        self._run, self._records = run, records
        self.tried: set[str] = set()
        self.last = 0
        self.seen()

    def seen(self) -> Seen:
        found = told(self._records, self.last)
        self.last = max((one.no for one in found), default=self.last)
        assert all(
            (one.actor, one.actor_id, one.request_id) == ("CLI", user(), None)
            for one in found
            if one.cause in self.tried
        )
        return [(one.kind, one.act, one.cause.removesuffix(f" {one.undoes}")) for one in found]

    def chooses_mails(self, mail: str) -> None:
        with self._records.write() as tx:
            (person,) = (one for one in people.everyone(tx) if one.mail == mail)
            choices.choose(tx, 0, person, Choices(digest=True, rule_paused=True))
        self.seen()

    def leaves(self, command: str, *words: str, of: list[tuple[str, str]], **more: Any) -> Any:
        """What it prints; once more, where that changes nothing, it must leave nothing."""
        self.tried.add(command)
        answer = said(self._run(*command.split(), *words, "--json", **more))
        assert sorted(self.seen()) == sorted((*one, command) for one in of), command
        return answer


@pytest.fixture
def desk(run: Run, sqlite_office: Office) -> Desk:
    return Desk(run, sqlite_office.desk.records)


def _credentials(desk: Desk, body: Callable[[Any], str]) -> None:
    of = ("--agency", "acme")
    key, client = ("API_KEY", "CREATE"), ("API_CLIENT", "CREATE")
    desk.leaves("agency create", "second", of=[("AGENCY", "CREATE"), key, client])
    desk.leaves("agency update", "second", "--name", "II", of=[("AGENCY", "CHANGE")])
    desk.leaves("agency update", "second", "--name", "II", of=[])
    made = desk.leaves("api-key create", *of, of=[key])["apiKey"].split("_")[1]
    desk.leaves("api-key rotate", made, *of, of=[key, ("API_KEY", "CHANGE")])
    desk.leaves("api-key revoke", made, *of, of=[("API_KEY", "CHANGE")])
    made = desk.leaves("api-client create", *of, of=[client])["apiClientId"]
    desk.leaves("api-client revoke", made, *of, of=[("API_CLIENT", "CHANGE")])
    made = [("PERSON", "CREATE"), ("PERSON", "CHANGE")]
    word = "korrekt pferd batterie\n"
    desk.leaves("person add", "ada@a.example", "--role", "owner", *of, of=made, input=word)
    ed = desk.leaves("person invite", "ed@a.example", "--role", "trader", *of, of=made[:1])
    assert desk.leaves("person invite", "ed@a.example", *of, of=[])["link"] != ed["link"]
    desk.leaves("person reset-second-factor", "ed@a.example", *of, of=[])  # it has none
    desk.leaves("person end-mails", "ed@a.example", *of, of=[])  # it has chosen none
    desk.chooses_mails("ed@a.example")
    ended = desk.leaves("person end-mails", "ed@a.example", *of, of=[("PERSON", "CHANGE")])
    assert ended["ended"] == ["alerts", "digest"]
    desk.leaves("person remove", "ed@a.example", *of, of=[("PERSON", "DELETE")])
    provider = ("--json-body", body(PROVIDER))
    of_it = [("SIGN_IN_PROVIDER", "CREATE"), ("SIGN_IN_PROVIDER", "CHANGE")]
    desk.leaves("oidc set", *of, *provider, of=of_it)
    desk.leaves("oidc set", *of, *provider, of=[])
    desk.leaves("oidc remove", *of, of=[("SIGN_IN_PROVIDER", "DELETE")])
    desk.leaves("keys rotate", "visitor", of=[("OWN_KEY", "CREATE")])
    desk.leaves("keys retire", "visitor", "1", "--now", of=[("OWN_KEY", "DELETE")])


def _publishers(desk: Desk, body: Callable[[Any], str]) -> None:
    of, one = ("--agency", "acme"), [("PUBLISHER", "CHANGE")]
    desk.leaves("publisher create", "P", *of, of=[("PUBLISHER", "CREATE")])
    changed = ("--json-body", body({"minBid": 0.3}))
    desk.leaves("publisher update", "P", *of, *changed, of=one)
    desk.leaves("publisher update", "P", *of, *changed, of=[])
    desk.leaves("publisher pause", "P", *of, of=one)
    desk.leaves("publisher pause", "P", *of, of=[])
    desk.leaves("publisher enable", "P", *of, of=one)
    family, key = ("PUBLISHER_FAMILY", "CHANGE"), ("API_KEY", "CREATE")
    made = desk.leaves(
        "publisher-family create",
        "--publishers",
        "P",
        *of,
        of=[("PUBLISHER_FAMILY", "CREATE"), key, ("API_CLIENT", "CREATE")],
    )
    id_ = made["publisherFamilyId"]
    desk.leaves("publisher-family update", id_, "--name", "V", of=[family])
    new = desk.leaves("publisher-family add-key", id_, of=[key])["apiKey"].split("_")[1]
    desk.leaves("publisher-family rotate-key", id_, new, of=[key, ("API_KEY", "CHANGE")])
    desk.leaves("publisher-family revoke-key", id_, new, of=[("API_KEY", "CHANGE")])
    gone = [("API_KEY", "CHANGE")] * 2 + [("API_CLIENT", "CHANGE"), ("PUBLISHER_FAMILY", "DELETE")]
    desk.leaves("publisher-family delete", id_, of=gone)
    named = ("P", *of, "--preset", "2")
    desk.leaves("click-definition set", *named, of=[("CLICK_DEFINITION", "CREATE")])
    desk.leaves("click-definition clear", "P", *of, of=[("CLICK_DEFINITION", "DELETE")])
    desk.leaves("publisher delete", "P", *of, of=[("PUBLISHER", "DELETE")])


def _rules(desk: Desk, body: Callable[[Any], str], client_id: str) -> None:
    of, one = ("--client", client_id), [("RULE", "CHANGE")]
    rule = RULE | {"clientId": client_id, "campaignId": "0", "jobGroupId": "0"}
    new = ("--json-body", body(rule))
    first = desk.leaves("rules create", *of, *new, of=[("RULE", "CREATE")])["id"]
    second = desk.leaves("rules create", *of, *new, of=[("RULE", "CREATE")])["id"]
    changed = ("--json-body", body(rule | {"name": "Other"}))
    desk.leaves("rules update", first, *of, *changed, of=one)
    desk.leaves("rules update", first, *of, *changed, of=[])
    desk.leaves("rules pause", first, second, *of, of=one * 2)
    desk.leaves("rules pause", first, *of, of=[])
    desk.leaves("rules enable", first, *of, of=one)
    desk.leaves("rules order", second, first, *of, of=one * 2)
    desk.leaves("rules control", "ACT", *of, of=[("CLIENT", "CHANGE")])
    desk.leaves("rules control", "ACT", *of, of=[])
    desk.leaves("rules delete", second, *of, of=[("RULE", "DELETE")])


def test_every_command_that_changes_something_leaves_its_changes(
    desk: Desk, sqlite_office: Office, tmp_path: Path
) -> None:
    def body(value: Any) -> str:
        path = tmp_path / "body.json"
        path.write_text(json.dumps(value))
        return str(path)

    _credentials(desk, body)
    _publishers(desk, body)
    client = sqlite_office.client()
    client_id = client.rsplit("/", 1)[1]
    feed = sqlite_office.new(f"{client}/feeds", FEED)
    with sqlite_office.desk.records.write() as tx:
        hosts.enter(tx, "host-1", "a name")
        hosts.hold(tx, "host-1", "a name", "run-1")
    desk.seen()
    desk.leaves("feed run", feed, of=[("FEED", "CHANGE")])
    _rules(desk, body, client_id)
    mapped = (client_id, "--stage", "Met=INTERVIEWED")
    desk.leaves("stage-map set", *mapped, of=[("STAGE_MAP", "CHANGE")])
    made = str(desk.last)
    desk.leaves("stage-map set", *mapped, of=[])
    desk.leaves("undo", f"#{made}", "--validate-only", of=[])
    desk.leaves("undo", made, of=[("STAGE_MAP", "CHANGE")])
    of = ("--agency", "acme")
    put = ("--value", "10", "--effective-from", "2027-01-01")
    made = desk.leaves(
        "markup create", *of, "--client", client_id, *put, of=[("MARKUP", "CREATE")]
    )["markupId"]
    desk.leaves("markup update", made, *of, "--value", "11", of=[("MARKUP", "CHANGE")])
    desk.leaves("markup delete", made, *of, of=[("MARKUP", "DELETE")])
    rate = ("--date", "2026-11-01", "--from", "EUR", "--to", "USD", "--rate")
    desk.leaves("rates set", *rate, "1.1", *of, of=[("RATE", "CREATE")])
    desk.leaves("rates set", *rate, "1.1", *of, of=[])
    (listed := tmp_path / "rates.csv").write_text("date,from,to,rate\n2026-11-02,EUR,USD,1.2\n")
    desk.leaves("rates import", str(listed), *of, of=[("RATE", "CREATE")])
    desk.leaves("rates delete", "2026-11-01-EUR-USD", *of, of=[("RATE", "DELETE")])
    month = iso_of(SystemClock().now() - DAY)[:7]  # begun in every zone, and open
    again = ("--client", client_id, "--month", month)
    desk.leaves("ledger rejudge", *again, of=[("REJUDGING", "CREATE")])
    desk.leaves("hosts release", "host-1", of=[("HOST", "CHANGE")])
    assert desk.tried | LOOKS | LEAVES_NONE.keys() == set(_every_command())
    assert not desk.tried & (LOOKS | LEAVES_NONE.keys())


def test_a_revocation_by_a_command_is_told_by_the_server(
    run: Run, sqlite_office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office, count = sqlite_office, SECURITY.labels("key_revoked")
    prefix = said(run("api-key", "create", "--agency", "acme", "--json"))["apiKey"].split("_")[1]
    said(run("api-key", "revoke", prefix, "--agency", "acme", "--json"))
    before = count._value.get()
    with office.desk.records.write() as tx:
        task = lease(tx, [kinds.TELL_EVENT], "worker-0", office.desk.clock.now() + DAY * 400, 60)
    assert task is not None
    with caplog.at_level("INFO", "handbill.security"):
        tell_event(None, task)  # type: ignore[arg-type]
    assert [(one.__dict__["event"], one.__dict__["prefix"]) for one in caplog.records] == [
        ("key_revoked", prefix)
    ]
    assert count._value.get() == before + 1


def test_changes_are_chosen_and_listed_newest_first(run: Run, sqlite_office: Office) -> None:
    office, client = sqlite_office, sqlite_office.client(companyName="Mills")
    client_id, at = client.rsplit("/", 1)[1], iso_of(office.clock.now())
    office.clock.forward(DAY // 24)
    office.put(f"{client}/pause")
    office.another().client()
    said(run("agency", "update", "acme", "--name", "New", "--json"))

    def listed(*words: str) -> list[Any]:
        found: list[Any] = said(run("changes", *words, "--json"))["data"]
        assert [one["id"] for one in found] == sorted((one["id"] for one in found), reverse=True)
        return found

    paused = {
        "at": "2026-11-18T13:00:00.000Z",
        "agencyId": "acme",
        "clientId": client_id,
        "entity": {"kind": "CLIENT", "id": client_id},
        "act": "CHANGE",
        "actor": {"kind": "API_CLIENT", "id": office.api_client_id},
        "cause": "pause_client",
        "fields": [{"field": "/status", "before": "A", "after": "P"}],
    }
    of_client = listed("--client", client_id)
    assert len(of_client) == 4, "with its default campaign and job group"
    assert paused.items() <= of_client[0].items()
    assert listed("--entity", client_id, "--last", "1") == of_client[:1]
    by_api = listed("--agency", "acme", "--actor", office.api_client_id)
    assert {one["agencyId"] for one in by_api} == {"acme"}
    assert of_client[0] in by_api
    assert listed("--actor", "CLI")[0]["cause"] == "agency update"
    assert listed("--client", client_id, "--since", "2026-11-18T13:00:00Z") == of_client[:1]
    assert listed("--client", client_id, "--until", at) == []
    assert listed("--client", client_id, "--since", "2026-11-18", "--until", "2026-11-18") == (
        of_client
    )
    told = run("changes", "--client", client_id, "--last", "1").stdout.splitlines()
    assert told[0].split("  ")[1:3] == ["CHANGE", f"CLIENT {client_id}"]
    assert told[1] == '    /status  "A" → "P"'
    campaign = office.campaign(client)
    group = office.group(campaign, adWordsMetadata={"a\x1b[2J\n\u202e": "b\x9b"})
    shown = run("changes", "--entity", group.rsplit("/", 1)[1]).stdout
    assert all(line.isprintable() for line in shown.splitlines())
    assert "\\u001b[2J" in shown
    refused(run("changes", "--since", "yesterday"), Misspoken, "neither a day nor an instant")
    refused(run("changes", "--client", "nobody"), Mistaken, "there is no client 'nobody'")
    refused(run("changes", "--agency", "nobody"), Mistaken, "there is no agency 'nobody'")
