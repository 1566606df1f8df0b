"""100,000 jobs against 200 filters: the filters alone, and the task from records to records."""

import time
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from bench.figures import Figure
from bench.stock import NOW, add_client, fill, filter_of, group_of, open_tools, stock
from handbill.core.filter_code import JobFacts
from handbill.core.nouns import Branch, Client, GroupBody, JobBody
from handbill.groups import matching, rows
from handbill.groups.contest import contest_of
from handbill.work.tools import Tools

LIMIT = 3.0
JOBS, FILTERS = 100_000, 200


def filters(sample: list[JobBody]) -> list[Branch]:
    """Filters as agencies make them: places, trades, words, ages, bids; a third without a value
    that they could be found by.
    """
    chance = Random(5)
    made: list[Branch] = []
    for number in range(FILTERS):
        job = chance.choice(sample)
        word = chance.choice(job.title.split())
        made.append(
            (
                filter_of(("city", "EQUAL", job.city), ("category", "EQUAL", job.category)),
                filter_of(("state", "IN", [job.state, "ZZ"]), ("title", "CONTAINS", word)),
                filter_of(("title", "CONTAINS", f"{word} {number}"), ("cpcBid", "LESS_THAN", "1")),
                filter_of(("company", "BEGINS_WITH", job.company), ("city", "NOT_EQUAL", job.city)),
                filter_of(("category", "EQUAL", job.category), ("postedDate", "LESS_THAN", "3")),
                filter_of(("refNumber", "ENDS_WITH", f"{number:03d}"), ("zip", "IN", ["1", "2"])),
            )[number % 6]
        )
    return made


def run() -> list[Figure]:
    with TemporaryDirectory(prefix="handbill-bench-") as folder:
        tools = open_tools(Path(folder))
        sample = list(stock(1_000))
        with tools.records.write() as tx:
            client, campaign = add_client(tx)
            for number, tree in enumerate(filters(sample)):
                body = GroupBody(f"Group {number}", filters=tree)
                rows.add(tx, group_of(campaign, body, f"group-{number}", number % 10 + 1))
        fill(tools.records, client, JOBS)
        alone = _filters_alone(tools, client)
        start = time.process_time()
        matching.rematch(tools.records, client, NOW)
        whole = time.process_time() - start
        with tools.records.write() as tx:
            group = rows.every(tx, client.no)[7]
            group.body.filters = filter_of(("title", "CONTAINS", "nurse"))
            rows.save(tx, group, NOW)
        start = time.process_time()
        matching.rematch(tools.records, client, NOW)
        again = time.process_time() - start
        tools.index.close()
        tools.records.close()
    return [
        Figure("filters, 100,000 jobs x 200", alone, "CPU s", "<= 3", alone <= LIMIT),
        Figure(
            "matching task, the same, records to records", whole, "CPU s", "<= 3", whole <= LIMIT
        ),
        Figure("matching task, one filter changed", again, "CPU s", "", met=True),
    ]


def _filters_alone(tools: Tools, client: Client) -> float:
    with tools.records.read() as tx:
        contest = contest_of(tx, client, NOW)
    facts = [
        JobFacts(
            job.category,
            job.country,
            job.state,
            job.city,
            str(job.zip),
            job.type,
            job.title,
            job.company,
            job.ref,
            "2026-11-20",
            job.cpc_micros,
            job.additional,
        )
        for job in stock(JOBS)
    ]
    matcher = contest.matcher()
    start = time.process_time()
    found = [matcher.best(job) for job in facts]
    spent = time.process_time() - start
    assert 0 < sum(group_no is not None for group_no in found) < JOBS, (
        "filters too easy or too hard"
    )
    return spent
