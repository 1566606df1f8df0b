"""The commands that mind publishers and families: the API's own rules, on one data folder."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ftp_server import PASSWORD, USER, FtpServer
from handbill.__main__ import app
from handbill.access.service import agency_of
from handbill.cli.speaking import Mistaken, settings_with
from handbill.host.outside import of_this_machine
from handbill.kit.faults import Refused
from handbill.listings.service import deliver_all
from handbill.listings.work import TASKS
from handbill.opening import open_tools, opened
from handbill.publishers.service import publisher_of
from handbill.store.records import Tx
from handbill.work.kinds import DELIVER
from handbill.work.loop import Worker
from handbill.work.queue import lease_named


class Shell:
    def __init__(self, data: Path) -> None:
        self.data = data

    def run(self, *words: str, stdin: Any = None, status: int = 0) -> Any:
        """A command's JSON."""
        said = None if stdin is None else json.dumps(stdin)
        done = CliRunner().invoke(app, [*words, "--data", str(self.data), "--json"], input=said)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == status, done.output
        return json.loads(done.stdout)

    def work(self) -> None:
        """What a worker and a fetcher would do now."""
        settings = settings_with(data=str(self.data))
        tools = open_tools(settings, of_this_machine(settings))
        Worker(tools, "test", TASKS).run_due()
        tools.egress.close()
        tools.index.close()
        tools.records.close()


@pytest.fixture(scope="module")
def ftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FtpServer]:
    with FtpServer(tmp_path_factory.mktemp("ftp")) as server:
        yield server


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    made = Shell(tmp_path_factory.mktemp("data"))
    made.run("agency", "create", "acme")
    return made


def test_a_publisher_from_its_creation_to_its_end(shell: Shell) -> None:
    made = shell.run(
        "publisher", "create", "One", "--agency", "acme", "--bid-type", "CPA", "--min-bid", "0.25"
    )
    assert made == {"publisherId": "One", "agencyId": "acme"}
    of = ("--agency", "acme")
    shown = shell.run("publisher", "show", "One", *of)
    assert (shown["name"], shown["bidType"], shown["minBid"]) == ("One", {"name": "CPA"}, 0.25)
    body = {"name": "First", "feedIndexLatency": 60}
    shell.run("publisher", "update", "One", *of, "--json-body", "-", stdin=body)
    assert shell.run("publisher", "show", "One", *of)["name"] == "First"
    for verb, status in (("pause", "P"), ("pause", "P"), ("enable", "A")):
        assert shell.run("publisher", verb, "One", *of)["activeStatus"] == status
        assert shell.run("publisher", "show", "One", *of)["activeStatus"] == status
    feeds = shell.run("publisher", "feeds", "One", *of)
    assert feeds["feedUrl"] == shown["feedUrl"]
    with pytest.raises(Mistaken, match="no client"):
        shell.run("publisher", "feeds", "One", *of, "--client", "x")
    assert [one["id"] for one in shell.run("publisher", "list", *of)["data"]] == ["One"]
    assert shell.run("publisher", "delete", "One", *of)["deleted"] is True
    assert shell.run("publisher", "list", *of)["data"] == []
    for words in (("show", "One"), ("delete", "One"), ("pause", "One"), ("deliver", "One")):
        with pytest.raises(Mistaken, match="no publisher 'One'"):
            shell.run("publisher", *words, *of)
    with pytest.raises(Mistaken, match="no agency 'other'"):
        shell.run("publisher", "list", "--agency", "other")


def test_commands_refuse_what_the_api_refuses(shell: Shell, tmp_path: Path) -> None:
    of = ("--agency", "acme", "--json-body")
    body = tmp_path / "body.json"
    body.write_text('{"bidType": "CPM", "minBid": -1, "ftpConfig": {"pathTemplate": "../x"}}')
    with pytest.raises(Refused) as refused:
        shell.run("publisher", "create", "Two", *of, str(body))
    assert {fault.field for fault in refused.value.faults} == {
        "/bidType",
        "/minBid",
        "/ftpConfig/credentials",
        "/ftpConfig/pathTemplate",
    }
    for text, why in (("{", "not JSON"), ('{"a":1,"a":2}', "duplicate"), ("NaN", "NaN")):
        body.write_text(text)
        with pytest.raises(Mistaken, match=why):
            shell.run("publisher", "update", "Two", *of, str(body))
    with pytest.raises(Mistaken, match="cannot be read"):
        shell.run("publisher", "update", "Two", *of, str(tmp_path / "none.json"))
    body.write_bytes(b" " * 1_000_001)
    with pytest.raises(Mistaken, match="more than"):
        shell.run("publisher", "update", "Two", *of, str(body))
    body.write_text("[]")
    with pytest.raises(Refused):
        shell.run("publisher", "create", "Two", *of, str(body))
    with pytest.raises(Mistaken, match="not a number"):
        shell.run("publisher", "create", "Two", "--agency", "acme", "--min-bid", "x")


def test_deliver_now_and_tell(
    shell: Shell, ftp: FtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDBILL_EGRESS_ALLOW", f"127.0.0.1:{ftp.port}")
    login = {"host": "127.0.0.1", "port": ftp.port, "username": USER, "password": PASSWORD}
    body = {"deliverFeedByFTP": True, "ftpConfig": {"credentials": login}}
    of = ("--agency", "acme")
    shell.run("publisher", "create", "Sent", *of)
    with pytest.raises(Mistaken, match="not delivered by FTP"):
        shell.run("publisher", "deliver", "Sent", *of)
    shell.run("publisher", "update", "Sent", *of, "--json-body", "-", stdin=body)
    (waiting,) = shell.run("publisher", "deliver", "Sent", *of, status=1)["data"]
    assert waiting["state"] == "WAITING"
    shell.work()
    assert set(ftp.files()) == {"acme.xml"}
    (ftp.folder / "acme.xml").unlink()
    (row,) = shell.run("publisher", "deliver", "Sent", *of)["data"]
    assert (row["state"], row["bytes"]) == ("DELIVERED", len(ftp.files()["acme.xml"]))
    body["ftpConfig"]["credentials"]["password"] = "wrong"  # type: ignore[index]
    shell.run("publisher", "update", "Sent", *of, "--json-body", "-", stdin=body)
    (row,) = shell.run("publisher", "deliver", "Sent", *of, status=1)["data"]
    assert (row["state"], row["current"]) == ("FAILED", False)
    told = CliRunner().invoke(app, ["publisher", "deliver", "Sent", *of, "--data", str(shell.data)])
    assert told.exit_code == 1
    assert "refused user name or password" in told.stdout


def test_a_command_keeps_out_of_a_fetchers_way(
    shell: Shell, ftp: FtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDBILL_EGRESS_ALLOW", f"127.0.0.1:{ftp.port}")
    login = {"host": "127.0.0.1", "port": ftp.port, "username": USER, "password": PASSWORD}
    body = {"deliverFeedByFTP": True, "ftpConfig": {"credentials": login}}
    of = ("--agency", "acme")
    shell.run("publisher", "create", "Held", *of, "--json-body", "-", stdin=body)
    shell.work()
    heard = len(ftp.heard)

    def held(tx: Tx, now: int) -> Any:
        no = publisher_of(tx, agency_of(tx, "acme").no, "Held").no
        deliver_all(tx, no, now)
        return lease_named(tx, DELIVER, str(no), "fetcher", 600)

    settings = settings_with(data=str(shell.data))
    outside = of_this_machine(settings)
    with opened(settings, outside) as stores, stores.records.write() as tx:
        assert held(tx, stores.clock.now()) is not None
    shell.run("publisher", "deliver", "Held", *of)
    assert len(ftp.heard) == heard


def test_a_family_and_its_keys(shell: Shell) -> None:
    shell.run("publisher", "create", "Fam", "--agency", "acme")
    with pytest.raises(Mistaken, match="no agency"):
        shell.run("publisher-family", "create", "--publishers", "Fam", "--agency", "x")
    with pytest.raises(Refused):
        shell.run("publisher-family", "create", "--publishers", " , ")
    made = shell.run("publisher-family", "create", "--publishers", "Fam", "--name", "Vendor")
    assert list(made) == ["publisherFamilyId", "apiKey", "apiClientId"]
    family_id, first = made["publisherFamilyId"], made["apiKey"].split("_")[1]
    (listed,) = shell.run("publisher-family", "list")["data"]
    assert (listed["id"], listed["publishers"]) == (family_id, ["Fam"])
    second = shell.run("publisher-family", "add-key", family_id)["apiKey"].split("_")[1]
    third = shell.run("publisher-family", "rotate-key", family_id, first, "--overlap-hours", "1")
    shell.run("publisher-family", "revoke-key", family_id, second)
    with pytest.raises(Mistaken, match="no live key"):
        shell.run("publisher-family", "revoke-key", family_id, second)
    shown = shell.run("publisher-family", "show", family_id)
    keys = {key["prefix"]: key for key in shown["apiKeys"]}
    assert list(keys) == [first, second, third["apiKey"].split("_")[1]]
    assert keys[first]["expiresOn"] is not None
    assert keys[second]["revokedOn"] is not None
    assert third["apiKey"].split("_")[2] not in str(shown)
    shell.run("publisher-family", "update", family_id, "--name", "Other")
    assert shell.run("publisher-family", "show", family_id)["name"] == "Other"
    shell.run("publisher-family", "delete", family_id)
    with pytest.raises(Mistaken, match="no publisher family"):
        shell.run("publisher-family", "add-key", family_id)
