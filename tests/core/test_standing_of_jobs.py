"""How a job stands: the first reason that holds, and what its own caps do."""

from typing import Any

import msgspec
import pytest

from core.standing_tree import FULL, MONDAY, NOW, STAMPS, caps, tree
from handbill.core.nouns import (
    Job,
    JobBody,
    JobPlacement,
    JobSetting,
    JobSettings,
)
from handbill.core.standing.jobs import Above, job_resolved
from handbill.core.standing.reasons import Code, Level, Resolved
from handbill.core.standing.resolving import resolve
from handbill.core.standing.tree import CappedJob, Spot, StandingTree


# ── a single job ────────────────────────────────────────────────────────────────────────────────
def job(status: str = "A", *, valid: bool = True, **body: Any) -> Job:
    return Job(
        no=9,
        id="ab",
        client_no=1,
        feed_no=None,
        status=status,
        valid=valid,
        body=JobBody(**({"ref": "r", "url": "https://x.example/1"} | body)),
        **STAMPS,
    )


def of_job(
    one: Job,
    found: StandingTree | None = None,
    capped_by: tuple[Resolved, ...] = (),
    there: tuple[Resolved, ...] = (),
) -> Resolved:
    found = found or tree()
    states = resolve(found, NOW)
    group = found.groups[0]
    spot = Spot(found.campaigns[0], group, group.body.placements[0], found.publishers["Board"])
    above = Above(
        found.client,
        group,
        states["group", "3"],
        [(spot, [states["placement", "3/7"], *there])],
        found.exchange,
    )
    return job_resolved(one, above, capped_by, NOW, MONDAY)


ALONE = JobSettings(publishers=())
NOT_THERE = JobSettings(placements=(JobPlacement("Board", active=False),))
LATER = JobSettings(setting=JobSetting(start_on="2026-12-01"))
OVER = JobSettings(setting=JobSetting(end_on="2026-11-01"))
CHEAP = JobSettings(setting=JobSetting(cpc_bid_micros=100_000))


@pytest.mark.parametrize(
    ("one", "found", "code", "status"),
    [
        (job("P"), None, Code.PAUSED, "PAUSED"),
        (job(end_at=NOW), None, Code.EXPIRED, "EXPIRED"),
        (job(valid=False, missing=("title",)), None, Code.INVALID, "NO_JOBS"),
        (job(url=""), None, Code.NO_URL, "NO_JOBS"),
        (job(settings=LATER), None, Code.NOT_STARTED, "NOT_STARTED"),
        (job(settings=OVER), None, Code.EXPIRED, "EXPIRED"),
        (job(settings=ALONE), None, Code.JOB_EXCLUDES, "NO_PLACEMENT"),
        (job(settings=NOT_THERE), None, Code.JOB_EXCLUDES, "NO_PLACEMENT"),
        (
            job(settings=CHEAP),
            tree(publisher={"min_bid_micros": 200_000}),
            Code.BELOW_MIN_BID,
            "NO_BID",
        ),
        (job(), tree(status="AAPA"), Code.PARENT_PAUSED, "PARENT_PAUSED"),
        (job(), tree(**caps(("client", "1", "budget"), FULL)), Code.CAP_REACHED, "PARENT_CAPPED"),
        (job(), tree(status="AAAP"), Code.PUBLISHER_PAUSED, "NO_PLACEMENT"),
        (
            job(),
            tree(**caps(("placement", "3/7", "budget"), FULL)),
            Code.CAP_REACHED,
            "PARENT_CAPPED",
        ),
    ],
)
def test_each_cause_is_the_first_reason_of_the_job(
    one: Job, found: StandingTree | None, code: Code, status: str
) -> None:
    told = of_job(one, found)
    assert (told.reasons[0].code, told.status) == (code, status)
    assert told.also_holding == ()


def test_a_job_that_stands_and_one_that_nobody_takes() -> None:
    assert of_job(job()).is_plain
    plain = tree()
    default = msgspec.structs.replace(plain.groups[0], is_default=True, status="P")
    nobody = of_job(job(), plain._replace(groups=[default]))
    assert [one.code for one in nobody.reasons] == [Code.NO_GROUP]


def test_the_caps_of_a_job_are_its_own() -> None:
    held = resolve(
        tree(capped_jobs=[CappedJob("ab", "r", "Cook", 3)], caps={("job", "ab", "budget"): FULL}),
        NOW,
    )["job", "ab"]
    told = of_job(job(), capped_by=(held,))
    assert (told.status, told.reasons[0].level) == ("CAPPED", Level.JOB)
    at_one = resolve(
        tree(
            capped_jobs=[CappedJob("ab", "r", "Cook", 3)],
            caps={("job_placement", "ab/7", "budget"): FULL},
        ),
        NOW,
    )["job_placement", "ab/7"]
    told = of_job(job(), there=(at_one,))
    assert (told.status, told.reasons[0].code) == ("CAPPED", Code.CAP_REACHED)
