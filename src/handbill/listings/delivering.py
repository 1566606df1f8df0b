"""Delivers a publisher's files to its FTP server: those that are not there in their present form.

The files of one publisher go one after the other, in one login. Each arrival is stored at once, so
that after an interruption the next run goes on from there.
"""

from collections.abc import Mapping
from datetime import UTC
from typing import Final, NamedTuple

from handbill.access import service as access
from handbill.clients import service as clients
from handbill.core.nouns import Client, Publisher
from handbill.core.vendors import path_of
from handbill.host.egress import EgressFailed, EgressRefused, FetchLimits
from handbill.host.figures import DELIVERIES
from handbill.host.ftp import FtpSession, Login, ftp_session
from handbill.kit import digests
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, zone_of
from handbill.listings import copies
from handbill.listings import delivery_rows as rows
from handbill.listings.assembly import file_path
from handbill.listings.delivery_rows import DELIVERED, FAILED, RETRYING, WAITING, Delivery
from handbill.listings.rows import File
from handbill.listings.service import ALL_CLIENTS
from handbill.publishers import service as publishers
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import MOST_ATTEMPTS, enqueue
from handbill.work.tools import Tools

LIMITS: Final = FetchLimits(connect_seconds=10, idle_seconds=30, total_seconds=1_800)
_CHUNK = 256 * 1024
_NEVER = (None, None, None)
_SAME_PATH = "another client's file has this path; use {clientId} in pathTemplate"
_NO_PASSWORD = "no password is stored; set ftpConfig with one"  # noqa: S105 - there is none


class Parcel(NamedTuple):
    """A file, its path on the server, and its last delivery. ``digest``: of file and place."""

    file: File
    blob: str
    path: str
    digest: bytes
    former: Delivery | None

    @property
    def is_due(self) -> bool:
        written = self.file.digest is not None
        return written and (self.former is None or self.former.digest != self.digest)


class DeliveryState(NamedTuple):
    """What became of one file. ``client_id`` None: the file of all clients; ``current``: the last
    delivery had the file's present content.
    """

    client_id: str | None
    path: str
    state: str
    current: bool
    size: int | None
    tried_at: Instant | None
    delivered_at: Instant | None
    failure: str | None


def page(
    tx: Tx, publisher: Publisher, now: Instant, skip: int, limit: int
) -> tuple[list[DeliveryState], int]:
    """Some of a publisher's files that are, or once were, delivered; and how many in all."""
    wanted = is_delivered(publisher)
    which = rows.APART if publisher.body.per_client else rows.WHOLE
    pairs, total = rows.page(tx, publisher.no, which if wanted else rows.NONE, skip, limit)
    files = [file for file, _ in pairs]
    paths = paths_of(tx, publisher, files, now) if wanted else [""] * len(files)
    known = clients.clients_by_number(tx, (file.client_no for file in files))
    standing = []
    for (file, last), path in zip(pairs, paths, strict=True):
        client = known.get(file.client_no)
        client_id = client.id if client else None
        if last is None:
            one = DeliveryState(client_id, path, WAITING, False, None, None, None, None)
        else:
            current = last.digest == digest_of(publisher, last.path, file)
            one = DeliveryState(
                client_id,
                last.path,
                last.state,
                current,
                last.size,
                last.tried_at,
                last.delivered_at,
                last.failure,
            )
        standing.append(one)
    return standing, total


def failing(tx: Tx, some: Mapping[int, Publisher], most: int) -> dict[int, list[Delivery]]:
    """The deliveries that have failed, by publisher; the latest first, at most so many in all.
    ``some``: the publishers by number.
    """
    deliveries: dict[int, list[Delivery]] = {}
    nos = [no for no, one in some.items() if is_delivered(one)]
    for no, one in rows.failing(tx, nos, most):
        deliveries.setdefault(no, []).append(one)
    return deliveries


def deliver(tools: Tools, publisher_no: int, attempt: int, limits: FetchLimits = LIMITS) -> None:
    """Deliver what is due. **Refuses** (Unavailable) when some of it has failed and may be tried
    again; what our rules or the login forbid is only stored as a failure.
    """
    now = tools.clock.now()
    with tools.records.read() as tx:
        publisher = publishers.publishers_by_number(tx, [publisher_no]).get(publisher_no)
        if publisher is None or not is_delivered(publisher):
            return
        login = _login(tx, publisher)
        due, clashing = _parted(parcels_of(tx, publisher, now))
    for parcel in clashing:
        _note(tools, parcel, FAILED, failure=_SAME_PATH)
    last = attempt >= MOST_ATTEMPTS
    try:
        if due and login is None:
            _note_all(tools, due, FAILED, _NO_PASSWORD)
        elif login is not None:
            _deliver(tools, login, due, FAILED if last else RETRYING, limits)
    except EgressFailed:
        if last:
            _forget(tools, publisher)
        raise
    _forget(tools, publisher)


def of_new_days(tx: Tx, now: Instant) -> list[int]:
    """Numbers of the publishers with a file that is due because its path contains the day, which
    has changed since the last delivery.
    """
    known = publishers.publishers_by_number(tx, rows.publishers_tried(tx))
    return [
        no
        for no, publisher in known.items()
        if publisher.status == "A" and is_delivered(publisher)
        for parcels in [parcels_of(tx, publisher, now)]
        if any(one.is_due and one.former and one.former.path != one.path for one in parcels)
    ]


def is_delivered(publisher: Publisher) -> bool:
    return publisher.body.delivered_by_ftp and publisher.body.ftp is not None


def parcels_of(tx: Tx, publisher: Publisher, now: Instant) -> list[Parcel]:
    """Every file that is to be delivered: that of all clients, or those of each."""
    apart = publisher.body.per_client
    pairs = [
        pair for pair in rows.every(tx, publisher.no) if (pair[0].client_no != ALL_CLIENTS) is apart
    ]
    paths = paths_of(tx, publisher, [file for file, _ in pairs], now)
    end = _end(publisher)
    return [
        Parcel(file, file_path(file) + end, path, digest_of(publisher, path, file), former)
        for (file, former), path in zip(pairs, paths, strict=True)
    ]


def paths_of(tx: Tx, publisher: Publisher, files: list[File], now: Instant) -> list[str]:
    """The path of each file on the server."""
    config = publisher.body.ftp
    assert config is not None, "only who has an FTP server is asked about"
    agency_id = access.agency_by_number(tx, publisher.agency_no).id
    known = clients.clients_by_number(tx, (file.client_no for file in files))
    end = _end(publisher)
    paths = []
    for file in files:
        values = _values(known.get(file.client_no), agency_id, now)
        path = path_of(config.template, values | {"publisher": publisher.id})
        paths.append(path.removesuffix(end) + end)
    return paths


def digest_of(publisher: Publisher, path: str, file: File) -> bytes:
    """A digest of all that must be unchanged for a delivered file to be current."""
    config = publisher.body.ftp
    account = "" if config is None else config.account.key
    return digests.digest_of(account, path, publisher.body.compressed, file.digest)


def _end(publisher: Publisher) -> str:
    return ".gz" if publisher.body.compressed else ""


def _values(client: Client | None, agency_id: str, now: Instant) -> dict[str, str]:
    """The variables of a path. The file of all clients is named after the agency."""
    if client is None:
        date = day_of(now, UTC)
        return {"exportedName": agency_id, "clientId": "all", "date": date.isoformat()}
    date = day_of(now, zone_of(client.zone))
    name = client.body.exported_name
    return {"exportedName": name, "clientId": client.id, "date": date.isoformat()}


def _login(tx: Tx, publisher: Publisher) -> Login | None:
    config, password = publisher.body.ftp, publishers.ftp_password(tx, publisher)
    if config is None or password is None:
        return None
    account = config.account
    return Login(account.host, account.port, account.user, password, account.tls)


def _parted(parcels: list[Parcel]) -> tuple[list[Parcel], list[Parcel]]:
    """The parcels that are due, and those whose path an earlier one has."""
    due, clashing = [], []
    taken: set[str] = set()
    for parcel in parcels:
        if parcel.path in taken:
            clashing.append(parcel)
        elif parcel.is_due:
            due.append(parcel)
        taken.add(parcel.path)
    return due, clashing


def _deliver(
    tools: Tools, login: Login, due: list[Parcel], failed_state: str, limits: FetchLimits
) -> None:
    if not due:
        return
    try:
        with ftp_session(tools.egress, login, limits) as session:
            failure = _send(tools, session, due, failed_state)
    except EgressRefused as refused:
        _note_all(tools, due, FAILED, str(refused))
        return
    except EgressFailed as failed:
        _note_all(tools, due, failed_state, str(failed))
        raise
    if failure is not None:
        raise failure


def _send(
    tools: Tools, session: FtpSession, due: list[Parcel], failed_state: str
) -> EgressFailed | None:
    """Send what is due, and remove what is done from the list. A file that the server refuses does
    not keep the others back.
    """
    failure = None
    while due:
        parcel = due[0] = _begun(tools, due[0])
        try:
            sent = session.put(parcel.path, tools.blobs.chunks(parcel.blob, _CHUNK))
        except EgressFailed as failed:
            if session.broken:
                raise
            _note(tools, parcel, failed_state, failure=str(failed))
            failure = failed
        else:
            _note(tools, parcel, DELIVERED, sent=sent)
        due.pop(0)
    return failure


def _begun(tools: Tools, parcel: Parcel) -> Parcel:
    """Have the file count as not delivered: until the result is stored, and if it never is, the
    server may have either content.
    """
    if parcel.former is None:
        return parcel
    with tools.records.write() as tx:
        rows.forget(tx, parcel.file.no)
    return parcel._replace(former=parcel.former._replace(digest=None))


def _note_all(tools: Tools, parcels: list[Parcel], state: str, failure: str) -> None:
    for parcel in parcels:
        _note(tools, parcel, state, failure=failure)


def _note(
    tools: Tools, parcel: Parcel, state: str, *, sent: int | None = None, failure: str | None = None
) -> None:
    """Store the result of a try; a failure keeps what is known of the last success. If another
    worker has delivered the file meanwhile, nobody knows whose is there: it is delivered again.
    """
    now, former = tools.clock.now(), parcel.former
    delivery = Delivery(parcel.file.no, parcel.path, state, sent, parcel.digest, failure, now, now)
    if state != DELIVERED:
        size, digest, at = (former.size, former.digest, former.delivered_at) if former else _NEVER
        delivery = delivery._replace(size=size, digest=digest, delivered_at=at)
    with tools.records.write() as tx:
        if rows.hold(tx, parcel.file.no) != former:
            delivery = delivery._replace(digest=None)
            enqueue(tx, kinds.DELIVER, str(parcel.file.publisher_no), now)
        rows.put(tx, delivery)
        if state == DELIVERED and parcel.file.written_at is not None:
            copies.note_delivery(tx, parcel.file.no, parcel.file.written_at, now)
    DELIVERIES.labels(state).inc()


def _forget(tools: Tools, publisher: Publisher) -> None:
    """Delete a deleted publisher's password, which is no longer needed."""
    if publisher.status == "I":
        with tools.records.write() as tx:
            now_is = publishers.publishers_by_number(tx, [publisher.no])[publisher.no]
            if now_is.status == publisher.status:
                publishers.forget_passwords(tx, tools.clock.now(), now_is)
