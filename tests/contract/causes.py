"""Every cause that keeps something out of the feeds, as it comes about, and what mends it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from contract.causing import (
    added_anew,
    by_posting,
    day,
    elsewhere,
    elsewhere_placed,
    emptied,
    ends,
    franc_rate,
    held,
    in_euros,
    in_francs,
    job_placed,
    nine_jobs,
    of_publisher,
    placed,
    starts_later,
    tomorrow,
    two_publishers,
    without_publisher,
)
from contract.test_previews import rule
from contract.test_resolved_status import Market, budget, days, put, spend, two_places


class Cause(NamedTuple):
    """``asked``: whose state is asked for. ``why_no_fix``: why no request can mend it; ``mended``:
    what does then, if anything.
    """

    asked: str
    told: str
    acts: tuple[Callable[[Market], Any], ...]
    why_no_fix: str = ""
    mended: tuple[Callable[[Market], Any], ...] = ()


CAUSES: dict[str, Cause] = {
    # Switches.
    "client paused": Cause("group", "PARENT_PAUSED CLIENT", (put("client", path="/pause"),)),
    "client itself paused": Cause("client", "PAUSED CLIENT", (put("client", path="/pause"),)),
    "campaign paused": Cause("group", "PARENT_PAUSED CAMPAIGN", (put("campaign", path="/pause"),)),
    "paused above a job": Cause("job", "PARENT_PAUSED CLIENT", (put("client", path="/pause"),)),
    "group paused": Cause("group", "PAUSED JOBGROUP", (put("group", path="/pause"),)),
    "job paused": Cause("job", "PAUSED JOB", (put("job", path="/pause"),)),
    # Rules.
    "campaign held": Cause("campaign", "HELD_BY_RULE CAMPAIGN", (held("campaign"),)),
    "group held": Cause("group", "HELD_BY_RULE JOBGROUP", (held("group"),)),
    "placement held": Cause("placement", "HELD_BY_RULE PLACEMENT", (held("placement"),)),
    "job held": Cause("job", "HELD_BY_RULE JOB", (held("job"),)),
    # Dates.
    "client ended": Cause("client", "EXPIRED CLIENT", ends("client")),
    "campaign ended": Cause("campaign", "EXPIRED CAMPAIGN", ends("campaign")),
    "group ended": Cause("group", "EXPIRED JOBGROUP", ends("group")),
    "job's settings ended": Cause(
        "job",
        "EXPIRED JOB",
        (put("job", lambda it: {"jobSetting": {"endDate": day(it)}}), days(1)),
    ),
    "job ended": Cause("job", "EXPIRED JOB", (put("job", lambda it: {"endAtDate": day(it, -1)}),)),
    "job starts later": Cause(
        "job",
        "NOT_STARTED JOB",
        (put("job", lambda it: {"jobSetting": {"startDate": day(it, 5), "endDate": day(it, 9)}}),),
    ),
    "off day": Cause(
        "group",
        "OFF_DAY JOBGROUP",
        (put("group", lambda it: {"daysToSchedule": [tomorrow(it)]}),),
    ),
    # Caps.
    "client's budget": Cause("client", "CAP_REACHED CLIENT", (spend(999.7),)),
    "above the job": Cause("job", "CAP_REACHED CLIENT", (spend(1_000),)),
    "campaign's clicks": Cause(
        "campaign",
        "CAP_REACHED CAMPAIGN",
        (put("campaign", {"caps": {"clicks": {"cap": "Weekly", "value": 7}}}), spend(1, 7)),
    ),
    "group's budget": Cause(
        "group", "CAP_REACHED JOBGROUP", (put("group", {"caps": budget(3)}), spend(2.6))
    ),
    "group's day": Cause(
        "group",
        "CAP_REACHED JOBGROUP",
        (put("group", {"caps": {"budget": {"cap": "Daily", "value": 2}}}), spend(2)),
    ),
    "paced month's day": Cause(
        "group", "CAP_REACHED JOBGROUP", (put("group", {"caps": budget(30, pacing=True)}), spend(6))
    ),
    "cap of 0": Cause("group", "CAP_ZERO JOBGROUP", (put("group", {"caps": budget(0)}),)),
    "no clicks allowed": Cause(
        "group",
        "CAP_ZERO JOBGROUP",
        (put("group", {"caps": {"clicks": {"cap": "Weekly", "value": 0}}}),),
    ),
    "lowered below used": Cause(
        "group", "CAP_REACHED JOBGROUP", (spend(5), put("group", {"caps": budget(2)}))
    ),
    "filled by copies": Cause(
        "group",
        "CAP_IN_FLIGHT JOBGROUP",
        (nine_jobs(budget(3)), spend(2.45)),
    ),
    "placement's budget": Cause(
        "group", "CAP_REACHED PLACEMENT", (placed(caps=budget(2)), spend(2))
    ),
    "placement's budget and the whole": Cause(
        "placement",
        "CAP_REACHED PLACEMENT",
        (
            put("group", lambda it: {"caps": budget(3), "placements": [it.placed(caps=budget(3))]}),
            spend(3),
        ),
    ),
    "placement's week": Cause(
        "placement",
        "CAP_REACHED PLACEMENT",
        (
            put(
                "group",
                lambda it: {
                    "caps": budget(8.1),
                    "placements": [it.placed(caps={"budget": {"cap": "Weekly", "value": 2}})],
                },
            ),
            spend(2),
        ),
    ),
    "campaign's of a publisher": Cause(
        "group",
        "CAP_REACHED CAMPAIGN",
        (put("campaign", lambda it: {"placementCaps": {it.publisher: budget(2)}}), spend(2)),
    ),
    "locked for others": Cause("placement", "CAP_LOCKED JOBGROUP", (two_places,)),
    "job's own budget": Cause(
        "job",
        "CAP_REACHED JOB",
        (put("job", {"jobSetting": {"caps": budget(2)}}), spend(2, 1, "job")),
    ),
    "each job's budget": Cause(
        "job",
        "CAP_REACHED JOB",
        (put("group", {"caps": {"jobBudget": budget(2)["budget"]}}), spend(2, 1, "group_job")),
    ),
    "job's at a publisher": Cause(
        "job",
        "CAP_REACHED JOB",
        (job_placed(caps=budget(2)), spend(2, 1, "job_placement")),
    ),
    "every job capped": Cause(
        "group",
        "JOBS_CAPPED JOBGROUP",
        (put("group", {"caps": {"jobBudget": budget(2)["budget"]}}), spend(2, 1, "group_job")),
    ),
    # Places.
    "placement off": Cause("group", "PLACEMENT_PAUSED PLACEMENT", (placed(is_active=False),)),
    "placement off beside an excluded one": Cause(
        "placement", "PLACEMENT_PAUSED PLACEMENT", (two_publishers,)
    ),
    "publisher paused": Cause("group", "PUBLISHER_PAUSED PUBLISHER", (of_publisher("/pause"),)),
    "excluded": Cause(
        "group",
        "EXCLUDED CLIENT",
        (put("client", lambda it: {"excludedPublishers": [it.publisher]}),),
    ),
    "excluded twice": Cause(
        "job",
        "EXCLUDED CLIENT",
        (
            put(
                "client",
                lambda it: {
                    "excludedPublishers": [it.publisher],
                    "globallyExcludedPublishers": [it.publisher, "TestExp1"],
                },
            ),
        ),
    ),
    "job excludes": Cause("job", "JOB_EXCLUDES JOB", (job_placed(isActive=False),)),
    "job allows others": Cause(
        "job",
        "JOB_EXCLUDES JOB",
        (
            put(
                "job",
                lambda it: {
                    "publisherFields": {"publishers": ["TestExp1"], "TestExp1": {"tag": "x"}}
                },
            ),
        ),
    ),
    # Bids.
    "no bid": Cause("group", "NO_BID PLACEMENT", (put("group", {"cpcBid": 0}),)),
    "placement bids nothing": Cause("placement", "NO_BID PLACEMENT", (placed(bid=0),)),
    "job bids nothing": Cause("job", "NO_BID JOB", (put("job", {"jobSetting": {"cpcBid": 0}}),)),
    "job bids nothing there": Cause("job", "NO_BID JOB", (job_placed(cpcBid=0),)),
    "below the least bid": Cause(
        "group", "BELOW_MIN_BID PLACEMENT", (of_publisher("", {"minBid": 0.6}),)
    ),
    "below the least bid in euros": Cause("group", "BELOW_MIN_BID PLACEMENT", (in_euros,)),
    "below the cent": Cause(
        "group",
        "BELOW_UNIT PLACEMENT",
        (put("client", {"markdown": 99}), put("group", {"cpcBid": 0.1})),
    ),
}


WITHOUT_FIX: dict[str, Cause] = {
    "group starts later": Cause(
        "group",
        "NOT_STARTED JOBGROUP",
        (starts_later,),
        "the day on which it starts cannot be changed",
        (days(5),),
    ),
    "no publisher": Cause(
        "group",
        "NO_PLACEMENT JOBGROUP",
        (without_publisher,),
        "which publisher it is to have is its owner's choice",
        (elsewhere_placed,),
    ),
    "other clients": Cause(
        "group",
        "CLIENT_TYPE PUBLISHER",
        (of_publisher("", {"placementType": "JobBoard"}),),
        "which clients a publisher takes is its own terms",
        (of_publisher("", {"placementType": "All"}),),
    ),
    "paid by posting": Cause(
        "group",
        "NOT_POSTED PUBLISHER",
        (by_posting,),
        "a posting has a price and dates, which nobody can guess",
    ),
    "no rate": Cause(
        "placement",
        "NO_RATE PUBLISHER",
        (in_francs,),
        "nobody but the operator knows the rate",
        (franc_rate,),
    ),
    "no job group": Cause(
        "job",
        "NO_GROUP JOB",
        (elsewhere,),
        "which jobs a job group takes is its owner's choice",
        (put("group", {"filters": rule("city", "Austin")}),),
    ),
    "no jobs": Cause(
        "group",
        "NO_JOBS JOBGROUP",
        (elsewhere,),
        "which jobs a job group takes is its owner's choice",
        (put("group", {"filters": rule("city", "Austin")}),),
    ),
    "nothing to describe it": Cause(
        "job",
        "INVALID JOB",
        (added_anew(description=""),),
        "nobody can guess the text that it lacks",
        (added_anew(),),
    ),
    "paused and not valid": Cause(
        "job",
        "PAUSED JOB",
        (put("job", path="/pause"), emptied),
        "a job that is not valid cannot be changed",
        (added_anew(),),
    ),
    "jobs at their own caps": Cause(
        "group",
        "JOBS_CAPPED JOBGROUP",
        (put("job", {"jobSetting": {"caps": budget(2)}}), spend(2, 1, "job")),
        "each job has a cap of its own, and its own state the request",
        (put("job", {"jobSetting": {"caps": budget(5)}}),),
    ),
    "jobs bid nothing there": Cause(
        "group",
        "NO_BID PLACEMENT",
        (job_placed(cpcBid=0),),
        "each job has a bid of its own there, and its own state the request",
        (job_placed(cpcBid=1),),
    ),
    "nothing below": Cause(
        "client",
        "NONE_BELOW CLIENT",
        (put("campaign", path="/pause"),),
        "what is below it has the causes",
        (put("campaign", path="/enable"),),
    ),
}
"""What no request can mend, and what does."""
