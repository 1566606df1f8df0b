"""Use cases of publishers."""

import re
from collections.abc import Container, Iterable, Mapping
from typing import Any, Final

from handbill.access import families
from handbill.access import service as access
from handbill.changes import service as changes
from handbill.core.bids import is_below
from handbill.core.changes import with_changes
from handbill.core.currencies import PLACES
from handbill.core.nouns import Publisher, PublisherBody
from handbill.core.publisher_names import id_of_name
from handbill.core.rates import Exchange
from handbill.core.trail import TrailEntity
from handbill.core.vendors import Guarded, names_clients
from handbill.dialects.outbound import kept_nodes
from handbill.host.ids import Ids
from handbill.kit.faults import Fault, bad_request, not_found, refused_state
from handbill.kit.instants import Instant
from handbill.kit.money import number_of
from handbill.publishers import rows
from handbill.rates import service as rates
from handbill.store.records import Tx

ID: Final = r"[^\s\x00-\x1f\x7f/\\,.?#%\"<>]{1,100}"
MOST_PUBLISHERS = 5_000


def publisher_of(tx: Tx, agency_no: int, publisher_id: str) -> Publisher:
    """The live publisher with that id. **Refuses** any other id alike (404)."""
    publisher = rows.find(tx, agency_no, publisher_id)
    if publisher is None:
        raise not_found()
    return publisher


def publisher_to_change(tx: Tx, agency_no: int, publisher_id: str) -> Publisher:
    """``publisher_of``, locked: no other writer decides about it until the transaction ends."""
    publisher = rows.lock(tx, publisher_of(tx, agency_no, publisher_id))
    if publisher is None:
        raise not_found()
    return publisher


def hold(tx: Tx, agency_no: int, publisher_id: str) -> None:
    """Lock it, if it exists: no other writer decides about it until the transaction ends."""
    publisher = rows.find(tx, agency_no, publisher_id)
    if publisher is not None:
        rows.lock(tx, publisher)


def number_ever(tx: Tx, agency_no: int, publisher_id: str) -> int:
    """The row number of a publisher that is or was the agency's, for questions about its past.
    **Refuses** any other id alike (404).
    """
    publisher = rows.find_any(tx, agency_no, publisher_id)
    if publisher is None:
        raise not_found()
    return publisher.no


def publishers_of(tx: Tx, agency_no: int) -> list[Publisher]:
    """All live ones, oldest first."""
    return rows.every(tx, agency_no)


def publishers_by_number(tx: Tx, nos: Iterable[int]) -> dict[int, Publisher]:
    """By row number, deleted ones included; for rooms that store numbers (ledger, listings)."""
    return {publisher.no: publisher for publisher in rows.by_numbers(tx, sorted(set(nos)))}


def page(tx: Tx, agency_no: int, skip: int, limit: int) -> tuple[list[Publisher], int]:
    """Some live ones, oldest first, and how many there are in all."""
    return rows.page(tx, agency_no, skip, limit), rows.count(tx, agency_no)


def create(
    tx: Tx,
    now: Instant,
    agency_no: int,
    *,
    id: str = "",  # noqa: A002 - the noun's own name for it
    **given: Any,
) -> Publisher:
    """Create a publisher; without an ``id``, its id is made from its name.

    A deleted publisher's id may be used again: it is then the same publisher with new settings, so
    that its past and its feed's address go on. **Refuses** (400) an id that is taken, a name that
    makes no id, a currency that never had a rate (contract 4, currency), and what ``update``
    refuses.
    """
    access.lock_agency(tx, agency_no)
    publisher_id = id or id_of_name(given["name"])
    if not re.fullmatch(ID, publisher_id):
        raise bad_request([Fault("name", "does not give a valid id; set id too")])
    former = rows.find_any(tx, agency_no, publisher_id)
    if rows.find(tx, agency_no, publisher_id) is not None:
        raise refused_state("id" if id else "name", "already exists")
    if rows.count(tx, agency_no) >= MOST_PUBLISHERS:
        raise refused_state("", f"there are {MOST_PUBLISHERS} publishers already")
    blank = PublisherBody(
        name=publisher_id, currency=access.agency_by_number(tx, agency_no).currency
    )
    changes, logins = _parted(given)
    body = with_changes(blank, changes)
    _require_whole(body, logins, [], former.body.currency if former else "")
    is_abroad = body.currency != blank.currency
    if former is None and is_abroad and not rates.is_known(tx, agency_no, body.currency):
        says = f"there is no exchange rate for {body.currency} yet: set one first"
        raise refused_state("currency", says)
    publisher = Publisher(
        no=former.no if former else 0,
        id=publisher_id,
        agency_no=agency_no,
        status="A",
        body=body,
        created_at=now,
        updated_at=now,
    )
    if former is None:
        publisher.no = rows.add(tx, publisher)
    else:
        rows.save(tx, publisher, now, created_at=now, deleted_at=None)
    _keep_passwords(tx, now, publisher, logins)
    return publisher


def update(tx: Tx, now: Instant, publisher: Publisher, changes: Mapping[str, Any]) -> bool:
    """Change a publisher; None resets to the default. Returns whether anything changed.

    **Refuses** (400) clearing name, currency or bid type, impossible deliveries, and a login whose
    password is neither given nor stored.
    """
    faults = [
        Fault(name, "cannot be cleared")
        for name in ("name", "currency", "bid_type")
        if name in changes and changes[name] is None
    ]
    if faults:
        raise bad_request(faults)
    changes, logins = _parted(changes)
    body = with_changes(publisher.body, changes)
    _require_whole(body, logins, rows.secrets_held(tx, publisher.no), publisher.body.currency)
    if body == publisher.body and not any(_is_new(tx, publisher, one) for one in logins.values()):
        return False
    publisher.body = body
    rows.save(tx, publisher, now)
    _keep_passwords(tx, now, publisher, logins)
    return True


def asked_faults(
    publisher: Publisher, exchange: Exchange, currency: str, bid_micros: int | None
) -> list[Fault]:
    """The faults of a bid for a publisher: ``currency``, neither the publisher's nor the agency's;
    ``bid_micros``, below its minimum bid.
    """
    body = publisher.body
    if currency not in {"", body.currency, exchange.currency}:
        says = f"must be {body.currency}, the publisher's currency"
        if body.currency != exchange.currency:
            says += f", or {exchange.currency}, the agency's"
        return [Fault("currency", says)]
    flat = body.bid_type == "FLAT_CPC"
    if bid_micros is not None and not flat and is_low(publisher, exchange, bid_micros, currency):
        says = f"must be at least {least_of(publisher, exchange)}, the least bid of the publisher"
        return [Fault("bid_micros", says)]
    return []


def is_low(publisher: Publisher, exchange: Exchange, bid_micros: int, currency: str = "") -> bool:
    """Whether a bid is below the publisher's minimum, at today's rate. ``currency``: the bid's;
    empty: the agency's. False without a rate; then nothing is listed anyway.
    """
    body = publisher.body
    rate = 0 if currency == body.currency else exchange.picos(body.currency)
    return rate is not None and is_below(bid_micros, rate, body.least_bid_micros)


def least_of(publisher: Publisher, exchange: Exchange) -> str:
    """The minimum bid of a publisher, for people; with its currency if that is another one."""
    least = f"{number_of(publisher.body.least_bid_micros)}"
    own = publisher.body.currency == exchange.currency
    return least if own else f"{publisher.body.currency} {least}"


Logins = Mapping[str, Guarded[Any]]
"""By the attribute in which each was given."""


def _parted(given: Mapping[str, Any]) -> tuple[dict[str, Any], Logins]:
    """The body to be stored, and separately the logins, whose passwords must not be readable."""
    kept, logins = dict(given), {}
    for name, value in given.items():
        if isinstance(value, Guarded):
            kept[name], logins[name] = value.kept, value
        elif isinstance(value, list) and value and isinstance(value[0], Guarded):
            kept[name] = [one.kept for one in value]
            logins |= {f"{name}.{n}": one for n, one in enumerate(value)}
    return kept, logins


def _require_whole(body: PublisherBody, logins: Logins, held: list[str], currency: str) -> None:
    """**Refuses** (400) deliveries without a place or onto one path, logins without a password, an
    unknown currency or one that changes, a flat bid that is missing, and additional nodes in place
    of the link, the bids or the reference.
    """
    faults = [
        Fault(f"{name}.{one.at}", "is required; none is stored for this address and user name")
        for name, one in logins.items()
        if one.key is not None and not one.password and one.key not in held
    ]
    if body.currency not in PLACES:
        faults.append(Fault("currency", "must be an ISO 4217 code such as USD"))
    elif currency and body.currency != currency:
        says = f"must be {currency}: its links and entries are in it"
        faults.append(Fault("currency", says))
    if body.bid_type == "FLAT_CPC" and not body.flat_bid_micros:
        faults.append(Fault("flat_bid_micros", "must be more than 0 where bidType is FLAT_CPC"))
    schema = body.feed_schema
    faults += [
        Fault(f"feed_schema.additional.{name}", "is a node of every feed")
        for name in sorted(kept_nodes(schema) & schema.additional.keys())
    ]
    if body.delivered_by_ftp and body.ftp is None:
        faults.append(Fault("ftp", "is required where deliverFeedByFTP is true"))
    if body.per_client and body.ftp is not None and not names_clients(body.ftp.template):
        says = "must have {exportedName} or {clientId}: each client has a file of its own"
        faults.append(Fault("ftp.template", says))
    if faults:
        raise bad_request(faults)


def _keep_passwords(tx: Tx, now: Instant, publisher: Publisher, logins: Logins) -> None:
    """Store given passwords, and delete those of places that are no longer used."""
    for one in logins.values():
        if one.key is not None and _is_new(tx, publisher, one):
            rows.put_secret(tx, publisher.no, one.key, one.password)
            _tell_password(tx, now, publisher, one.key)
    forget_passwords(tx, now, publisher, _needed(publisher.body))


def _is_new(tx: Tx, publisher: Publisher, login: Guarded[Any]) -> bool:
    if login.key is None or not login.password:
        return False
    return login.password != rows.secret(tx, publisher.no, login.key)


def _tell_password(tx: Tx, now: Instant, publisher: Publisher, name: str) -> None:
    entity = TrailEntity("PUBLISHER", publisher.id, publisher.agency_no)
    changes.secret(tx, now, entity, "passwords", name)


def _needed(body: PublisherBody) -> set[str]:
    portals = [*body.vendor_portals, *([body.portal] if body.portal else [])]
    ftp = {body.ftp.account.key} if body.ftp else set()
    return ftp | {portal.key for portal in portals if portal.user}


def ftp_password(tx: Tx, publisher: Publisher) -> str | None:
    """The password for the delivery of its files, and for nothing else."""
    config = publisher.body.ftp
    return None if config is None else rows.secret(tx, publisher.no, config.account.key)


def forget_passwords(
    tx: Tx, now: Instant, publisher: Publisher, needed: Container[str] = ()
) -> None:
    """Delete all passwords except those that are needed."""
    for name in rows.secrets_held(tx, publisher.no):
        if name not in needed:
            rows.forget_secret(tx, publisher.no, name)
            _tell_password(tx, now, publisher, name)


def delete(tx: Tx, now: Instant, publisher: Publisher) -> None:
    """Delete it for all readers, and in every feed; the past still names it.

    Its passwords are deleted, except the one that delivers its last, empty files.
    """
    publisher.status = "I"
    rows.save(tx, publisher, now, deleted_at=now)
    config = publisher.body.ftp
    needed = {config.account.key} if config and publisher.body.delivered_by_ftp else set()
    forget_passwords(tx, now, publisher, needed)


def switch(tx: Tx, now: Instant, publisher: Publisher, status: str) -> bool:
    """Pause (P) or enable (A); returns whether that changed anything."""
    if publisher.status == status:
        return False
    publisher.status = status
    rows.save(tx, publisher, now)
    return True


def create_family(
    tx: Tx,
    ids: Ids,
    now: Instant,
    publisher_ids: Iterable[str],
    agency_id: str | None = None,
    name: str = "",
) -> access.Credentials:
    """Create a publisher family: its id, its key (shown once), its API client.

    A family is one vendor: without an agency it has the publishers of these ids in every agency,
    and no agency manages it. **Refuses** (400) no ids, or an id that no publisher has.
    """
    agency_no = access.agency_of(tx, agency_id).no if agency_id is not None else None
    nos = members(tx, agency_no, publisher_ids)
    return families.create_family(tx, ids, now, nos, agency_no=agency_no, name=name)


def members(tx: Tx, agency_no: int | None, publisher_ids: Iterable[str]) -> list[int]:
    """The row numbers of the live publishers with these ids, in one agency or in all.

    **Refuses** (400) no ids, or an id that no publisher has.
    """
    faults, nos = [], []
    for place, publisher_id in enumerate(dict.fromkeys(publisher_ids)):
        publishers = rows.everywhere(tx, publisher_id)
        own = [one.no for one in publishers if agency_no is None or one.agency_no == agency_no]
        if not own:
            faults.append(Fault(f"publishers.{place}", f"there is no publisher {publisher_id}"))
        nos.extend(own)
    if not nos and not faults:
        faults.append(Fault("publishers", "is required"))
    if faults:
        raise bad_request(faults)
    return nos
