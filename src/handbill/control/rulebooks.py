"""What rules look at: a client's present nouns, jobs by a filter, and the figures of stats."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from handbill.campaigns import service as campaigns
from handbill.core.filter_code import Contender, Matcher
from handbill.core.nouns import Client, Job, JobSettings
from handbill.core.rule_conditions import Guards, Rule, RuleBody
from handbill.core.rules.figures import Asked, Figures, Window, figures_of_sums
from handbill.core.rules.running import asked_of
from handbill.core.rules.sights import Sight
from handbill.core.rules.subjects import (
    LEVELS,
    Book,
    JobAt,
    RuleSubject,
    groups_in_scope,
    subjects_of,
)
from handbill.core.rules.windows import curve_of
from handbill.groups import service as groups
from handbill.groups.contest import Contest, contest_of
from handbill.groups.matching import BATCH, candidates
from handbill.jobs import service as jobs
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, start_of, zone_of
from handbill.ledger import apply_ages
from handbill.publishers import service as publishers
from handbill.rates import service as rates
from handbill.stats.answering import Answering
from handbill.stats.questions import Filters, Plan, planned
from handbill.store.records import Tx

MOST_JOBS: Final = 100_000
"""How many jobs a rule looks at; of more, the oldest."""
_OLDEST, _YOUNGEST = timedelta(days=90), timedelta(days=15)
"""The age of clicks from which the delays of applies are learned."""
_MEMORY_MB: Final = 256
Applies = Counter[tuple[date, int]]
"""How many came, by the day of their click and how many days later."""
Question = tuple[str, tuple[str, ...]]
"""The level, and the publishers; none named: all."""
Answers = dict[str, dict[Asked, dict[str, Figures]]]


class Sheet(NamedTuple):
    """A rule, and all that it looks at. ``cut``: there were more jobs, and the oldest were kept."""

    rule: RuleBody
    subjects: list[RuleSubject]
    cut: bool = False


def book_of(tx: Tx, client: Client, now: Instant) -> Book:
    """The client's live nouns, and the rates of an instant's day."""
    every = {one.no: one for one in campaigns.campaigns_of(tx, client.no)}
    live = {
        one.no: one
        for one in groups.groups_of(tx, client.no)
        if not one.is_default and one.campaign_no in every
    }
    known = {one.id: one for one in publishers.publishers_of(tx, client.agency_no)}
    return Book(client, every, live, known, rates.exchange_of(tx, client, now))


def sheet_of(tx: Tx, book: Book, rule: RuleBody, now: Instant) -> Sheet:
    """What a rule looks at: entities that existed at an instant, and have not gone since."""
    cut = False
    if rule.level == "jobs":
        jobs_ = list(islice(_jobs(tx, book, rule, now), MOST_JOBS + 1))
        cut = len(jobs_) > MOST_JOBS
        book = book._replace(jobs=jobs_[:MOST_JOBS])
    return Sheet(rule, [one for one in subjects_of(rule, book) if one.since_at <= now], cut)


def sheets_of(tx: Tx, book: Book, some: Iterable[Rule], now: Instant) -> dict[int, Sheet]:
    """What each of these rules looks at, by number; rules that look at the same share it."""
    known: dict[bytes, Sheet] = {}
    sheets = {}
    for rule in some:
        what = _looks_at(rule.body)
        key = msgspec.json.encode(what)
        if key not in known:
            known[key] = sheet_of(tx, book, what, now)
        sheets[rule.no] = known[key]._replace(rule=rule.body)
    return sheets


def _looks_at(rule: RuleBody) -> RuleBody:
    """The parts of a rule that determine what it looks at, and which setting it would change."""
    action = rule.action and msgspec.structs.replace(rule.action, increase=True, value_millionths=0)
    return msgspec.structs.replace(
        rule,
        name="",
        conditions=(),
        all_of=True,
        action=action,
        repeat_days=0,
        notify=False,
        call_back_url="",
        guards=Guards(),
        start_on="",
        end_on="",
    )


def _jobs(tx: Tx, book: Book, rule: RuleBody, now: Instant) -> Iterator[JobAt]:
    """The live jobs of its filter, in the job groups of its scope, the oldest first."""
    contest = contest_of(tx, book.client, now)
    for id_, group_no, job in _filtered(tx, contest, rule, groups_in_scope(rule, book)):
        setting = (job.body.settings or JobSettings()).setting
        yield JobAt(id_, job.body.ref, group_no, job.created_at, setting)


def _filtered(
    tx: Tx, contest: Contest, rule: RuleBody, scope: set[int]
) -> Iterator[tuple[str, int, Job]]:
    tree = rule.job_filter
    matcher = Matcher([Contender((1, 1), 1, tree)], contest.today, contest.places) if tree else None
    after = 0
    while some := candidates(tx, contest, after, BATCH):
        after = some[-1].no
        wanted = {
            one.no: one.group_no
            for one in some
            if one.live
            and one.group_no in scope
            and (matcher is None or matcher.best(one.facts) is not None)
        }
        for no, job in jobs.jobs_by_number(tx, wanted).items():
            yield job.id, wanted[no] or 0, job


def questions_of(
    sheets: Iterable[Sheet], client: Client, now: Instant
) -> dict[Question, set[Window]]:
    """All questions to stats for these rules, each once, with its ranges of days."""
    today = day_of(now, zone_of(client.zone))
    questions: dict[Question, set[Window]] = defaultdict(set)
    for sheet in sheets:
        for window, places in asked_of(sheet.rule, sheet.subjects, today):
            questions[LEVELS[sheet.rule.level], places].add(window)
    return questions


def plans_of(
    tx: Tx, client: Client, some: Mapping[Question, Collection[Window]], now: Instant
) -> dict[Question, Plan]:
    """The plans for these questions at an instant: later events are not counted."""
    plans = {}
    for (level, places), windows in some.items():
        first_on, last_on = min(first for first, _ in windows), max(last for _, last in windows)
        filters = Filters(first_on, last_on, publisher_ids=places)
        plan = planned(tx, client, filters, [level, "DATE"], now)
        plan = msgspec.structs.replace(plan, layout="slices", end=min(plan.end, now))
        plans[level, places] = plan
    return plans


def answered(
    answering: Answering,
    some: Mapping[Question, Collection[Window]],
    plans: Mapping[Question, Plan],
) -> Answers:
    """The figures of every entity, by level, question and id."""
    answers: Answers = defaultdict(dict)
    for question, plan in plans.items():
        level, places = question
        for window, its in answering.in_ranges(plan, sorted(some[question]), _MEMORY_MB).items():
            rows = {id_: figures_of_sums(sums) for id_, sums in its.items()}
            answers[level][window, places] = rows
    return answers


def sight_of(
    client: Client, now: Instant, answers: Mapping[Asked, Mapping[str, Figures]], came: Applies
) -> Sight:
    """What a run at an instant goes by."""
    zone = zone_of(client.zone)
    today = day_of(now, zone)
    return Sight(now, today, start_of(today, zone), answers, curve_at(came, today), zone)


def applies_of(tx: Tx, client: Client, today: date) -> Applies:
    """The delays of applies that are known on a day."""
    delays = apply_ages.delays_since(tx, client.no, today - _OLDEST)
    return Counter({(date.fromisoformat(on), age): count for (on, age), count in delays.items()})


def curve_at(came: Applies, today: date) -> tuple[int, ...]:
    """The delays learned from applies that had come before a day began."""
    first, end = today - _OLDEST, today - _YOUNGEST
    ages: Counter[int] = Counter()
    for (day, age), applies in came.items():
        if first <= day < end and day + timedelta(days=age) < today:
            ages[age] += applies
    return curve_of(ages)
