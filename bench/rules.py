"""A tick of a client's rules: 100 rules over 1,000 job groups and a million events. ``rules:10``:
ten times as much of each, which is what is promised.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import get_args

from bench.figures import Figure
from bench.stock import NOW, add_client, group_of, open_tools
from handbill.clients.service import clients_by_number
from handbill.control import rule_ticks, ruling
from handbill.core.entries import Entry
from handbill.core.nouns import Cap, Caps, GroupBody
from handbill.core.rule_conditions import Action, Condition, Duration, RuleBody
from handbill.groups import rows as groups
from handbill.host.clock import SetClock
from handbill.kit.instants import DAY, HOUR
from handbill.rules import service as rules
from handbill.stats.answering import Answering
from handbill.store import marks, segments
from handbill.work.tools import Tools

RULES, GROUPS, EVENTS = 100, 1_000, 1_000_000
MOST_SECONDS = 10.0
_DAYS = 31
_ROWS = 500_000  # of a segment
_TICK = NOW + 12 * HOUR
_ONE = 1_000_000


def run(times: int = 1) -> list[Figure]:
    with TemporaryDirectory(prefix="handbill-bench-") as folder:
        tools = open_tools(Path(folder))
        client_no, events = _market(tools, times)
        with tools.records.read() as tx:
            client = clients_by_number(tx, [client_no])[client_no]
        answering = Answering(tools.records, tools.blobs, tools.ids, tools.scratch)
        with_these = rule_ticks.RulingTools(
            tools.records, answering, SetClock(_TICK), tools.ids, "ACT"
        )
        wall, cpu = time.perf_counter(), time.process_time()
        acts = ruling.tick(with_these, client)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        tools.index.close()
        tools.records.close()
    said = f"{RULES * times:,} rules, {GROUPS * times:,} job groups, {events:,} events"
    note = f"{said}; {acts:,} acts advised; wall {wall:.1f} s"
    return [Figure("rules: a tick", cpu, "CPU s", "<= 10", cpu <= MOST_SECONDS, note)]


def _market(tools: Tools, times: int) -> tuple[int, int]:
    """The client's number, and how many events there are."""
    with tools.records.write() as tx:
        client, campaign = add_client(tx)
        caps = Caps(budget=Cap("Monthly", 900 * _ONE))
        nos = []
        for n in range(GROUPS * times):
            body = GroupBody(f"{n}", cpc_bid_micros=_ONE, caps=caps)
            group = group_of(campaign, body, f"g{n}")
            group.created_at -= 2 * _DAYS * DAY  # no window is longer than it has existed
            nos.append(groups.add(tx, group))
        client.body.control = "ADVISE"
        for number in range(RULES * times):
            rules.create(tx, tools.ids, _TICK, client, _rule(number))
        marks.make_fence(tx)
        tx.run_text("UPDATE journal_marks SET judged_at = :at", {"at": _TICK})
    every = _entries(client.no, campaign.no, nos, EVENTS * times)
    some: list[Entry] = []
    for entry in every:
        full = len(some) == _ROWS
        if some and (full or segments.month_of(some[0].at) != segments.month_of(entry.at)):
            _register(tools, some)
            some = []
        some.append(entry)
    _register(tools, some)
    return client.no, EVENTS * times


def _register(tools: Tools, some: list[Entry]) -> None:
    path = segments.path_of(segments.month_of(some[0].at), NOW, tools.ids)
    written = segments.write(tools.blobs, path, some)
    with tools.records.write() as tx:
        segments.register(tx, [written], NOW)


def _rule(number: int) -> RuleBody:
    """A share of the job groups meets it; all windows are asked for."""
    windows = get_args(Duration)
    window = windows[number % len(windows)]
    conditions = (
        Condition("clicks", "greater than", (number % 50) * 10 * _ONE, "#", window),
        Condition("cta", "less than", 3 * _ONE, "%", window),
    )
    acts = Action(number % 2 == 0, "cpc bid", 10 * _ONE, "%") if number % 3 else None
    return RuleBody(
        name=f"{number}",
        level="jobgroups",
        conditions=conditions,
        action_type="bidStrategy" if acts else "administration",
        action=acts,
        admin="" if acts else "pause",
    )


def _entries(client_no: int, campaign_no: int, nos: list[int], many: int) -> Iterator[Entry]:
    chance = Random(3)
    step = _DAYS * DAY // many
    patterns = [chance.choice(nos) for _ in range(9_973)]
    for n in range(many):
        group_no = patterns[n % len(patterns)]
        paid = chance.random() < 0.95
        kind = "CLICK" if paid else "APPLY"
        at = _TICK - _DAYS * DAY + n * step
        yield Entry(
            id=n.to_bytes(16, "big"),
            at=at,
            kind=kind,
            disposition="valid" if paid else "counted",
            reason="",
            client_no=client_no,
            campaign_no=campaign_no,
            group_no=group_no,
            publisher_no=1,
            job_id=f"{n % 20_000:032x}",
            bid_type="CPC",
            charge_micros=400_000 * paid,
            spend_micros=500_000 * paid,
            currency="USD",
            marked_micros=500_000 * paid,
            agency_ppm=0,
            override_ppm=0,
            click_at=at,
            click_id=b"",
            visitor=b"",
            ip="",
            agent="",
            source="edge",
            candidate_id="",
            application_id="",
        )
