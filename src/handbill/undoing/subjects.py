"""Which changes can be undone: the state of each kind of entity, and who sets it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from handbill.access import service as access
from handbill.campaigns import service as campaigns
from handbill.changes.service import RecordedChange
from handbill.clients import service as clients
from handbill.core.markups import MarkupScopeIds
from handbill.core.nouns import Client, JobBody, JobSettings, PublisherFields
from handbill.core.trail import Kind, trail_state
from handbill.core.undoing import State, is_of_hold
from handbill.core.vendors import FtpConfig, Guarded, Portal
from handbill.definitions import service as definitions
from handbill.feeds import service as feeds
from handbill.funnel import service as funnel
from handbill.groups import service as groups
from handbill.jobs import editing
from handbill.jobs import service as jobs
from handbill.kit.faults import Refused, refused_state
from handbill.kit.instants import Instant
from handbill.listings import minding
from handbill.markups import service as markups
from handbill.publishers import service as publishers
from handbill.rules import holding
from handbill.rules import service as rules
from handbill.store.records import Tx

DERIVED: Final[Mapping[Kind, frozenset[str]]] = {
    "JOB_GROUP": frozenset(("former_placements", "iid")),
    "JOB": frozenset(("modified_at", "missing")),
}
"""Fields that the house sets itself together with what a user sets."""
NOT_FOUND: Final = 404
_ALONE: Final = frozenset(("status",))


class AroundChange(NamedTuple):
    """``agency_no``: the agency of the change; ``client``: its live client, or None."""

    tx: Tx
    now: Instant
    agency_no: int
    client: Client | None
    entity_id: str
    can_locate: bool

    @property
    def owner(self) -> Client:
        assert self.client is not None, "it stands below a client"
        return self.client


class UndoSubject(NamedTuple):
    """``put``: sets some of its fields, given the whole state as it is to be."""

    state: State
    put: Callable[[frozenset[str], State], None]


Find = Callable[[AroundChange], UndoSubject]
"""**Refuses** (404) what does not exist any more."""


def _subject(
    body: msgspec.Struct,
    beside: dict[str, Any],
    update: Callable[[dict[str, Any]], Any],
    switch: Callable[[str], Any],
) -> UndoSubject:
    """The subject of a noun with a switch, whose body is changed by its own names."""

    def put(names: frozenset[str], state: State) -> None:
        if rest := names - _ALONE:
            update(_typed(type(body), rest, state))
        if "status" in names:
            switch(state["status"])

    return UndoSubject(trail_state(msgspec.structs.asdict(body) | beside), put)


def _typed(noun: type[msgspec.Struct], names: frozenset[str], state: State) -> dict[str, Any]:
    """Values of a noun's fields, from the values in changes."""
    types = {one.name: one.type for one in msgspec.structs.fields(noun)}
    return {name: msgspec.convert(state[name], types.get(name, Any)) for name in names}


def _client(at: AroundChange) -> UndoSubject:
    one = at.owner
    return _subject(
        one.body,
        {"status": one.status},
        partial(clients.update, at.tx, at.now, one),
        partial(clients.switch, at.tx, at.now, one),
    )


def _campaign(at: AroundChange) -> UndoSubject:
    one = campaigns.campaign_of(at.tx, at.owner.no, at.entity_id)
    return _subject(
        one.body,
        {"status": one.status},
        partial(campaigns.update, at.tx, at.now, at.owner, one),
        partial(campaigns.switch, at.tx, at.now, at.owner, one),
    )


def _group(at: AroundChange) -> UndoSubject:
    one = groups.group_of(at.tx, at.owner.no, at.entity_id)
    return _subject(
        one.body,
        {"status": one.status, "priority": one.priority},
        partial(groups.update, at.tx, at.now, at.owner, one),
        partial(groups.switch, at.tx, at.now, at.owner, one),
    )


def _job(at: AroundChange) -> UndoSubject:
    one = jobs.job_by_id(at.tx, at.owner.no, at.entity_id)
    settings = one.body.settings or JobSettings()

    def update(changes: dict[str, Any], state: State) -> None:
        job = editing.job_to_change(at.tx, at.owner, one.body.ref)
        editing.update(at.tx, at.now, at.owner, job, _given(settings, one.body, changes, state))

    def put(names: frozenset[str], state: State) -> None:
        if rest := names - _ALONE:
            update(_typed(JobBody, rest, state), state)
        if "status" in names:
            job = editing.job_to_change(at.tx, at.owner, one.body.ref)
            editing.switch(at.tx, at.now, at.owner, job, state["status"])

    state = editing.state_of(one.body, settings, whole=True) | {"status": one.status}
    return UndoSubject(trail_state(state), put)


def _given(
    now: JobSettings, body: JobBody, changes: dict[str, Any], state: State
) -> dict[str, Any]:
    """Changes of a job in the form of its service: settings in parts."""
    nodes = changes.pop("publisher_nodes", body.publisher_nodes)
    then = changes.pop("settings", now) or JobSettings()
    changes |= {
        name: getattr(then, name)
        for name in ("setting", "placements")
        if getattr(then, name) != getattr(now, name)
    }
    fields = PublisherFields(then.publishers, nodes, then.publishers_of_feed)
    if fields != PublisherFields(now.publishers, body.publisher_nodes, now.publishers_of_feed):
        changes["publisher_fields"] = fields
    if "published_at" in changes:
        changes["posted_at"] = state["posted_at"]
    return changes


def _feed(at: AroundChange) -> UndoSubject:
    one = feeds.feed_of(at.tx, at.owner.no, at.entity_id)

    def update(changes: dict[str, Any]) -> None:
        if "config" in changes:
            changes["config"] = _logging_in(one.body.config, changes["config"])
        feeds.update(at.tx, at.now, at.owner, one, changes)

    switch = partial(feeds.switch, at.tx, at.now, at.owner, one)
    return _subject(one.body, {"status": one.status}, update, switch)


def _logging_in(now: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    """A feed's config as a caller sends it: without a login, the present one stays.

    **Refuses** (400) another login, whose password is not stored.
    """
    rest = {name: value for name, value in then.items() if name != "auth"}
    if "auth" not in then:
        return rest | {"auth": None}
    if then["auth"] != now.get("auth"):
        raise refused_state(
            "config.auth.username", "had a password, which is not stored; set it again"
        )
    return rest


def _publisher(at: AroundChange) -> UndoSubject:
    one = publishers.publisher_of(at.tx, at.agency_no, at.entity_id)

    def update(changes: dict[str, Any]) -> None:
        minding.update(at.tx, at.now, one, {k: _guarded(v) for k, v in changes.items()})

    switch = partial(minding.switch, at.tx, at.now, one)
    return _subject(one.body, {"status": one.status}, update, switch)


def _guarded(value: Any) -> Any:
    """The place of a login without its password, which must be stored."""
    if isinstance(value, FtpConfig):
        return Guarded(value, value.account.key, "account.password", "")
    if isinstance(value, Portal):
        return Guarded(value, value.key if value.user else None, "password", "")
    if isinstance(value, list):
        return list(map(_guarded, value))
    return value


def _definition(at: AroundChange) -> UndoSubject:
    publisher = publishers.publisher_of(at.tx, at.agency_no, at.entity_id)
    definition = definitions.definition_at(at.tx, publisher, at.client)

    def put(_: frozenset[str], state: State) -> None:
        settings = state["rules"] | {k: v for k, v in state.items() if k != "rules"}
        definitions.put(at.tx, at.now, publisher, at.client, settings, can_locate=at.can_locate)

    return UndoSubject(trail_state(msgspec.structs.asdict(definition.body)), put)


def _markup(at: AroundChange) -> UndoSubject:
    markup = markups.markup_of(at.tx, at.agency_no, at.entity_id)

    def put(names: frozenset[str], state: State) -> None:
        changes = {name: state[name] for name in names}
        if "entities" in changes:
            changes["entities"] = [MarkupScopeIds(**one) for one in state["entities"]]
        markups.update(at.tx, at.now, at.agency_no, markup.id, changes)

    return UndoSubject(trail_state(markups.state_of(at.tx, markup)), put)


def _rule(at: AroundChange) -> UndoSubject:
    one = rules.rule_of(at.tx, at.owner, at.entity_id)

    def update(changes: dict[str, Any]) -> None:
        body = msgspec.structs.replace(one.body, **changes)
        rules.update(at.tx, at.now, at.owner, one.id, body)

    switch = partial(_switch_rule, at, one.id)
    return _subject(one.body, {"status": one.status}, update, switch)


def _switch_rule(at: AroundChange, rule_id: str, status: str) -> None:
    rules.switch(at.tx, at.now, at.owner, [rule_id], status)


def _agency(at: AroundChange) -> UndoSubject:
    agency = access.agency_by_number(at.tx, at.agency_no)

    def put(_: frozenset[str], state: State) -> None:
        access.update_agency(at.tx, at.now, agency, state)

    return UndoSubject({"name": agency.name}, put)


def _stage_map(at: AroundChange) -> UndoSubject:
    def put(_: frozenset[str], state: State) -> None:
        funnel.set_stage_map(at.tx, at.now, at.owner, state["stages"])

    return UndoSubject({"stages": funnel.stage_map(at.tx, at.owner)[0]}, put)


FIND: Final[Mapping[Kind, Find]] = {
    "AGENCY": _agency,
    "CLIENT": _client,
    "CAMPAIGN": _campaign,
    "JOB_GROUP": _group,
    "JOB": _job,
    "FEED": _feed,
    "PUBLISHER": _publisher,
    "CLICK_DEFINITION": _definition,
    "MARKUP": _markup,
    "RULE": _rule,
    "STAGE_MAP": _stage_map,
}


def _held(at: AroundChange, kind: Kind, names: frozenset[str]) -> UndoSubject:
    """An entity as rules hold it, by the names of fields; only what is held can be let go."""
    holds = [
        (name, one)
        for one in holding.holds_of(at.tx, at.owner.no)
        for told_of, id_, name in [holding.field_of(one)]
        if (told_of, id_) == (kind, at.entity_id) and name in names
    ]
    state = {name: [one.rule_id for its, one in holds if its == name] for name in names}

    def put(_: frozenset[str], state: State) -> None:
        over = [one for name, one in holds if one.rule_id not in state[name]]
        holding.lift(at.tx, at.now, at.owner, over)

    return UndoSubject(state, put)


def held_fields(change: RecordedChange) -> frozenset[str]:
    """The fields of a change that name the rules that hold an entity."""
    return frozenset(one.field.split("/")[1] for one in change.fields if is_of_hold(one.field))


def subject_of(
    tx: Tx, now: Instant, change: RecordedChange, *, can_locate: bool
) -> UndoSubject | None:
    """The subject of a change's entity; None: the entity or its client is gone."""
    assert change.agency_no is not None, "what can be undone is an agency's"
    client = None
    if change.client_no is not None:
        client = clients.find_client(tx, change.agency_no, change.client_id or "")
        if client is None:
            return None
    around = AroundChange(tx, now, change.agency_no, client, change.entity_id, can_locate)
    try:
        subject = FIND[change.kind](around)
        if names := held_fields(change):
            subject = _held(around, change.kind, names)
    except Refused as refused:
        if refused.status == NOT_FOUND:
            return None
        raise
    hidden = DERIVED.get(change.kind, frozenset())
    return subject._replace(state={k: v for k, v in subject.state.items() if k not in hidden})
