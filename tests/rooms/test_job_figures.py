"""Jobs by their figures: those of stats by job, in the order that was asked for, page by page."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from handbill.core.metrics import finished_as
from handbill.stats.answering import Answering, Within
from handbill.stats.job_figures import JobsByFigures, Show, Sort, jobs_by_figures
from handbill.store.records import Records
from rooms.report_desk import Desk, traffic
from rooms.test_stats_http import House, filled

_ALL = 1_000
SORTS: tuple[Sort, ...] = ("spent", "clicks", "applies")


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Desk:
    return Desk(records, tmp_path)


def asked(
    market: Desk, client_no: int, show: Show, sort: Sort, skip: int = 0, limit: int = _ALL
) -> JobsByFigures:
    client = market.client_noun(client_no)
    with market.records.read() as tx:
        answering = Answering(Within(tx), market.blobs, market.ids, market.scratch)
        return jobs_by_figures(
            tx, answering, client, 60, show, sort, SORTS, skip, limit, market.clock.now()
        )


def test_they_are_the_figures_of_stats(market: Desk) -> None:
    client_no = traffic(market)
    lines = [one for one in market.lines(client_no, "JOB") if one["jobId"]]
    chosen: dict[Show, list[dict[str, str]]] = {
        "ALL": lines,
        "SPENT": [one for one in lines if float(one["spent"])],
        "NO_APPLY": [one for one in lines if one["clicks"] != "0" and one["applies"] == "0"],
    }
    for show, some in chosen.items():
        for sort in SORTS:
            found = asked(market, client_no, show, sort)
            wanted = sorted(some, key=lambda one: (-float(one[sort]), one["jobId"]))
            told = [
                {"jobId": job.id, "refNumber": job.ref, "jobTitle": job.title}
                | {name: float(finished_as(name)(job.sums)) for name in SORTS}
                for job in found.jobs
            ]
            assert told == [
                {name: one[name].lstrip("'") for name in ("jobId", "refNumber", "jobTitle")}
                | {name: float(one[name]) for name in SORTS}
                for one in wanted
            ]
            assert found.in_all == len(wanted)
    assert [len(some) for some in chosen.values()] == [4, 2, 0]


def test_jobs_without_apply_are_those_with_clicks(market: Desk) -> None:
    listing = market.listing()
    for n in range(3):
        click = market.clicked(msgspec.structs.replace(listing, job_id=bytes((n,)) * 16))
        if n == 1:
            market.converted(click)
    market.judge_all()
    found = asked(market, listing.client_no, "NO_APPLY", "clicks")
    assert [job.id for job in found.jobs] == ["00" * 16, "02" * 16]
    assert (found.in_all, found.jobs[0].ref) == (2, ""), "the job is no longer kept"


def test_pages_are_parts_of_the_whole(market: Desk) -> None:
    client_no = traffic(market)
    whole = asked(market, client_no, "ALL", "clicks")
    pages = [asked(market, client_no, "ALL", "clicks", skip, 1) for skip in range(len(whole.jobs))]
    assert [job for page in pages for job in page.jobs] == list(whole.jobs)
    assert {page.in_all for page in pages} == {whole.in_all}
    assert asked(market, client_no, "ALL", "clicks", len(whole.jobs), 1).jobs == []


def test_through_the_door(records: Records, tmp_path: Path) -> None:
    house = House(records, tmp_path)
    path = f"/clients/{house.client_id}/job-figures"
    try:
        nothing = house.ask("GET", f"{path}?page=0&limit=5").json
        assert (nothing["data"], nothing["total"]) == ([], 0)
        filled(house)
        house.judge()
        told: Any = house.ask("GET", f"{path}?page=0&limit=5&metrics=clicks,applies,cta").json
        assert [one["total"] for one in told["data"]] == [{"clicks": 1, "applies": 1, "cta": 100}]
        assert house.ask("GET", f"{path}?page=0&limit=5&show=NO_APPLY").json["total"] == 0
        for query in ("show=SOME", "sort=cpa", "days=61", "days=0"):
            wrong = house.ask("GET", f"{path}?page=0&limit=5&{query}")
            name = query.partition("=")[0]
            assert wrong.status == 400
            assert f"/{name}" in str(wrong.json)
    finally:
        house.journal.close()
