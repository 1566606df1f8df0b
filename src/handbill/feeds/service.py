"""Use cases of feeds and their runs."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from handbill.changes import service as changes
from handbill.clients import service as clients
from handbill.core.changes import settled
from handbill.core.feed_mappings import ADDITIONAL, KEYS, MANDATORY, PUBLISHER, nodes_of, unmapped
from handbill.core.feed_runs import FeedRun, FeedRunBody
from handbill.core.feeds import Feed, FeedBody
from handbill.core.nouns import Client, ClientBody
from handbill.core.trail import TrailEntity
from handbill.feeds import rows
from handbill.feeds.reading import ImportFailed, settings_digest
from handbill.host.figures import FEED_RUNS
from handbill.host.ids import Ids, new_uuid
from handbill.jobs import taking_over
from handbill.kit.faults import Fault, bad_request, not_found
from handbill.kit.instants import HOUR, MINUTE, Instant
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import enqueue

MOST_FEEDS = 100
MOST_RUNS = 500
"""Of a feed; older ones are deleted."""
_MOST_DUE = 1_000
_FIRST_WAIT = 15 * MINUTE
_MOST_DOUBLINGS = 10
_KEY_OF = {canonical: key for key, canonical in KEYS.items()}


# ── feeds ───────────────────────────────────────────────────────────────────────────────────────
def feed_of(tx: Tx, client_no: int, feed_id: str) -> Feed:
    """The client's live feed. **Refuses** any other id alike (404)."""
    feed = rows.find(tx, client_no, feed_id)
    if feed is None:
        raise not_found()
    return feed


def feed_of_any(tx: Tx, feed_id: str) -> Feed:
    """A live feed of any client: for the operator only. **Refuses** another id (404)."""
    pair = rows.at_work(tx, feed_id)
    if pair is None:
        raise not_found()
    return pair[0]


def page(tx: Tx, client_no: int, skip: int, limit: int) -> tuple[list[Feed], int]:
    """Some live ones, oldest first, and how many there are in all."""
    return rows.page(tx, client_no, skip, limit), rows.count(tx, client_no)


def failing(
    tx: Tx, client_nos: Iterable[int], most: int, *, of_ended: bool = False
) -> list[tuple[Feed, FeedRun]]:
    """The active feeds of these clients whose latest run has failed, and that run; the latest
    first, at most so many. ``of_ended``: the latest run that has ended, whatever runs now.
    """
    return rows.failing(tx, client_nos, most, of_ended=of_ended)


def create(tx: Tx, ids: Ids, now: Instant, client: Client, given: Mapping[str, Any]) -> Feed:
    """Create a feed; its first run is requested at once.

    **Refuses** (400) a mapping without a mandatory field; an empty mapping is filled in by the
    first run. At most 100 feeds a client.
    """
    if rows.count(tx, client.no) >= MOST_FEEDS:
        raise bad_request([Fault("", f"A client has at most {MOST_FEEDS} feeds")])
    body, password = draft(given)
    feed = Feed(
        no=0,
        id=new_uuid(ids),
        client_no=client.no,
        status="A",
        body=body,
        created_at=now,
        updated_at=now,
        next_run_at=_next(client.body, now, now),
    )
    feed.no = rows.add(tx, feed)
    _keep_password(tx, now, feed, password)
    enqueue(tx, kinds.IMPORT, feed.id, now)
    return feed


def draft(given: Mapping[str, Any]) -> tuple[FeedBody, str | None]:
    """What ``create`` would store of a feed, and its password. **Refuses** (400) as it does."""
    given = {key: value for key, value in given.items() if value is not None}
    return _settled(FeedBody(url=given["url"]), given)


def password_of(tx: Tx, feed: Feed) -> str:
    """The password for the feed's present place, for the fetch and nothing else."""
    return rows.password(tx, feed.no, feed.body.login) or ""


def _keep_password(tx: Tx, now: Instant, feed: Feed, password: str | None) -> None:
    """Store a given password, and delete those of other places and users."""
    is_new = password is not None and password != password_of(tx, feed)
    if password is not None and is_new:
        rows.put_password(tx, feed.no, feed.body.login, password)
    if rows.forget_passwords(tx, feed.no, feed.body.login) or is_new:
        changes.secret(tx, now, _entity(feed), "config", "auth", "password")


def _entity(feed: Feed) -> TrailEntity:
    return TrailEntity("FEED", feed.id, client_no=feed.client_no)


def update(tx: Tx, now: Instant, client: Client, feed: Feed, given: Mapping[str, Any]) -> None:
    """Change a feed: what is absent stays, None clears what is optional.

    A given mapping replaces the former one. The feed is run at once when something changed.
    **Refuses** (400) as ``create`` does, and a new place of a feed with a password unless the
    password is given again: it is valid for one scheme, host, port and user.
    """
    former = feed.body.login
    body, password = _settled(feed.body, given)
    if password is None and body.login not in ("", former):
        says = "is required again: the stored one is for another address or user"
        raise bad_request([Fault("config.auth.password", says)])
    if body == feed.body and password in (None, password_of(tx, feed)):
        return
    feed.body = body
    feed.updated_at = now
    feed.next_run_at = _next(client.body, feed.created_at, now)
    rows.save(tx, feed)
    _keep_password(tx, now, feed, password)
    if feed.status == "A":
        enqueue(tx, kinds.IMPORT, feed.id, now)


def _settled(body: FeedBody, given: Mapping[str, Any]) -> tuple[FeedBody, str | None]:
    """The normalised body, and separately the password, which must not be readable wherever a feed
    is.
    """
    faults: list[Fault] = []
    password: str | None = None
    before, own = body.config, ("mappings", "publisher_node", "config")
    rest = {name: value for name, value in given.items() if name not in own}
    body = settled(body, rest, faults)
    if given.get("config") is not None:
        # What is never shown is kept when a client sends the rest back.
        kept = {"auth": before["auth"]} if "auth" in before else {}
        config = kept | given["config"]
        body.config = {key: value for key, value in config.items() if value is not None}
        if given["config"].get("auth"):
            auth = dict(body.config["auth"])
            password = auth.pop("password")
            body.config["auth"] = auth
    elif "config" in given:
        body.config = {}
    if body.mandatory_fields == list(MANDATORY):
        body.mandatory_fields = []
    if "mappings" in given:
        body.mappings = {key: value for key, value in (given["mappings"] or {}).items() if value}
    if "publisher_node" in given:
        body.mappings = {k: v for k, v in body.mappings.items() if k != PUBLISHER}
        if given["publisher_node"]:
            body.mappings[PUBLISHER] = given["publisher_node"]
    if nodes_of(body.mappings) or body.mappings.get(ADDITIONAL):
        faults += [
            Fault(f"mappings.{_KEY_OF[name]}", f"is required: {name} is mandatory")
            for name in unmapped(body)
        ]
    if faults:
        raise bad_request(faults)
    return body, password


def switch(tx: Tx, now: Instant, client: Client, feed: Feed, status: str) -> None:
    """Pause (P): no more runs, its jobs stay. Enable (A): run at once. Already so: no change."""
    if feed.status == status:
        return
    feed.status = status
    feed.updated_at = now
    feed.next_run_at = _next(client.body, feed.created_at, now)
    rows.save(tx, feed)
    if status == "A":
        enqueue(tx, kinds.IMPORT, feed.id, now)


def delete(tx: Tx, now: Instant, client: Client, feed: Feed) -> None:
    """Delete the feed, and the jobs that no other feed of the client carries."""
    feed.status = "I"
    feed.updated_at = now
    feed.next_run_at = None
    rows.save(tx, feed, deleted_at=now)
    if rows.forget_passwords(tx, feed.no, ""):
        changes.secret(tx, now, _entity(feed), "config", "auth", "password")
    taking_over.let_go(tx, client, feed.no, now)
    enqueue(tx, kinds.REMATCH, client.id, now)


# ── runs ────────────────────────────────────────────────────────────────────────────────────────
def run_now(tx: Tx, ids: Ids, now: Instant, feed: Feed, *, force: bool) -> FeedRun:
    """Request a run, or return the one that waits already. A paused feed is run too."""
    waiting = rows.in_states(tx, feed.no, ["QUEUED"], 1)
    before = {run.id: {"forced": run.body.forced} for run in waiting}
    run = waiting[0] if waiting else _new_run(tx, ids, now, feed.no, "QUEUED")
    if force and not run.body.forced:
        run.body.forced = True
        rows.save_run(tx, run)
    enqueue(tx, kinds.IMPORT, feed.id, now)
    after = {run.id: {"forced": run.body.forced}}
    changes.tell(tx, now, _entity(feed), {"runs": before}, {"runs": after})
    return run


def runs_page(tx: Tx, feed_no: int, skip: int, limit: int) -> tuple[list[FeedRun], int]:
    """Some runs, newest first, and how many there are in all."""
    return rows.runs_page(tx, feed_no, skip, limit), rows.runs_count(tx, feed_no)


def run_of(tx: Tx, feed_no: int, run_id: str) -> FeedRun:
    """The feed's run. **Refuses** any other id alike (404)."""
    run = rows.find_run(tx, feed_no, run_id)
    if run is None:
        raise not_found()
    return run


def begin_run(tx: Tx, ids: Ids, now: Instant, feed_id: str) -> tuple[Client, Feed, FeedRun] | None:
    """Begin the run that waits, or one that a worker left unfinished, or a new one.

    None: the feed or its client is gone, or one of them is paused and nobody requested a run.
    """
    pair = rows.at_work(tx, feed_id)
    at_work = pair and clients.client_at_work(tx, pair[1])
    if not pair or not at_work or not at_work[1]:
        return None
    feed, client = pair[0], at_work[0]
    rows.lock(tx, feed.no)
    open_runs = rows.in_states(tx, feed.no, ["QUEUED", "RUNNING"], 100)
    if not open_runs and (feed.status != "A" or client.status != "A"):
        return None
    run = open_runs[0] if open_runs else _new_run(tx, ids, now, feed.no, "RUNNING")
    for former in open_runs[1:]:
        former.body.reason, former.body.message = "interrupted", "Another run has replaced it."
        former.state, former.ended_at = "FAILED", now
        rows.save_run(tx, former)
    run.state, run.percent, run.body = "RUNNING", 0, FeedRunBody(forced=run.body.forced)
    rows.save_run(tx, run)
    return client, feed, run


def origin_of(tx: Tx, feed_id: str) -> tuple[int, str] | None:
    """The number of a feed's agency, and the host that serves it; None when the feed or its client
    is gone.
    """
    pair = rows.at_work(tx, feed_id)
    at_work = pair and clients.client_at_work(tx, pair[1])
    if not pair or not at_work or not at_work[1]:
        return None
    return at_work[0].agency_no, urlsplit(pair[0].body.url).netloc.rpartition("@")[2].lower()


def former_success(tx: Tx, feed: Feed, zone: str) -> FeedRun | None:
    """The newest successful run, if it read the feed as it would be read now."""
    runs = rows.in_states(tx, feed.no, ["SUCCESS"], 1)
    digest = settings_digest(feed.body, zone).hex()
    return runs[0] if runs and runs[0].body.settings == digest else None


def check_unmoved(tx: Tx, feed: Feed) -> None:
    """**Refuses** (ImportFailed) to take over what was read by settings that have changed since."""
    rows.lock(tx, feed.no)
    stands = rows.at_work(tx, feed.id)
    if stands is None:
        raise ImportFailed("deleted", "The feed was deleted while it was read.")
    if stands[0].body != feed.body:
        raise ImportFailed("changed", "The feed was changed while it was read; it is run again.")


def keep_mappings(tx: Tx, feed: Feed, mappings: dict[str, Any], now: Instant) -> None:
    """Make the mapping that the first run found the feed's own."""
    if mappings != feed.body.mappings:
        feed.body.mappings = mappings
        rows.save_body(tx, feed, now)


def end_run(tx: Tx, feed: Feed, run: FeedRun, state: str, now: Instant) -> None:
    """Close a run and set when the next is due; after failures sooner at first, then ever later."""
    run.state, run.ended_at = state, now
    run.percent = 100 if state == "SUCCESS" else run.percent
    rows.save_run(tx, run)
    rows.forget_runs(tx, feed.no, MOST_RUNS)
    client = clients.clients_by_number(tx, [feed.client_no])[feed.client_no]
    feed.next_run_at = _next(client.body, feed.created_at, now)
    if state == "FAILED":
        wait = _FIRST_WAIT << (_failures_in_a_row(tx, feed.no) - 1)
        feed.next_run_at = min(feed.next_run_at, now + wait)
    rows.plan(tx, feed.no, feed.next_run_at)
    FEED_RUNS.labels(state).inc()


def enqueue_due(tx: Tx, now: Instant) -> None:
    """Request the runs that are due."""
    for feed, body in rows.due(tx, now, _MOST_DUE):
        client = msgspec.json.decode(body, type=ClientBody)
        rows.plan(tx, feed.no, _next(client, feed.created_at, now))
        enqueue(tx, kinds.IMPORT, feed.id, now)


def _new_run(tx: Tx, ids: Ids, now: Instant, feed_no: int, state: str) -> FeedRun:
    run = FeedRun(
        no=0,
        id=new_uuid(ids),
        feed_no=feed_no,
        state=state,
        percent=0,
        body=FeedRunBody(),
        created_at=now,
        ended_at=None,
    )
    run.no = rows.add_run(tx, run)
    return run


def _next(client: ClientBody, created_at: Instant, now: Instant) -> Instant:
    """When a feed is due again: at whole frequencies after it was created, however long its runs
    took and whoever asked for others. Else it would be read later each day, and on some day never.
    """
    every = client.frequency_hours * HOUR
    return now + every - (now - created_at) % every


def _failures_in_a_row(tx: Tx, feed_no: int) -> int:
    """How many runs have failed in a row, this one included; at most ten are counted."""
    ended = rows.in_states(tx, feed_no, ["SUCCESS", "FAILED"], _MOST_DOUBLINGS)
    count = 0
    for run in ended:
        if run.state == "SUCCESS":
            break
        count += 1
    return max(1, count)
