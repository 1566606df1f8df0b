"""Agencies, publisher families, and their credentials.

An API key is ``hb_<prefix>_<secret>``: found by its public prefix, proved by a keyed digest, shown
once. Every call reads its row, unless nothing has been committed since the last time, so a revoked
key is dead at once, in every process.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from handbill.access import rows, shown, telling
from handbill.access.rows import Agency, ApiClient, Key, Owner
from handbill.changes import service as changes
from handbill.core.currencies import PLACES
from handbill.core.trail import TrailEntity
from handbill.host.ids import Ids, new_api_client_id
from handbill.http.kinds import Need
from handbill.kit.faults import Fault, bad_request, not_found, refused_state
from handbill.kit.instants import HOUR, Instant
from handbill.store.records import Tx
from handbill.store.records.tables import agencies, publisher_families

__all__ = [
    "DEFAULT_OVERLAP",
    "MOST_KEYS",
    "MOST_OVERLAP_HOURS",
    "NEEDS",
    "SCOPES",
    "Agency",
    "Credentials",
    "Owner",
    "add_api_client",
    "add_key",
    "agencies_of_all",
    "agency_by_number",
    "agency_of",
    "allowed_by",
    "api_clients_of",
    "create_agency",
    "create_api_client",
    "create_key",
    "family_publishers",
    "keys_of",
    "let_in",
    "live_api_client",
    "lock_agency",
    "lock_owner",
    "proved_key",
    "revoke_all",
    "revoke_api_client",
    "revoke_key",
    "rotate_key",
    "scope_of",
    "update_agency",
]

SCOPES = {"agency": "handbill", "partner": "publisher-reports"}
"""The beginning of the scopes of a role; what they allow follows the slash."""
NEEDS: Final[tuple[Need, ...]] = ("read", "write")
DEFAULT_OVERLAP = 24 * HOUR
MOST_OVERLAP_HOURS = 30 * 24
MOST_KEYS = 50
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Credentials(NamedTuple):
    """A new owner's credentials. ``id``: the agency's or family's; the key is shown only here."""

    id: str
    api_key: str
    api_client_id: str


def create_agency(
    tx: Tx, ids: Ids, now: Instant, *, agency_id: str, name: str, currency: str
) -> Credentials:
    """Create an agency with its first key and API client.

    **Refuses** (400) an id that is no slug or is taken, no name, a currency not of ISO 4217.
    """
    faults = []
    if not _SLUG.fullmatch(agency_id):
        faults.append(Fault("id", "must be a slug: letters, digits, - and _"))
    elif rows.agency(tx, agency_id) is not None:
        faults.append(Fault("id", "already exists"))
    if not 0 < len(name.strip()) <= 200:
        faults.append(Fault("name", "must have 1 to 200 characters"))
    if currency not in PLACES:
        faults.append(Fault("currency", "must be an ISO 4217 code such as USD"))
    if faults:
        raise bad_request(faults)
    no = rows.add_agency(tx, agency_id, name.strip(), currency, now)
    owner = Owner("agency", no)
    settings = {"name": name.strip(), "currency": currency}
    changes.tell(tx, now, TrailEntity("AGENCY", agency_id, no), {}, settings)
    return let_in(tx, ids, now, agency_id, owner)


def let_in(tx: Tx, ids: Ids, now: Instant, owner_id: str, owner: Owner) -> Credentials:
    """Give a new owner its first key and API client."""
    api_key = create_key(tx, ids, now, owner)
    return Credentials(owner_id, api_key, create_api_client(tx, ids, now, owner))


def agency_of(tx: Tx, agency_id: str) -> Agency:
    """The agency of that id. **Refuses** an unknown one (404)."""
    agency = rows.agency(tx, agency_id)
    if agency is None:
        raise not_found()
    return agency


def agencies_of_all(tx: Tx) -> list[Agency]:
    """Every agency of this installation, oldest first; for the operator only."""
    return rows.agencies_of_all(tx)


def update_agency(tx: Tx, now: Instant, agency: Agency, given: Mapping[str, Any]) -> None:
    """Give it another name; nothing given changes nothing.

    **Refuses** (400) clearing the name, and another currency: amounts would mean something else.
    """
    faults = []
    name = given.get("name", agency.name)
    if name is None:
        faults.append(Fault("name", "cannot be cleared"))
    if given.get("currency", agency.currency) != agency.currency:
        faults.append(Fault("currency", "cannot be changed"))
    if faults:
        raise bad_request(faults)
    if name.strip() != agency.name:
        rows.rename_agency(tx, agency.no, name.strip())
        entity = TrailEntity("AGENCY", agency.id, agency.no)
        changes.tell(tx, now, entity, {"name": agency.name}, {"name": name.strip()})


def agency_by_number(tx: Tx, no: int) -> Agency:
    """The agency with a row number that another row contains."""
    agency = rows.agency_by_number(tx, no)
    assert agency is not None, "a foreign key points at it"
    return agency


def lock_agency(tx: Tx, no: int) -> None:
    """Let no other writer decide about this agency until the transaction ends."""
    tx.lock_row(agencies, no)


def lock_owner(tx: Tx, owner: Owner) -> None:
    """``lock_agency`` for an agency or a publisher family."""
    tx.lock_row(agencies if owner.role == "agency" else publisher_families, owner.no)


def family_publishers(tx: Tx, family_no: int) -> list[int]:
    """The row numbers of a family's publishers."""
    return rows.family_members(tx, family_no)


def create_key(tx: Tx, ids: Ids, now: Instant, owner: Owner) -> str:
    """Create an API key of an owner; its text exists only in this answer."""
    made = shown.new(tx, ids, now, shown.API_KEY)
    rows.add_key(tx, made.prefix, made.digest, owner, now)
    telling.key(tx, now, made.prefix, owner, {}, {"expires_at": None})
    return made.text


def keys_of(tx: Tx, owner: Owner) -> list[Key]:
    """Every key of an owner, dead ones included, oldest first."""
    return rows.keys_of(tx, owner)


def add_key(tx: Tx, ids: Ids, now: Instant, owner: Owner) -> str:
    """One more key. **Refuses** (400) more than 50 live ones."""
    lock_owner(tx, owner)
    _check_room(tx, now, owner)
    return create_key(tx, ids, now, owner)


def _check_room(tx: Tx, now: Instant, owner: Owner) -> None:
    if sum(_lives(key, now) for key in rows.keys_of(tx, owner)) >= MOST_KEYS:
        raise refused_state("", f"there are {MOST_KEYS} keys already; revoke one first")


def rotate_key(
    tx: Tx, ids: Ids, now: Instant, owner: Owner, prefix: str, overlap: int = DEFAULT_OVERLAP
) -> str:
    """Create a key in place of a live one, which remains valid for ``overlap`` microseconds.

    **Refuses** a key that is not the owner's or is dead (404), and more than 50 live ones (400):
    the former one counts while it is valid.
    """
    lock_owner(tx, owner)
    former = _live_key(tx, now, owner, prefix)
    if overlap > 0:
        _check_room(tx, now, owner)
    ends = now + overlap
    ends = min(ends, former.expires_at or ends)
    rows.change_key(tx, former.no, expires_at=ends)
    before, after = {"expires_at": former.expires_at}, {"expires_at": ends}
    telling.key(tx, now, prefix, owner, before, after)
    return create_key(tx, ids, now, owner)


def revoke_key(tx: Tx, now: Instant, owner: Owner, prefix: str) -> None:
    """Revoke a key at once. **Refuses** a key that is not the owner's or is dead (404)."""
    _revoke_key(tx, now, _live_key(tx, now, owner, prefix))


def _revoke_key(tx: Tx, now: Instant, key: Key) -> None:
    rows.change_key(tx, key.no, revoked_at=now)
    owner = Owner(key.role, key.owner_no)
    telling.key(tx, now, key.prefix, owner, {"revoked_at": None}, {"revoked_at": now})
    telling.event(tx, now, "key_revoked", key.prefix, prefix=key.prefix)


def scope_of(role: str, allowed: Iterable[Need] = NEEDS) -> str:
    """The scope that allows this, as tokens contain it; the full scope by default."""
    wanted = set(allowed)
    return " ".join(f"{SCOPES[role]}/{need}" for need in NEEDS if need in wanted)


@lru_cache(maxsize=64)
def allowed_by(scope: str) -> frozenset[Need]:
    """What a scope of either role allows."""
    ends = {part.rpartition("/")[2] for part in scope.split()}
    return frozenset(need for need in NEEDS if need in ends)


def create_api_client(
    tx: Tx, ids: Ids, now: Instant, owner: Owner, allowed: Iterable[Need] = NEEDS
) -> str:
    """Create an API client of an owner, for POST /token. What its tokens allow never changes."""
    api_client_id = new_api_client_id(ids)
    scope = scope_of(owner.role, allowed)
    rows.add_api_client(tx, api_client_id, owner, scope, now)
    telling.api_client(tx, now, api_client_id, owner, {}, {"scope": scope})
    return api_client_id


def add_api_client(
    tx: Tx, ids: Ids, now: Instant, owner: Owner, allowed: Iterable[Need] = NEEDS
) -> str:
    """One more API client. **Refuses** (400) more than 50 live ones."""
    lock_owner(tx, owner)
    if sum(c.revoked_at is None for c in rows.api_clients_of(tx, owner)) >= MOST_KEYS:
        raise refused_state("", f"there are {MOST_KEYS} API clients already; revoke one first")
    return create_api_client(tx, ids, now, owner, allowed)


def api_clients_of(tx: Tx, owner: Owner) -> list[ApiClient]:
    return rows.api_clients_of(tx, owner)


def live_api_client(tx: Tx, owner: Owner, api_client_id: str) -> ApiClient | None:
    """The owner's own API client, not revoked; None for every other id alike."""
    kept = tx.kept(("API client", api_client_id), lambda: rows.api_client(tx, api_client_id))
    if kept is None or kept.revoked_at is not None or (kept.role, kept.owner_no) != owner:
        return None
    return kept


def program_stands(tx: Tx, now: Instant, owner: Owner, key_no: int, api_client_id: str) -> bool:
    """Whether a program that has called with this key and this API client still can."""
    is_live = any(key.no == key_no and _lives(key, now) for key in rows.keys_of(tx, owner))
    return is_live and live_api_client(tx, owner, api_client_id) is not None


def revoke_api_client(tx: Tx, now: Instant, owner: Owner, api_client_id: str) -> None:
    """Revoke an API client and its tokens at once. **Refuses** any but a live own one (404)."""
    program = live_api_client(tx, owner, api_client_id)
    if program is None:
        raise not_found()
    _revoke_api_client(tx, now, program)


def _revoke_api_client(tx: Tx, now: Instant, found: ApiClient) -> None:
    rows.revoke_api_client(tx, found.no, now)
    owner = Owner(found.role, found.owner_no)
    telling.api_client(tx, now, found.id, owner, {"revoked_at": None}, {"revoked_at": now})
    telling.event(tx, now, "api_client_revoked", found.id, api_client=found.id)


def revoke_all(tx: Tx, now: Instant, owner: Owner) -> None:
    """Revoke every live key and API client of an owner at once."""
    for key in rows.keys_of(tx, owner):
        if _lives(key, now):
            _revoke_key(tx, now, key)
    for api_client in rows.api_clients_of(tx, owner):
        if api_client.revoked_at is None:
            _revoke_api_client(tx, now, api_client)


def proved_key(tx: Tx, api_key: str, digest_keys: dict[int, bytes], now: Instant) -> Key | None:
    """The live key with exactly this text; None for every kind of bad key. Secrets are compared in
    constant time, for unknown keys too.

    ``digest_keys`` is the caller's cache of our secrets; missing ones are added here.
    """
    parts = prefix, _ = shown.parts_of(api_key, shown.API_KEY)
    key = tx.kept(("key", prefix), lambda: rows.key(tx, prefix))
    digest = key.digest if key is not None else None
    proved = shown.proves(tx, shown.API_KEY, parts, digest, digest_keys)
    return key if key is not None and proved and _lives(key, now) else None


def _live_key(tx: Tx, now: Instant, owner: Owner, prefix: str) -> Key:
    key = rows.key(tx, prefix)
    if key is None or (key.role, key.owner_no) != owner or not _lives(key, now):
        raise not_found()
    return key


def _lives(key: Key, now: Instant) -> bool:
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)
