"""Feeds whose servers trickle hold up neither other agencies' feeds nor callbacks."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from handbill.feeds import service as feeds
from handbill.host.egress import Egress
from handbill.store.records import Records
from handbill.work.loop import beside
from handbill.worker import lanes_of
from rooms.feed_world import World, new_client, world_on
from sites import MAPPINGS, document, holding_on, item

MOST_OF_AGENCY = 4
LONG = 60.0


def states(records: Records) -> set[str]:
    """Of all runs."""
    with records.read() as tx:
        return {state for (state,) in tx.run_text("SELECT state FROM feed_runs", {})[0]}


@pytest.fixture
def world(records: Records, tmp_path: Path) -> Iterator[World]:
    with world_on(records, tmp_path) as found:
        yield found


def test_slow_servers_hold_up_nobody_else(world: World) -> None:
    other = new_client(world.records, world.tools.ids, "other")  # type: ignore[arg-type]
    theirs = World(world.records, world.tools, world.clock, world.site, other)
    world.site.pages["/feed.xml"] = document(item("1"))
    with holding_on(drips=True) as slow:
        hosts = [f"{name}:{slow.server_address[1]}" for name in ("127.0.0.1", "localhost")]
        egress = Egress((*hosts, f"127.0.0.1:{world.site.port}"))
        tools = replace(world.tools, egress=egress)
        made = []
        for n in range(20):
            given = {"url": f"http://{hosts[n % 2]}/{n}.xml", "mappings": MAPPINGS}
            with world.records.write() as tx:
                made.append(
                    feeds.create(tx, world.tools.ids, world.clock.now(), world.client, given)
                )
        with beside(lanes_of(tools, "fetcher-0")):
            for _ in range(MOST_OF_AGENCY):
                assert slow.there.acquire(timeout=LONG)
            theirs.feed()
            while not theirs.jobs():
                assert not threading.Event().wait(0.05)
            with world.records.read() as tx:
                under_way = [
                    one
                    for feed in made
                    for one in feeds.runs_page(
                        tx, feeds.feed_of(tx, world.client.no, feed.id).no, 0, 10
                    )[0]
                ]
            assert [run.state for run in under_way] == ["RUNNING"] * MOST_OF_AGENCY
            # One of those that trickle is deleted: we hang up, and the next one has its turn.
            with world.records.write() as tx:
                running = next(
                    found
                    for feed in made
                    for found in [feeds.feed_of(tx, world.client.no, feed.id)]
                    if feeds.runs_page(tx, found.no, 0, 1)[0]
                )
                feeds.delete(tx, world.clock.now(), world.client, running)
            assert slow.gone.acquire(timeout=LONG)
            for _ in range(300):
                world.clock.forward(10_000_000)
                if slow.there.acquire(timeout=0.2):
                    break
            else:
                pytest.fail("nobody had the turn that became free")
            slow.ended.set()
            while states(world.records) & {"RUNNING"}:
                assert not threading.Event().wait(0.05)
        egress.close()
