"""The commands by which an operator minds agencies, keys, API clients, clients, stage maps, feeds.

Each is held against what the API answers on the same records.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contract.office import Office
from contract.world import FEED
from handbill.__main__ import app
from handbill.access.families import family_at_hand
from handbill.access.service import Owner, add_key
from handbill.cli.refusals import exit_status_of
from handbill.cli.speaking import Mistaken
from handbill.contract.rules.routes import BODY as RULE
from handbill.host.outside import of_this_machine
from handbill.host.settings import Settings
from handbill.kit.faults import Refused
from handbill.opening import prepare
from handbill.publishers.service import create_family
from masters import MASTER_KEY

Run = Callable[..., Result]


@pytest.fixture
def run(sqlite_office: Office, tmp_path: Path) -> Run:
    """A command on the office's own records, beside the application that has them open."""

    def run(*words: str, **more: Any) -> Result:
        # Else a child of this large process would look whether the former one can be read.
        (tmp_path / "index" / "data.mdb").unlink(missing_ok=True)
        return CliRunner(env={"HANDBILL_SECRETS_KEY": MASTER_KEY}).invoke(
            app, [*words, "--data", str(tmp_path)], **more
        )

    return run


def said(result: Result) -> Any:
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def status_of(result: Result) -> int | None:
    """The exit status, as ``handbill`` would have it."""
    failure = result.exception
    if failure is None or isinstance(failure, SystemExit):
        return result.exit_code
    assert isinstance(failure, Exception)
    return exit_status_of(failure, as_log=False)


def refused(result: Result, kind: type[Exception], words: str) -> None:
    assert isinstance(result.exception, kind), (result.output, result.exception)
    assert words in str(result.exception)
    assert result.stdout == ""


def status(office: Office, api_key: str) -> int:
    return office.ask("GET", "/clients?page=0&limit=1", headers={"x-api-key": api_key}).status


def test_agencies(run: Run, sqlite_office: Office) -> None:
    own = sqlite_office.get("/agencies/acme")
    assert said(run("agency", "show", "acme", "--json")) == own
    said(run("agency", "create", "second", "--currency", "EUR", "--json"))
    listed = said(run("agency", "list", "--json"))["data"]
    assert listed[0] == own
    assert [(row["id"], row["currency"]) for row in listed] == [("acme", "USD"), ("second", "EUR")]
    changed = said(run("agency", "update", "acme", "--name", " Acme Ads ", "--json"))
    assert changed == {"agencyId": "acme", "name": "Acme Ads"}
    assert sqlite_office.get("/agencies/acme") == own | {"name": "Acme Ads"}
    refused(run("agency", "update", "acme", "--name", " "), Refused, "The agency was not updated")
    for words in (("show", "nobody"), ("update", "nobody", "--name", "x")):
        refused(run("agency", *words), Mistaken, "there is no agency 'nobody'")


def test_keys_of_an_agency(run: Run, sqlite_office: Office) -> None:
    of = ("--agency", "acme", "--json")
    made = said(run("api-key", "create", *of))["apiKey"]
    assert status(sqlite_office, made) == 200
    prefix = made.split("_")[1]
    exit_status_of = said(run("api-key", "rotate", prefix, "--overlap-hours", "0", *of))
    assert (exit_status_of["formerPrefix"], list(exit_status_of)[2]) == (prefix, "formerExpiresOn")
    new = exit_status_of["apiKey"]
    assert status(sqlite_office, new) == 200
    listed = said(run("api-key", "list", *of))["data"]
    assert listed == sqlite_office.get("/api-keys?page=0&limit=10")["data"]
    assert [row["prefix"] for row in listed][1:] == [prefix, new.split("_")[1]]
    assert new.split("_")[2] not in json.dumps(listed)
    assert said(run("api-key", "revoke", new.split("_")[1], *of)) == {"revoked": new.split("_")[1]}
    assert status(sqlite_office, new) == 401
    for words in (("revoke", new.split("_")[1]), ("rotate", "nosuchkey")):
        refused(run("api-key", *words, *of), Mistaken, "there is no live API key")


def test_a_rotated_key_goes_on_for_the_overlap(run: Run, sqlite_office: Office) -> None:
    prefix = sqlite_office.headers["x-api-key"].split("_")[1]
    said(run("api-key", "rotate", prefix, "--agency", "acme", "--json"))
    (former, _) = sqlite_office.get("/api-keys?page=0&limit=10")["data"]
    assert former["expiresOn"] is not None
    assert (
        run("api-key", "rotate", "x", "--agency", "acme", "--overlap-hours", "721").exit_code == 2
    )


def test_api_clients_of_an_agency(run: Run, sqlite_office: Office) -> None:
    of = ("--agency", "acme", "--json")
    reader = said(run("api-client", "create", "--scope", "read", *of))
    both = said(run("api-client", "create", "--scope", "write", "--scope", "read", *of))
    assert (reader["scope"], both["scope"]) == ("handbill/read", "handbill/read handbill/write")
    listed = said(run("api-client", "list", *of))["data"]
    assert listed == sqlite_office.get("/api-clients?page=0&limit=10")["data"]
    assert [row["client_id"] for row in listed][1:] == [reader["apiClientId"], both["apiClientId"]]
    asked = sqlite_office.ask("POST", "/token", {"client_id": reader["apiClientId"]})
    token = {"x-authorization-key": asked.json["access_token"]}
    assert sqlite_office.ask("GET", "/clients?page=0&limit=1", headers=token).status == 200
    assert sqlite_office.ask("POST", "/clients", {}, headers=token).status == 403
    said(run("api-client", "revoke", reader["apiClientId"], *of))
    assert sqlite_office.ask("GET", "/clients?page=0&limit=1", headers=token).status == 403
    again = run("api-client", "revoke", reader["apiClientId"], *of)
    refused(again, Mistaken, "there is no live API client")


def test_keys_and_api_clients_of_a_family(run: Run, sqlite_office: Office) -> None:
    with sqlite_office.desk.records.write() as tx:
        now, ids = sqlite_office.desk.clock.now(), sqlite_office.desk.ids
        family, former, _ = create_family(tx, ids, now, ["TestExp1"])
    of = ("--family", family, "--json")
    prefix = former.split("_")[1]
    assert [row["prefix"] for row in said(run("api-key", "list", *of))["data"]] == [prefix]
    new = said(run("api-key", "rotate", prefix, "--overlap-hours", "0", *of))["apiKey"]
    reader = said(run("api-client", "create", "--scope", "read", *of))
    assert reader["scope"] == "publisher-reports/read"
    headers = {"x-api-key": new}
    asked = sqlite_office.ask("POST", "/token", {"client_id": reader["apiClientId"]}, headers)
    assert asked.status == 200
    # A family's key is not the agency's, whichever of the two is named.
    other = run("api-key", "revoke", new.split("_")[1], "--agency", "acme")
    refused(other, Mistaken, "there is no live API key")
    refused(run("api-key", "list", "--family", "f" * 24), Mistaken, "no publisher family")


def test_a_former_master_key_is_named_until_it_is_retired(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(data=str(tmp_path))
    prepare(settings, of_this_machine(settings))

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, ["keys", *words, "--data", str(tmp_path)])

    def listed() -> list[tuple[str, str]]:
        rows = said(run("list", "--json"))["data"]
        return [(row["key"], row["state"]) for row in rows if row["kind"] == "master"]

    ((former, _),) = listed()
    refused(run("retire", "master", former[::-1]), Mistaken, "there is no such key")
    newer = said(run("rotate", "master", "--json"))["key"]
    assert listed() == [(newer, "seals"), (former, "seals nothing")]
    refused(run("retire", "master", former), Mistaken, "try again from")
    # What cannot be is told once, in one line.
    failure = run("retire", "jwt", "1").exception
    assert isinstance(failure, Refused)
    assert exit_status_of(failure, as_log=False) == 2
    assert capsys.readouterr().err == "it is the current key; rotate first\n"


def test_what_is_refused_is_told_once(
    run: Run, sqlite_office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence once, and the fields that it is for."""
    group = sqlite_office.group(sqlite_office.campaign(sqlite_office.client()))
    for bid in (0.6, 0.7):
        sqlite_office.put(group, {"cpcBid": bid})
    newest, former = [str(one["id"]) for one in sqlite_office.get("/changes?limit=2")["data"]]

    def says(*words: str) -> str:
        failure = run(*words).exception
        assert isinstance(failure, Refused)
        assert exit_status_of(failure, as_log=False) == 2
        return capsys.readouterr().err

    since = "The change cannot be undone: a field was changed again since\n/cpc_bid_micros\n"
    assert says("undo", former) == since
    assert run("undo", newest).exit_code == 0
    assert says("undo", newest) == "The change cannot be undone: it was already undone\n"


def test_whose_keys_must_be_said(run: Run) -> None:
    for words in ((), ("--agency", "acme", "--family", "f" * 24)):
        for command in (("api-key", "list"), ("api-client", "create"), ("api-key", "revoke", "x")):
            result = run(*command, *words)
            assert result.exit_code == 2
            assert "--agency A, or --family F" in result.output


def test_more_keys_than_may_live_are_refused(run: Run, sqlite_office: Office) -> None:
    for _ in range(49):
        sqlite_office.new("/api-keys", {})
    refused(run("api-key", "create", "--agency", "acme"), Refused, "there are 50 keys already")


def test_a_key_is_rotated_beside_all_others_only_at_once(run: Run, sqlite_office: Office) -> None:
    """Else keys that overlap would be without number; and that is not told as a missing key."""
    with sqlite_office.desk.records.write() as tx:
        now, ids = sqlite_office.desk.clock.now(), sqlite_office.desk.ids
        family, api_key, _ = create_family(tx, ids, now, ["TestExp1"])
        owner = Owner("partner", family_at_hand(tx, family).no)
        for _ in range(48):
            add_key(tx, ids, now, owner)
    first = api_key.split("_")[1]
    said(run("publisher-family", "add-key", family, "--json"))
    for words in (
        ("publisher-family", "rotate-key", family, first),
        ("api-key", "rotate", first, "--family", family),
    ):
        refused(run(*words), Refused, "there are 50 keys already")
    exit_status_of = said(
        run("publisher-family", "rotate-key", family, first, "--overlap-hours", "0", "--json")
    )
    assert exit_status_of["apiKey"].split("_")[1] != first


def test_clients_of_an_agency(run: Run, sqlite_office: Office) -> None:
    paths = [sqlite_office.client(companyName=name) for name in ("Mills", "Ä")]
    sqlite_office.ask("DELETE", sqlite_office.client())
    sqlite_office.another().client()
    listed = said(run("client", "list", "--agency", "acme", "--json"))["data"]
    assert [f"/clients/{row['id']}" for row in listed] == paths
    for row in listed:
        found = sqlite_office.get(f"/clients/{row['id']}")
        assert row == {name: found[name] for name in row}
    refused(run("client", "list", "--agency", "nobody"), Mistaken, "there is no agency 'nobody'")


def test_stage_maps(run: Run, sqlite_office: Office, tmp_path: Path) -> None:
    path = sqlite_office.client()
    client_id = path.rpartition("/")[2]
    stages = ("--stage", "Phone screen=interviewed", "--stage", "a=b=HIRED")
    exit_status_of = said(run("stage-map", "set", client_id, *stages, "--json"))
    assert exit_status_of == {"clientId": client_id, "texts": 2}
    wanted = {"Phone screen": "INTERVIEWED", "a=b": "HIRED"}
    assert sqlite_office.get(f"{path}/stage-map")["stageMap"] == wanted
    shown = said(run("stage-map", "show", client_id, "--json"))
    assert shown == {"stageMap": wanted, "unmapped": {}}
    file = tmp_path / "map.json"
    for body in ({"Offer": "HIRED", "x": None}, {"stageMap": {"Offer": "HIRED"}}):
        file.write_text(json.dumps(body))
        said(run("stage-map", "set", client_id, "--file", str(file), "--json"))
        assert sqlite_office.get(f"{path}/stage-map")["stageMap"] == {"Offer": "HIRED"}
    said(run("stage-map", "set", client_id, "--file", "-", "--json", input="{}"))
    assert sqlite_office.get(f"{path}/stage-map")["stageMap"] == {}


def test_stage_maps_that_cannot_be(run: Run, sqlite_office: Office, tmp_path: Path) -> None:
    client_id = sqlite_office.client().rpartition("/")[2]
    wrong = run("stage-map", "set", client_id, "--stage", "x=NONE")
    refused(wrong, Refused, "The stage map was not set")
    assert wrong.exception.faults[0].field == "/stageMap/x"  # type: ignore[union-attr]
    file = str(tmp_path / "map.json")
    refused(run("stage-map", "set", client_id, "--file", file), Mistaken, "cannot be read")
    for text, words in (("{", "JSON"), ("[]", "an object"), ('"x"', "an object")):
        Path(file).write_text(text)
        refused(run("stage-map", "set", client_id, "--file", file), Mistaken, words)
    refused(run("stage-map", "show", "nobody"), Mistaken, "there is no client 'nobody'")
    for more in ((), ("--stage", "no sign")):
        assert run("stage-map", "set", client_id, *more).exit_code == 2
    assert said(run("stage-map", "show", client_id, "--json"))["stageMap"] == {}


def test_feeds_of_a_client(run: Run, sqlite_office: Office) -> None:
    path = sqlite_office.client()
    feed = sqlite_office.new(f"{path}/feeds", FEED)
    listed = said(run("feed", "list", path.rpartition("/")[2], "--json"))["data"]
    assert [(row["id"], row["active"]) for row in listed] == [(feed, True)]
    exit_status_of = said(run("feed", "run", feed, "--json"))
    runs = said(run("feed", "runs", feed, "--json"))["data"]
    assert [row["id"] for row in runs] == [exit_status_of["runId"]]
    assert runs == sqlite_office.get(f"{path}/feeds/{feed}/runs?page=0&limit=10")["data"]
    for words in (("runs",), ("run",)):
        refused(run("feed", *words, "nobody"), Mistaken, "there is no feed 'nobody'")


def test_lists_for_people_are_columns(run: Run, sqlite_office: Office) -> None:
    prefix = sqlite_office.headers["x-api-key"].split("_")[1]
    lines = run("api-key", "list", "--agency", "acme").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["prefix", "createdOn", "expiresOn", "revokedOn"],
        [prefix, "2026-11-18T12:00:00.000Z", "-", "-"],
    ]
    client_id = sqlite_office.client().rpartition("/")[2]
    said(run("stage-map", "set", client_id, "--stage", "Offer=HIRED", "--json"))
    shown = run("stage-map", "show", client_id).stdout.splitlines()
    assert [line.split() for line in shown] == [
        ["status", "stage", "items"],
        ["Offer", "HIRED", "-"],
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--from", "2026-11-28", "--to", "2026-11-27"), "--from 2026-11-28 is after --to"),
        (("--from", "2026-02-30"), "--from '2026-02-30' is not a day"),
        (("--to", "tomorrow"), "--to 'tomorrow' is not a day"),
        (("--format", "xml"), "'xml' is not one of 'jsonl', 'csv'"),
    ],
)
def test_an_export_that_cannot_be(run: Run, words: tuple[str, ...], sentence: str) -> None:
    result = run("ledger", "export", *words)
    assert status_of(result) == 2
    assert sentence in result.output + str(result.exception)
    assert result.stdout == ""


def test_a_result_for_people_is_words_and_json(run: Run) -> None:
    at = ("P", "--agency", "acme")
    assert run("publisher", "create", *at).exit_code == 0
    shown = run("click-definition", "set", *at, "--latent", "off", "--no-bot").stdout.splitlines()
    exit_status_of = dict(line.split(maxsplit=1) for line in shown)
    assert (exit_status_of["clientId"], exit_status_of["latent"], exit_status_of["bot"]) == (
        "-",
        "-",
        "false",
    )
    assert json.loads(exit_status_of["newBot"])["cmBotLogic"] is True


def test_rules_are_changed_by_commands_as_by_the_api(
    run: Run, sqlite_office: Office, tmp_path: Path
) -> None:
    office, clients = sqlite_office, [sqlite_office.client() for _ in range(2)]
    first, other = ({"x-client-id": client.rsplit("/", 1)[1]} for client in clients)
    of, rule = ("--client", first["x-client-id"]), RULE | {"campaignId": "0", "jobGroupId": "0"}
    file = tmp_path / "rule.json"

    def saved(command: str, body: Any, *words: str) -> Result:
        file.write_text(json.dumps(body))
        return run("rules", command, *words, *of, "--json-body", str(file), "--json")

    body = rule | {"clientId": "0"}
    made = [said(saved("create", body | {"name": name}))["id"] for name in "ab"]
    listed = office.ask("GET", "/rules?page=0&limit=9", headers=first).json["data"]
    assert [(one["id"], one["name"]) for one in listed] == [(made[0], "a"), (made[1], "b")]
    shown = said(run("rules", "show", made[0], *of, "--json"))
    assert shown == office.ask("GET", f"/rules/{made[0]}", headers=first).json
    said(saved("update", body | {"name": "c"}, made[0]))
    said(run("rules", "pause", made[0], *of, "--json"))
    said(run("rules", "order", *reversed(made), *of, "--json"))
    found = office.ask("GET", f"/rules/{made[0]}", headers=first).json
    assert (found["name"], found["status"], found["order"]) == ("c", "P", 2)
    wrong = saved("update", body | {"filterLevel": "x", "conditionOp": "x"}, made[0])
    refused(wrong, Refused, "The rule was not updated")
    assert {one.field for one in wrong.exception.faults} == {"/filterLevel", "/conditionOp"}  # type: ignore[union-attr]
    for command in ("show", "pause", "enable", "delete", "order"):
        theirs = run("rules", command, made[0], "--client", other["x-client-id"])
        refused(theirs, Mistaken, "no such rule")
    assert said(run("rules", "control", "ACT", *of, "--json")) == {
        "control": "ACT",
        "effective": "ACT",
    }
    exit_status_of = office.ask("GET", "/rules/control", headers=first).json
    assert said(run("rules", "control", *of, "--json")) == exit_status_of
    assert exit_status_of["control"] == "ACT"
    said(run("rules", "delete", made[0], *of, "--json"))
    assert office.ask("GET", f"/rules/{made[0]}", headers=first).status == 404
