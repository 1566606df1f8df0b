"""The job groups that compete for a client's jobs on one day, and their ranks."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from handbill.campaigns import service as campaigns
from handbill.clients import service as clients
from handbill.core.filter_code import Contender, Matcher
from handbill.core.filter_fields import unknown_fields
from handbill.core.filters import NUMBER_FIELD, asks_age
from handbill.core.nouns import Branch, Client, Group, Leaf
from handbill.core.rates import Exchange
from handbill.core.states import may_match
from handbill.groups import service as groups
from handbill.jobs import abroad
from handbill.kit.faults import Fault
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, zone_of
from handbill.rates import service as rates
from handbill.store.records import Tx

GRAMMAR = 2
"""To be raised when the meaning of filters changes: then every job is matched anew."""
LAST = (1 << 62, 0)
"""The rank of the default group: any other group wins."""


@dataclass(frozen=True, slots=True)
class Contest:
    """The groups that jobs of a client may go to, on one day."""

    client_no: int
    today: date
    now: Instant
    contenders: list[Contender]
    ranks: dict[int, tuple[int, int]]
    signatures: dict[int, str]
    default_no: int | None
    places: dict[str, int]
    exchange: Exchange

    def matcher(self, only: Iterable[int] | None = None) -> Matcher:
        """All filters compiled, or only those of some groups."""
        chosen = None if only is None else set(only)
        among_all = [c for c in self.contenders if chosen is None or c.group_no in chosen]
        return Matcher(among_all, self.today, self.places)

    def rank(self, group_no: int) -> tuple[int, int]:
        return self.ranks.get(group_no, LAST)


def warnings_of(filters: Branch, contest: Contest) -> list[Fault]:
    """The fields of a filter that no job of the client has, if all of its own fields are known."""
    if len(contest.places) >= clients.MOST_CUSTOM_FIELDS:
        return []
    return unknown_fields(filters, contest.places)


def contest_of(tx: Tx, client: Client, now: Instant) -> Contest:
    """The groups that take part today, in the client's zone, and the default group."""
    today = day_of(now, zone_of(client.zone))
    places = clients.custom_places(tx, client.no)
    by_no = {campaign.no: campaign for campaign in campaigns.campaigns_of(tx, client.no)}
    live = groups.groups_of(tx, client.no)
    part = [
        group
        for group in live
        if (campaign := by_no.get(group.campaign_no)) and may_match(group, campaign, today)
    ]
    contenders = sorted(_contender(group) for group in part)
    exchange = rates.exchange_of(tx, client, now)
    of_bids = [(code, exchange.picos(code)) for code in abroad.currencies_of(tx, client.no)]
    return Contest(
        client_no=client.no,
        today=today,
        now=now,
        contenders=contenders,
        ranks={contender.group_no: contender.rank for contender in contenders},
        signatures={c.group_no: _signature(c, today, places, of_bids) for c in contenders},
        default_no=next((group.no for group in live if group.is_default), None),
        places=places,
        exchange=exchange,
    )


def _contender(group: Group) -> Contender:
    assert group.body.filters is not None, "may_match asks for a filter"
    return Contender((group.priority, group.no), group.no, group.body.filters)


def _signature(
    contender: Contender,
    today: date,
    places: dict[str, int],
    of_bids: list[tuple[str, int | None]],
) -> str:
    """Everything that decides which jobs a group can win."""
    aliases = {f"cif{place}": name for name, place in places.items()}
    parts: list[Any] = [GRAMMAR, contender.rank, contender.filters]
    names = _names(contender.filters)
    parts += [aliases[name] for name in names if name in aliases]
    if NUMBER_FIELD in names:
        parts += of_bids
    if asks_age(contender.filters):
        parts.append(today.isoformat())
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=12).hexdigest()


def _names(rule: Branch | Leaf) -> list[str]:
    if isinstance(rule, Leaf):
        return [rule.field]
    return [name for inner in rule.rules for name in _names(inner)]
