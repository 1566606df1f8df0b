"""The entities that a rule looks at, and what its action would change of each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from handbill.core.currencies import unit_micros
from handbill.core.nouns import Campaign, Cap, Client, Group, JobSetting, Placement, Publisher
from handbill.core.rates import Exchange
from handbill.core.rule_conditions import Action, RuleBody, RuleFilter
from handbill.core.terms import least_here
from handbill.kit.instants import Instant

Kind = Literal["client", "campaign", "group", "placement", "job"]
LEVELS: Final[Mapping[str, str]] = {
    "clients": "CLIENT",
    "campaign": "CAMPAIGN",
    "jobgroups": "JOBGROUP",
    "jobs": "JOB",
}
"""The name of each level of a rule in stats."""
_BIDS: Final = {"cpc bid": "cpc_bid_micros", "cpa bid": "cpa_bid_micros"}


class ActTarget(NamedTuple):
    """One switch, budget or bid. ``before``: the current amount; None: there is none. ``least``:
    the publisher's minimum bid. Both are in ``currency`` (empty: the agency's), which has
    this rate (0: it is the agency's; None: there is no rate) and this smallest unit.
    """

    kind: Kind
    entity: str
    id: str
    name: str
    publisher_id: str = ""
    before: int | None = None
    least: int = 0
    currency: str = ""
    rate_picos: int | None = 0
    unit_micros: int = 10_000


class JobAt(NamedTuple):
    """A live job, and the number of its job group."""

    id: str
    ref: str
    group_no: int
    since_at: Instant
    setting: JobSetting = JobSetting()


class RuleSubject(NamedTuple):
    """``since_at``: when it was created. ``budget``: the base of conditions on a share of it.
    ``gone``: it was named, and no longer exists.
    """

    level: str
    id: str
    name: str
    since_at: Instant = 0
    publishers: tuple[str, ...] = ()
    budget: int | None = None
    targets: tuple[ActTarget, ...] = ()
    gone: bool = False


class Book(NamedTuple):
    """A client's nouns, and the rates of its day."""

    client: Client
    campaigns: Mapping[int, Campaign]
    groups: Mapping[int, Group]
    publishers: Mapping[str, Publisher]
    exchange: Exchange
    jobs: Sequence[JobAt] = ()


def subjects_of(rule: RuleBody, book: Book) -> list[RuleSubject]:
    """All entities that a rule looks at, in the order of its filters, or the oldest first; before
    them, those that limit it and are gone.
    """
    limits = list(_gone_limits(rule, book))
    if rule.level == "jobs":
        return [*limits, *(_of_job(rule, book, job) for job in book.jobs)]
    if not rule.filters or rule.all_ids:
        every = [_subject(rule, book, one, RuleFilter(one.id)) for one in _scoped(rule, book)]
        return [*limits, *every]
    known = {one.id: one for one in _scoped(rule, book)}
    named = [
        _subject(rule, book, known[one.id], one)
        if one.id in known
        else RuleSubject(LEVELS[rule.level], one.id, one.name, gone=True)
        for one in dict.fromkeys(rule.filters)
    ]
    return [*limits, *named]


def _gone_limits(rule: RuleBody, book: Book) -> Iterator[RuleSubject]:
    """Of the scope, and of the filters of a rule of level jobs, what is not there any more."""
    if rule.level == "clients":
        return
    live = {
        "clients": {book.client.id},
        "campaign": {one.id for one in book.campaigns.values()},
        "jobgroups": {one.id for one in book.groups.values()},
    }
    limits = [("campaign", rule.campaign_id, ""), ("jobgroups", rule.group_id, "")]
    if rule.level == "jobs" and not rule.all_ids:
        limits += [(rule.job_level, one.id, one.name) for one in rule.filters]
    for level, id_, name in dict.fromkeys(limits):
        if id_ and id_ not in live[level]:
            yield RuleSubject(LEVELS[level], id_, name, gone=True)


def groups_in_scope(rule: RuleBody, book: Book) -> set[int]:
    """The numbers of the job groups whose jobs a rule of level jobs looks at."""
    ids = {one.id for one in rule.filters}
    return {
        group.no
        for group in _groups(rule, book)
        if not ids
        or rule.all_ids
        or rule.job_level == "clients"
        or (group.id if rule.job_level == "jobgroups" else book.campaigns[group.campaign_no].id)
        in ids
    }


def _scoped(rule: RuleBody, book: Book) -> Iterable[Client | Campaign | Group]:
    if rule.level == "clients":
        return [book.client]
    if rule.level == "campaign":
        nos = {one.campaign_no for one in _groups(rule, book)}
        return [
            one
            for one in book.campaigns.values()
            if rule.campaign_id in {"", one.id} and (not rule.group_id or one.no in nos)
        ]
    return _groups(rule, book)


def _groups(rule: RuleBody, book: Book) -> list[Group]:
    return [
        one
        for one in book.groups.values()
        if rule.group_id in {"", one.id}
        and rule.campaign_id in {"", book.campaigns[one.campaign_no].id}
    ]


def _subject(
    rule: RuleBody, book: Book, one: Client | Campaign | Group, said: RuleFilter
) -> RuleSubject:
    budget = one.body.caps.budget
    return RuleSubject(
        level=LEVELS[rule.level],
        id=one.id,
        name=one.body.company_name if isinstance(one, Client) else one.body.name,
        since_at=one.created_at,
        publishers=() if said.all_placements else said.placement_ids,
        budget=budget.value if budget else None,
        targets=tuple(_targets(rule, book, one, said)),
    )


def _of_job(rule: RuleBody, book: Book, job: JobAt) -> RuleSubject:
    budget, action = job.setting.caps.budget, rule.action
    before = budget.value if budget else None
    if action is not None and action.parameter in _BIDS:
        before = getattr(job.setting, _BIDS[action.parameter])
    unit = unit_micros(book.exchange.currency)
    target = ActTarget("job", job.id, job.id, job.ref, before=before, unit_micros=unit)
    of_budget = budget.value if budget else None
    return RuleSubject("JOB", job.id, job.ref, job.since_at, (), of_budget, (target,))


def _targets(
    rule: RuleBody, book: Book, one: Client | Campaign | Group, said: RuleFilter
) -> Iterator[ActTarget]:
    """The targets of an action on an entity. At named publishers, these are placements; an entity
    without its own bid leaves it to the job groups below.
    """
    below = _below(book, one)
    if said.placement_ids or said.all_placements:
        for group in below:
            yield from _of_placements(rule.action, book, group, said)
        return
    if rule.action is None or rule.action.parameter == "budget":
        yield _own(book, one, rule.action)
    if rule.action is not None and (isinstance(one, Group) or rule.apply_to_children):
        if rule.action.parameter in _BIDS:
            yield from (_bid_of(rule.action, book, group) for group in below)
        elif not isinstance(one, Group):
            children = book.campaigns.values() if isinstance(one, Client) else ()
            for child in (*children, *below):
                if child.body.caps.budget is not None:
                    yield _own(book, child, rule.action)
    if rule.admin == "resume" and rule.apply_to_children and not isinstance(one, Group):
        children = book.campaigns.values() if isinstance(one, Client) else ()
        yield from (_own(book, child, None) for child in (*children, *below))


def _below(book: Book, one: Client | Campaign | Group) -> list[Group]:
    if isinstance(one, Group):
        return [one]
    return [
        group
        for group in book.groups.values()
        if isinstance(one, Client) or group.campaign_no == one.no
    ]


def _own(book: Book, one: Client | Campaign | Group, action: Action | None) -> ActTarget:
    kinds: dict[type, Kind] = {Client: "client", Campaign: "campaign", Group: "group"}
    name = one.body.company_name if isinstance(one, Client) else one.body.name
    cap: Cap | None = one.body.caps.budget if action else None
    return ActTarget(
        kind=kinds[type(one)],
        entity=f"{one.no}",
        id=one.id,
        name=name,
        before=cap.value if cap else None,
        unit_micros=unit_micros(book.exchange.currency),
    )


def _bid_of(action: Action, book: Book, group: Group) -> ActTarget:
    """A job group's bid, and the highest minimum of the publishers that use it."""
    kind = action.parameter.removesuffix(" bid").upper()
    placed = [
        book.publishers[one.publisher_id]
        for one in group.body.placements
        if one.bid_micros is None and one.publisher_id in book.publishers
    ]
    at_kind = [one for one in placed if one.body.bid_type == kind]
    before = getattr(group.body, _BIDS[action.parameter]) or None
    return _own(book, group, None)._replace(
        before=before, least=max((least_here(one, book.exchange) for one in at_kind), default=0)
    )


def _of_placements(
    action: Action | None, book: Book, group: Group, said: RuleFilter
) -> Iterator[ActTarget]:
    for one in group.body.placements:
        publisher = book.publishers.get(one.publisher_id)
        wanted = said.all_placements or one.publisher_id in said.placement_ids
        if publisher is None or not wanted:
            continue
        target = ActTarget(
            kind="placement",
            entity=f"{group.no}/{publisher.no}",
            id=group.id,
            name=group.body.name,
            publisher_id=publisher.id,
            unit_micros=unit_micros(book.exchange.currency),
        )
        if action is not None and action.parameter == "budget":
            target = target._replace(before=one.budget.value if one.budget else None)
        elif action is not None:
            if publisher.body.bid_type != action.parameter.removesuffix(" bid").upper():
                continue
            target = _with_bid(target, one, publisher, book.exchange)
        yield target


def _with_bid(
    target: ActTarget, placed: Placement, publisher: Publisher, exchange: Exchange
) -> ActTarget:
    """A placement's bid, in the currency in which it was set."""
    if placed.currency in {"", exchange.currency}:
        least = least_here(publisher, exchange)
        return target._replace(before=placed.bid_micros, least=least)
    return target._replace(
        before=placed.bid_micros,
        least=publisher.body.least_bid_micros,
        currency=placed.currency,
        rate_picos=exchange.picos(placed.currency),
        unit_micros=unit_micros(placed.currency),
    )
