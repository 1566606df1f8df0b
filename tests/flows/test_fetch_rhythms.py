"""Publishers fetch at rhythms of their own, over days and crashes: it is known what each has."""

import json
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flows.days_world import NOON
from handbill.host.clock import SystemClock
from handbill.kit.instants import SECOND
from serving import Office, asked, handbill, serving, until


def test_what_publishers_hold_is_known_over_days(tmp_path: Path) -> None:
    offset, data = tmp_path / "offset", tmp_path / "data"

    def move_to(hours: float) -> None:
        at = (NOON + timedelta(hours=hours)).timestamp()
        aside = tmp_path / "aside"
        aside.write_text(f"{at - SystemClock().now() / SECOND:.3f}")
        aside.replace(offset)

    move_to(0)
    with serving(data, clock_file=str(offset)) as server:
        office = Office(server)
        urls = {}
        for name in ("Board", "Hourly", "Never"):
            office.ask("POST", "/publishers", {"id": name, "name": name, "bidType": "CPC"})
            told = office.ask("GET", f"/publishers/{name}")
            assert told["lastFetchAt"] is told["heldVersion"] is None
            urls[name] = server.edge + urlsplit(told["feedUrl"]).path
        for url in urls.values():
            until("it is written", partial(_is_written, url))

        def fetch(name: str, agent: str, **headers: str) -> dict[str, str]:
            sent = {"User-Agent": agent} | {key.replace("_", "-"): v for key, v in headers.items()}

            def answered() -> tuple[int, dict[str, str], bytes] | None:
                try:
                    return asked(urls[name], headers=sent)
                except OSError:
                    return None  # killed just now

            status, given, _ = until("an answer", answered)
            assert status in {200, 304}
            return given

        def login() -> None:
            key = {"client_id": office.credentials["apiClientId"]}
            office.headers["x-authorization-key"] = office.ask("POST", "/token", key)[
                "access_token"
            ]

        def board_at(hour: int) -> Any:
            return _at(office.ask("GET", "/publishers/Board"), hours=hour)

        for hour in range(9):
            move_to(hour)
            given = fetch("Hourly", "Hourly/1.0")
            if hour % 4 == 0:
                fetch("Board", "Mozilla/5.0 (compatible; BoardBot/2)", If_None_Match=given["etag"])
                login()
                until("it is booked", partial(board_at, hour))  # what is told waits for nobody
            if hour in {3, 5}:
                fetch("Board", "curl/8")
                server.kill("edge-0" if hour == 3 else "judge-0")
        login()
        told = until("all is booked", partial(board_at, 8))
        assert 239 <= told["fetchRhythmMinutes"] <= 241, "whatever a person's curl did"
        assert told["heldVersion"][:10] == "2030-03-04"
        assert _at(told, hours=12, field="nextFetchAt")
        words = ("publisher", "rhythms", "--agency", "acme", "--json")
        said = handbill(*words, data=data, **server.settings).stdout
        rows = {one["publisherId"]: one for one in map(json.loads, said.splitlines())}
        assert [one["program"] for one in rows.values()] == ["boardbot", "hourly", None]
        assert 59 <= rows["Hourly"]["fetchRhythmMinutes"] <= 61
        assert not rows["Never"]["notFetched"]
        move_to(100)
        login()
        lost = [office.ask("GET", f"/publishers/{name}")["notFetched"] for name in urls]
        assert lost == [True, True, True]


def _is_written(url: str) -> bool | None:
    return asked(url, "HEAD")[0] == 200 or None


def _at(told: dict[str, Any], hours: int, field: str = "lastFetchAt") -> dict[str, Any] | None:
    """What is told, if a field of it is of this hour, give or take some minutes."""
    if told[field] is None:
        return None
    off = datetime.fromisoformat(told[field]) - NOON - timedelta(hours=hours)
    return told if abs(off) < timedelta(minutes=5) else None
