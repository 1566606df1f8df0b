"""Use cases of rules."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

import msgspec

from handbill.campaigns import service as campaigns
from handbill.clients import service as clients
from handbill.core.filter_fields import unknown_fields
from handbill.core.nouns import Client
from handbill.core.rule_conditions import Rule, RuleBody
from handbill.groups import service as groups
from handbill.host.ids import Ids, new_uuid
from handbill.kit.faults import Fault, bad_request, not_found, refused_state
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, zone_of
from handbill.publishers import service as publishers
from handbill.rules import history, holding, rows
from handbill.store.records import Tx

MOST_RULES = 1_000
_TERM = timedelta(days=7)
_DEFAULT = "is the default job group, which has no placements; rules cannot act on it"


def create(
    tx: Tx, ids: Ids, now: Instant, client: Client, body: RuleBody, client_id: str = ""
) -> str:
    """Create a rule, last in order; its id. Without days it is in force for a week from today.

    **Refuses** another client's id, and ids of scope and filters that are not the client's (404);
    publishers that are not the agency's, and more than a thousand rules (400).
    """
    body = checked(tx, now, client, body, client_id)
    if rows.count(tx, client.no) >= MOST_RULES:
        raise refused_state("", f"there are {MOST_RULES} rules already; delete one first")
    rule = Rule(
        no=0,
        id=new_uuid(ids),
        client_no=client.no,
        place=rows.last_place(tx, client.no) + 1,
        status="A",
        body=body,
        created_at=now,
        updated_at=now,
    )
    rows.add(tx, rule)
    return rule.id


def rule_of(tx: Tx, client: Client, rule_id: str) -> Rule:
    """The client's live rule of that id. **Refuses** any other alike (404)."""
    return _all_of(tx, client, [rule_id])[0]


def update(
    tx: Tx, now: Instant, client: Client, rule_id: str, body: RuleBody, client_id: str = ""
) -> None:
    """Change a rule; it keeps its place, its switch, and its holds.

    **Refuses** what ``create`` refuses, but not what the rule names already: that may be deleted.
    """
    rule = rule_of(tx, client, rule_id)
    body = checked(tx, now, client, body, client_id, stood=rule.body)
    if body != rule.body:
        rule.body = body
        rows.set_body(tx, rule, now)
        history.forget_state(tx, rule.no)


def checked(
    tx: Tx,
    now: Instant,
    client: Client,
    body: RuleBody,
    client_id: str = "",
    stood: RuleBody | None = None,
) -> RuleBody:
    """A valid rule, with its days filled in. ``stood``: what it was; the ids that it named are not
    looked up again.

    **Refuses** another client's id, and ids of scope and filters that are not the client's (404);
    publishers that are not the agency's, and the default job group (400).
    """
    if client_id not in {"", client.id}:
        raise not_found()
    faults = [
        *_faults_of_scope(tx, client, body, stood),
        *_faults_of_entities(tx, client, body, stood),
        *_faults_of_publishers(tx, client, body, stood),
    ]
    if faults:
        raise bad_request(faults)
    return _dated(body, now, client)


def unknown_fields_of(tx: Tx, client: Client, body: RuleBody) -> list[Fault]:
    """A warning for each field of the job filter that no job of the client has, if all of its own
    fields are known; places are in the filter.
    """
    own = clients.custom_places(tx, client.no) if body.job_filter else {}
    if body.job_filter is None or len(own) >= clients.MOST_CUSTOM_FIELDS:
        return []
    return unknown_fields(body.job_filter, own, "")


def rules_of(tx: Tx, client: Client) -> list[Rule]:
    """All rules of a client, in order."""
    return rows.every(tx, client.no)


def paused(tx: Tx, client_nos: Iterable[int], most: int) -> list[Rule]:
    """The paused rules of these clients, the latest first, at most so many."""
    return rows.paused(tx, client_nos, most)


def rules_by_id(tx: Tx, client: Client, rule_ids: Sequence[str]) -> dict[str, Rule]:
    """The live rules with these ids."""
    return rows.some(tx, client.no, rule_ids)


def rules_by_number(tx: Tx, client: Client, nos: Iterable[int]) -> dict[int, Rule]:
    """The client's rules with these numbers, also those that were deleted."""
    return rows.by_number(tx, client.no, nos)


def clients_with_rules(tx: Tx) -> set[int]:
    """The numbers of the clients that have any active rule."""
    return rows.clients_with_rules(tx)


def switch(tx: Tx, now: Instant, client: Client, rule_ids: Sequence[str], status: str) -> None:
    """Enable (A) or pause (P) rules; those that are so already do not change. **Refuses** all of
    them when any is not the client's (404).
    """
    changed = [rule.no for rule in _all_of(tx, client, rule_ids) if rule.status != status]
    rows.set_status(tx, changed, status, now)
    for no in changed if status == "A" else ():
        history.forgive(tx, no)


def delete(tx: Tx, now: Instant, client: Client, rule_id: str) -> None:
    """Delete rules, and lift their holds."""
    rule = rule_of(tx, client, rule_id)
    its = [one for one in holding.holds_of(tx, client.no) if one.rule_no == rule.no]
    holding.lift(tx, now, client, its)
    rows.delete(tx, rule.no, now)


def order(tx: Tx, now: Instant, client: Client, rule_ids: Sequence[str]) -> None:
    """Set the order of all rules of the client. **Refuses** ids that are not the client's (404),
    and a list that leaves one out (400).
    """
    rules = _all_of(tx, client, rule_ids)
    if len(rules) < rows.count(tx, client.no):
        raise refused_state("ids", "must name every rule of the client")
    moved = {rule.no: at for at, rule in enumerate(rules, 1) if rule.place != at}
    rows.set_places(tx, moved, now)


def _all_of(tx: Tx, client: Client, rule_ids: Sequence[str]) -> list[Rule]:
    by_id = rows.some(tx, client.no, rule_ids)
    if len(by_id) < len(rule_ids):
        raise not_found()
    return [by_id[rule_id] for rule_id in rule_ids]


def _dated(body: RuleBody, now: Instant, client: Client) -> RuleBody:
    """The rule with its days; by default a week from today."""
    today = day_of(now, zone_of(client.zone))
    start_on = body.start_on or min(today.isoformat(), body.end_on or today.isoformat())
    end_on = body.end_on or max(start_on, (today + _TERM).isoformat())
    return msgspec.structs.replace(body, start_on=start_on, end_on=end_on)


def _faults_of_scope(
    tx: Tx, client: Client, body: RuleBody, stood: RuleBody | None
) -> Iterator[Fault]:
    """Every id must be of the client, and a job group of the campaign named with it."""
    if stood and (stood.campaign_id, stood.group_id) == (body.campaign_id, body.group_id):
        return
    campaign = None
    if body.campaign_id:
        campaign = campaigns.campaign_of(tx, client.no, body.campaign_id)
    if body.group_id:
        group = groups.group_of(tx, client.no, body.group_id)
        if campaign is not None and group.campaign_no != campaign.no:
            raise not_found()
        if group.is_default:
            yield Fault("group_id", _DEFAULT)


def _faults_of_entities(
    tx: Tx, client: Client, body: RuleBody, stood: RuleBody | None
) -> Iterator[Fault]:
    """Every entity must be of the client; none may be the default job group."""
    level = _level_of(body)
    kept = {one.id for one in stood.filters} if stood and _level_of(stood) == level else set()
    for place, one in enumerate(body.filters):
        if one.id in kept:
            continue
        if level == "campaign":
            campaigns.campaign_of(tx, client.no, one.id)
        elif level == "jobgroups":
            if groups.group_of(tx, client.no, one.id).is_default:
                yield Fault(f"filters.{place}.id", _DEFAULT)
        elif one.id != client.id:
            raise not_found()


def _level_of(body: RuleBody) -> str:
    """The level of its filters."""
    return body.job_level or body.level


def _faults_of_publishers(
    tx: Tx, client: Client, body: RuleBody, stood: RuleBody | None
) -> Iterator[Fault]:
    named = {it for one in body.filters for it in one.placement_ids}
    named -= {it for one in (stood.filters if stood else ()) for it in one.placement_ids}
    if not named:
        return
    strange = named - {one.id for one in publishers.publishers_of(tx, client.agency_no)}
    for place, one in enumerate(body.filters):
        for at, publisher_id in enumerate(one.placement_ids):
            if publisher_id in strange:
                where = f"filters.{place}.placement_ids.{at}"
                yield Fault(where, "is not a publisher of the agency")
