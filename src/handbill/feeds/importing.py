"""One run of a feed: fetch, read, compare with the former jobs, and take over in short steps.

No job changes until the takeover is switched, for all jobs at once; so a run that fails, or is
killed before, leaves the former jobs unchanged.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from urllib.parse import urldefrag, urljoin

from handbill.clients import service as clients
from handbill.core.feed_runs import FeedRun
from handbill.core.feed_values import FieldFault
from handbill.core.feeds import Feed, FeedBody
from handbill.core.nouns import Client
from handbill.feeds import rows, service
from handbill.feeds.collecting import Collected, collect, former_of
from handbill.feeds.reading import FeedPage, ImportFailed, TurnPage, locale_of, settings_digest
from handbill.feeds.spools import Spool
from handbill.host.clock import ticking
from handbill.host.egress import EgressFailed, EgressRefused, Fetched, FetchLimits, RequestExtras
from handbill.host.ids import new_uuid
from handbill.jobs import service as jobs
from handbill.jobs import taking_over
from handbill.jobs.service import Applied
from handbill.jobs.taking_over import Amid, Superseded, Taking
from handbill.kit.instants import SECOND, Instant
from handbill.kit.urls import NotUrl, canonical_url
from handbill.kit.urls import place_of as door_of
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import enqueue
from handbill.work.tools import Tools

_LOG = logging.getLogger("handbill.feeds")
_TELL_EVERY_PERCENT = 5
_LOOK_SECONDS = 1.0
_DELETED = "The feed was deleted while it was read."
_OF_API = FieldFault("referencenumber", "api_owned", "belongs to a job added by API")


def import_feed(tools: Tools, feed_id: str) -> FeedRun | None:
    """Run a feed once; returns the finished run. None: the feed, or its client, is gone."""
    with tools.records.write() as tx:
        begun = service.begin_run(tx, tools.ids, tools.clock.now(), feed_id)
    if begun is None:
        return None
    client, feed, run = begun
    try:
        return _run(tools, client, feed, run)
    except ImportFailed as failed:
        _LOG.info("feed %s: %s", feed.id, failed.message)
        return _failed(tools, feed, run, failed)
    except Amid:
        # The run continues when it is this feed's turn.
        raise
    except Exception:
        _failed(tools, feed, run, ImportFailed("internal", "The import was interrupted."))
        raise


def _run(tools: Tools, client: Client, feed: Feed, run: FeedRun) -> FeedRun:
    taking_over.settle(tools.records, client)
    taking_over.check_free(tools.records, client, feed.no)
    with tools.records.read() as tx:
        former = service.former_success(tx, feed, client.zone)
        live, _ = jobs.tally_of_feed(tx, feed.no)
    marked = former if former is not None and _still_whole(former, live) else None
    with _fetched(tools, feed, marked) as fetched:
        run.body.etag, run.body.last_modified = fetched.etag, fetched.last_modified
        if fetched.unchanged and marked is not None:
            return _unchanged(tools, feed, run, marked)
        with tools.records.read() as tx:
            locale = locale_of(tx, client, tools.clock.now())
            known = former_of(tx, feed.no, locale.now)
        with TemporaryFile(dir=_folder(tools), buffering=1024 * 1024) as file:
            size = former.body.bytes if former is not None else 0
            chunks = _counted_chunks(tools, feed, run, fetched, size)
            with _pages(tools, feed, run, fetched) as turn:
                page = FeedPage(chunks, fetched.charset, fetched.next)
                collected = collect(page, feed.body, locale, known, Spool(file), turn)
            if collected.pages > 1:
                # The first page may stay the same while a later one changes.
                run.body.etag = run.body.last_modified = ""
            _brake(collected, forced=run.body.forced)
            return _take_over(tools, client, feed, run, collected)


def _still_whole(former: FeedRun, live: int) -> bool:
    """Whether the jobs are as the former run left them: then an unchanged body changes none."""
    counts = former.body.counts
    shared = counts.get("api_owned", 0) + counts.get("other_feed", 0)
    return shared == 0 and live == former.body.live


def _folder(tools: Tools) -> Path:
    tools.scratch.mkdir(parents=True, exist_ok=True)
    return tools.scratch


@contextmanager
def _fetched(tools: Tools, feed: Feed, marked: FeedRun | None) -> Iterator[Fetched]:
    """The feed's body, or why there is none."""
    settings, asked = tools.settings, _asked(tools, feed)
    if marked is not None:
        asked = replace(asked, etag=marked.body.etag, last_modified=marked.body.last_modified)
    limits = FetchLimits(total_seconds=settings.feed_seconds, most_bytes=settings.feed_most_bytes)
    try:
        with tools.egress.open(feed.body.url, limits, asked) as fetched:
            yield fetched
    except (EgressRefused, EgressFailed) as failed:
        raise ImportFailed("fetch", f"The feed cannot be fetched: {failed}.") from failed


@contextmanager
def _pages(tools: Tools, feed: Feed, run: FeedRun, first: Fetched) -> Iterator[TurnPage]:
    """How the feed's further pages are fetched: within the time and bytes that are left, none
    twice, and with its credentials only at its own place.
    """
    settings, began = tools.settings, tools.clock.now()
    seen = {first.final_url}
    url = first.final_url
    unnamed = {key: value for key, value in feed.body.config.items() if key != "auth"}
    with ExitStack() as open_pages:

        def turn(href: str) -> FeedPage | None:
            nonlocal url
            try:
                former, url = url, urldefrag(urljoin(url, href)).url
            except ValueError as bad:
                message = "The address of the feed's next page is not valid."
                raise ImportFailed("pages", message) from bad
            if url == former:
                return None
            if url in seen:
                raise ImportFailed(
                    "pages", "The feed's pages repeat: the next one was already read."
                )
            seen.add(url)
            passed = (tools.clock.now() - began) // SECOND
            limits = FetchLimits(
                total_seconds=max(1, settings.feed_seconds - passed),
                most_bytes=max(1, settings.feed_most_bytes - run.body.bytes),
            )
            own = _same_place(url, feed.body.url)
            asked = _asked(tools, feed) if own else asked_of(FeedBody(url, config=unnamed), "")
            open_pages.close()
            page = open_pages.enter_context(tools.egress.open(url, limits, asked))
            url = page.final_url
            seen.add(url)
            return FeedPage(_counted_chunks(tools, feed, run, page, 0), page.charset, page.next)

        yield turn


def _same_place(url: str, other: str) -> bool:
    try:
        return door_of(canonical_url(url)) == door_of(canonical_url(other))
    except NotUrl:
        return False


def _asked(tools: Tools, feed: Feed) -> RequestExtras:
    with tools.records.read() as tx:
        return asked_of(feed.body, service.password_of(tx, feed))


def asked_of(body: FeedBody, password: str) -> RequestExtras:
    """How a feed is requested: its credentials, and the user agent of the fetch."""
    auth = body.config.get("auth") or {}
    return RequestExtras(
        user=auth.get("username", ""),
        password=password,
        agent=body.config.get("user_agent") or "Handbill",
    )


def _counted_chunks(
    tools: Tools, feed: Feed, run: FeedRun, chunks: Iterable[bytes], size: int
) -> Iterator[bytes]:
    """The chunks, counted in the run, which shows the progress. Ends the run soon after the feed,
    or its client, is deleted.
    """
    shown, looked = 0, ticking()
    for chunk in chunks:
        run.body.bytes += len(chunk)
        yield chunk
        percent = min(99, run.body.bytes * 100 // size) if size else 0
        if percent >= shown + _TELL_EVERY_PERCENT:
            shown = percent
            with tools.records.write() as tx:
                rows.set_percent(tx, run.no, percent)
        if ticking() - looked > _LOOK_SECONDS:
            with tools.records.read() as tx:
                if service.origin_of(tx, feed.id) is None:
                    raise ImportFailed("deleted", _DELETED)
            looked = ticking()


def _brake(found: Collected, *, forced: bool) -> None:
    """Stop before a feed that is well-formed but broken removes or ends the client's jobs."""
    if forced:
        return
    if found.total == 0:
        raise ImportFailed("empty", "The feed has no jobs; run it with ?force=true to accept that.")
    lost, ended, offered = found.lost, len(found.ended), found.known.offered
    if (lost + ended) * 2 > offered:
        what = f"lost {lost:,} and ended {ended:,}" if ended else f"lost {lost:,}"
        raise ImportFailed(
            "lost_jobs",
            f"The feed {what} of its {offered:,} jobs; run it with ?force=true to accept that.",
        )


def _take_over(tools: Tools, client: Client, feed: Feed, run: FeedRun, found: Collected) -> FeedRun:
    """Take over everything that the feed changes: staged, switched to at once, and settled."""
    token = new_uuid(tools.ids)
    taking = taking_over.begin(tools.records, client, feed.no, token)
    try:
        applied = taking.stage(found.spool, tools.clock.now())
        left = taking.stage_gone(found.gone)
        with tools.records.write() as tx:
            _switch(tx, client, feed, taking, found, tools.clock.now())
            if applied.added or applied.changed or applied.revived or left:
                enqueue(tx, kinds.REMATCH, client.id, tools.clock.now())
    except Exception as failed:
        taking.discard()
        if isinstance(failed, Superseded):
            raise ImportFailed("deleted", _DELETED) from failed
        raise
    taking.settle()
    return _taken_over(tools, client, feed, run, found, _counts(found, applied) | {"left": left})


def _switch(
    tx: Tx, client: Client, feed: Feed, taking: Taking, found: Collected, now: Instant
) -> None:
    clients.lock(tx, client.no)
    service.check_unmoved(tx, feed)
    clients.learn_custom_fields(tx, client.no, found.fields)
    service.keep_mappings(tx, feed, found.mappings, now)
    taking.switch(tx, now)


def _taken_over(
    tools: Tools, client: Client, feed: Feed, run: FeedRun, found: Collected, counts: dict[str, int]
) -> FeedRun:
    """The result of the run, by the jobs as they are now."""
    with tools.records.read() as tx:
        live, invalid = jobs.tally_of_feed(tx, feed.no)
    body = run.body
    body.counts = counts | {"invalid": invalid}
    body.fault_counts, body.faults = found.fault_counts, found.faults
    body.message = found.lacks
    body.live = live
    body.settings = settings_digest(feed.body, client.zone).hex()
    with tools.records.write() as tx:
        service.end_run(tx, feed, run, "SUCCESS", tools.clock.now())
    return run


def _counts(found: Collected, applied: Applied) -> dict[str, int]:
    for ref in applied.held_by_api:
        found.fault(ref, 0, _OF_API)
    return {
        "total": found.total,
        "added": applied.added,
        "changed": applied.changed,
        "revived": applied.revived,
        "unchanged": found.same + applied.same,
        "duplicates": found.duplicates,
        "skipped": found.skipped,
        "api_owned": len(applied.held_by_api),
        "other_feed": applied.other_feed,
        "deleted": found.deleted + applied.deleted,
    }


def _unchanged(tools: Tools, feed: Feed, run: FeedRun, former: FeedRun) -> FeedRun:
    """The server says that the body is unchanged: so are the jobs."""
    body = run.body
    before = former.body
    kept = before.live
    body.counts = dict.fromkeys(before.counts, 0) | {
        "total": before.counts["total"],
        "unchanged": kept,
        "invalid": before.counts["invalid"],
        "duplicates": before.counts["duplicates"],
        "skipped": before.counts["skipped"],
        "deleted": before.counts["deleted"],
    }
    body.fault_counts, body.faults = before.fault_counts, before.faults
    body.settings, body.live, body.bytes = before.settings, kept, before.bytes
    body.etag = body.etag or before.etag
    body.last_modified = body.last_modified or before.last_modified
    body.message = "The feed is still the same."
    with tools.records.write() as tx:
        service.end_run(tx, feed, run, "SUCCESS", tools.clock.now())
    return run


def _failed(tools: Tools, feed: Feed, run: FeedRun, failed: ImportFailed) -> FeedRun:
    body = run.body
    body.reason, body.message, body.line = failed.reason, failed.message, failed.line
    with tools.records.write() as tx:
        service.end_run(tx, feed, run, "FAILED", tools.clock.now())
    return run
