"""``handbill demo``: what it prints adds up, and a second call finds the first one's market."""

import io
import json
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

from rich.console import Console

from handbill.demo import market, outlets
from handbill.demo.report import SHOWN, printed
from handbill.demo.server import hosted_feeds
from handbill.demo.slots import BOARD
from handbill.demo.story import chains_of
from handbill.demo.traffic import CLICKS, OfferedJob, plan_of
from serving import asked, environment, handbill

DAYS = "2"


def test_the_demo_plays_and_adds_up(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    ports = ("--api-port", "0", "--edge-port", "0")
    played = handbill("demo", "--days", DAYS, *ports, data=data)
    assert played.returncode == 0, played.stdout + played.stderr
    said = played.stdout
    assert "ledger check: balanced" in said
    assert re.search(rf"In {DAYS} days: [1-9][\d,]* clicks", " ".join(said.split()))
    for group in (group["name"] for employer in market.EMPLOYERS for group in employer.groups):
        assert group in said
    for outlet in (*outlets.OUTLETS, BOARD):
        assert outlet.body["name"] in said
    checked = handbill("ledger", "check", data=data)
    assert checked.returncode == 0, checked.stderr
    shows_its_days(data)
    shows_its_purchases(data)

    again = handbill("demo", "--api-port", "0", "--edge-port", "0", data=data)
    assert again.returncode == 1
    assert "already holds a demo" in again.stderr
    assert f"rm -r {data}" in again.stderr
    serves_again(data)


def shows_its_days(data: Path) -> None:
    """The figures by day."""
    told = handbill("overview", "--agency", "demo", "--days", DAYS, "--json", data=data)
    assert told.returncode == 0, told.stderr
    clicks = {one["name"]: one["values"]["clicks"] for one in json.loads(told.stdout)["data"]}
    assert clicks.keys() == {one.body["companyName"] for one in market.EMPLOYERS}
    of_days = [sum(some) for some in zip(*clicks.values(), strict=True)]
    assert len(of_days) == int(DAYS)
    assert all(of_days), "each day has clicks"


def shows_its_purchases(data: Path) -> None:
    """Slots and credits: bought, one changed and one ended; their jobs, and what they cost."""
    told = handbill("changes", "--agency", "demo", "--last", "10000", "--json", data=data)
    assert told.returncode == 0, told.stderr
    changes = json.loads(told.stdout)["data"]
    deeds = Counter((one["entity"]["kind"], one["act"]) for one in changes)
    assert {act: deeds["POSTING", act] for act in ("CREATE", "CHANGE", "DELETE")} == {
        "CREATE": 4,
        "CHANGE": 1,
        "DELETE": 1,
    }
    assert deeds["POSTING_JOB", "CREATE"] >= 4 + 3 + 5 + 2, "there is no slot without a job"
    exported = handbill("ledger", "export", data=data)
    assert exported.returncode == 0, exported.stderr
    entries = [json.loads(line) for line in exported.stdout.splitlines()]
    costs: Counter[str] = Counter()
    for entry in entries:
        if entry["kind"] == "POSTING":
            assert entry["publisherId"] == BOARD.id
            costs[entry["postingId"]] += entry["spendMicros"]
    assert sorted(costs.values()) == [amount * 1_000_000 for amount in (90, 120, 240, 560)]
    clicks = [one for one in entries if one["publisherId"] == BOARD.id and one["kind"] == "CLICK"]
    assert clicks, "its jobs are shown, and clicked"
    assert not any(one["spendMicros"] for one in clicks)


def test_the_readme_tells_how_many_publishers_there_are() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    count = {5: "five"}[len((*outlets.OUTLETS, BOARD))]
    assert f"nine job groups and {count} publishers, one of which\nsells slots" in readme


def serves_again(data: Path) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "handbill",
            "demo",
            "--stay",
            "--data",
            str(data),
            "--api-port",
            "0",
            "--edge-port",
            "0",
        ],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    timer = threading.Timer(90, process.kill)
    timer.start()
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("API   "):
            status, _, _ = asked(f"{line.split()[1]}/readyz")
            assert status == 200
            twice = handbill("demo", "--stay", data=data)
            assert twice.returncode == 1
            assert "another handbill plays or serves" in twice.stderr
            process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0, lines
    timer.cancel()
    process.stdout.close()
    assert "is served again" in " ".join("".join(lines).split())
    (link,) = (line.split()[2] for line in lines if line.startswith("Sign in  "))
    assert "/app/join/" in link


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    refused = handbill("demo", "--api-port", "0", "--edge-port", "0", data=tmp_path)
    assert refused.returncode == 1
    assert "is not empty and holds no demo" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_a_row_of_which_there_is_nothing_to_tell_is_left_out() -> None:
    """Conversions that no click led to are in a row without a job group: all else in it is 0."""
    nothing = dict.fromkeys((name for name, _ in SHOWN), "0")
    row = nothing | {"jobGroupName": "Nurses", "publisherName": "Jooble", "botClicks": "3"}
    out = io.StringIO()
    printed(Console(file=out, width=120), "Mills", [nothing, row], "USD")
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert [line[0] for line in lines if line and line[-1] == "0.0"] == ["Nurses"]


def test_what_has_no_job_group_is_named_by_what_it_is() -> None:
    row = dict.fromkeys((name for name, _ in SHOWN), "0") | {"publisherName": "Board"}
    out = io.StringIO()
    printed(Console(file=out, width=120), "Mills", [row | {"spent": "9"}], "USD")
    printed(Console(file=out, width=120), "Mills", [row | {"overCapClicks": "9"}], "USD")
    said = out.getvalue()
    assert "\nbought slots  Board" in said
    assert "\nno job group  Board" in said
    assert " over cap " in said


OFFERS = [OfferedJob("TestExp1", "Employer", f"http://edge/c/{number}") for number in range(40)]


def test_the_same_seed_plays_the_same_traffic() -> None:
    assert plan_of(OFFERS, 1) == plan_of(OFFERS, 1)
    assert plan_of(OFFERS, 1) != plan_of(OFFERS, 2)


def test_the_traffic_has_bots_repeats_prefetches_and_applies() -> None:
    plan = plan_of(OFFERS, 1)
    kinds = [visit.kind for visit in plan.visits]
    assert kinds.count("human") + kinds.count("bot") == CLICKS
    assert min(kinds.count(kind) for kind in ("bot", "repeat", "prefetch")) > 20
    assert {deed.action for deed in plan.deeds} == {2, 3}
    assert {deed.by_pixel for deed in plan.deeds} == {True, False}
    assert all(plan.visits[deed.visit].kind == "human" for deed in plan.deeds)


def test_a_repeat_follows_its_own_first_visit() -> None:
    visits = plan_of(OFFERS, 1).visits
    chains = chains_of(visits)
    assert sorted(number for chain in chains for number in chain) == list(range(len(visits)))
    for first, *others in chains:
        for other in others:
            assert visits[other]._replace(kind="human") == visits[first]


def test_the_market_is_as_large_as_it_is_said_to_be() -> None:
    assert market.JOBS == 2_200
    assert len(outlets.OUTLETS) == 4
    assert len(market.EMPLOYERS) == 5
    assert sum(len(employer.groups) for employer in market.EMPLOYERS) == 9
    hosted = hosted_feeds(1)
    assert {feed.dialect for feed in hosted.values()} == {"indeed", "talent", "jooble", "appcast"}
    assert len({feed.seed for feed in hosted.values()}) == 6
