"""How changes of credentials and their owners are recorded: never with a secret."""

from typing import Any

from handbill.access import rows
from handbill.access.rows import Owner
from handbill.changes import service as changes
from handbill.core.nouns import Family
from handbill.core.trail import TrailEntity
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import enqueue

_State = dict[str, Any]


def event(tx: Tx, now: Instant, name: str, of: str, **facts: str) -> None:
    """Have the server log a security event once this commits, also for a command, which has no log.
    ``of``: what it is about; it is logged once for that, even if this transaction is repeated.
    """
    payload = {"event": name, "facts": facts}
    enqueue(tx, kinds.TELL_EVENT, f"{name} {of}", now, payload)


def family_state(tx: Tx, no: int, name: str) -> _State:
    """The state of a publisher family in its changes."""
    return {"name": name, "publishers": rows.member_ids(tx, no)}


def family(tx: Tx, now: Instant, found: Family, before: _State, after: _State) -> None:
    """``before`` or ``after`` is empty for a new or deleted family."""
    entity = TrailEntity("PUBLISHER_FAMILY", found.id, found.agency_no)
    changes.tell(tx, now, entity, before, after)


def key(tx: Tx, now: Instant, prefix: str, owner: Owner, before: _State, after: _State) -> None:
    """``before`` is empty for a new key; then its owner is recorded too."""
    entity = TrailEntity("API_KEY", prefix, rows.agency_behind(tx, *owner))
    changes.tell(tx, now, entity, before, after if before else {"owner": owner.role, **after})


def api_client(
    tx: Tx, now: Instant, api_client_id: str, owner: Owner, before: _State, after: _State
) -> None:
    """``key`` for an API client."""
    entity = TrailEntity("API_CLIENT", api_client_id, rows.agency_behind(tx, *owner))
    changes.tell(tx, now, entity, before, after if before else {"owner": owner.role, **after})
