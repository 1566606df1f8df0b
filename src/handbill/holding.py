"""Hold the records for this host while it serves: only one host at a time may."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from logging import getLogger

from handbill.config import BadSettings
from handbill.host.clock import MOST_STEP, Clock
from handbill.host.identity import begin_anew, host_of
from handbill.host.ids import new_name
from handbill.host.outside import Outside
from handbill.host.settings import Settings
from handbill.kit.faults import Unavailable
from handbill.kit.instants import Instant, iso_of
from handbill.opening import Opened, opened
from handbill.store.records import Records
from handbill.work import hosts
from handbill.work.hosts import HeldByOther, Host, Succeeded

_LOG = getLogger("handbill.serve")


class HostHold:
    """This host's hold on the records. Call ``renew`` at least every ``hosts.SILENT``."""

    def __init__(self, records: Records, host_id: str, run: str) -> None:
        self.host_id = host_id
        self._records = records
        self._run = run
        self._is_away = False

    def renew(self) -> str | None:
        """Report that this host is alive; returns why it must end, if it lost the records.

        If the records are unreachable, they are asked again next time: clicks go on meanwhile.
        """
        try:
            with self._records.write() as tx:
                if hosts.renew(tx, self.host_id, self._run):
                    self._is_away = False
                    return None
                other = hosts.holder(tx)
        except Unavailable as away:
            if not self._is_away:
                _LOG.warning("this host cannot renew its hold: %s", away)
            self._is_away = True
            return None
        return _lost(self.host_id, other)

    def let_go(self) -> None:
        try:
            with self._records.write() as tx:
                hosts.let_go(tx, self.host_id, self._run)
        except Unavailable as away:
            _LOG.warning("the hold of the records could not be released, and will expire: %s", away)


@contextmanager
def holding(settings: Settings, outside: Outside, machine: Clock) -> Iterator[HostHold]:
    """Hold the records for the length of the block. They are migrated by now. ``machine``: the
    clock that must agree with the records' clock.

    **Refuses** records that another host holds (BadSettings).
    """
    with opened(settings, outside, hurried=True) as stores:
        hold = _held(stores, machine)
        try:
            yield hold
        finally:
            hold.let_go()


def _held(stores: Opened, machine: Clock) -> HostHold:
    settings, records, ids = stores.settings, stores.records, stores.ids
    folder, name, run = settings.data_folder, platform.node() or "unnamed", new_name(ids)
    host_id = host_of(folder, ids)
    try:
        lapsed = _ask(records, machine, (host_id, name, run))
    except Succeeded as by:
        former, host_id = host_id, begin_anew(folder, ids)
        _LOG.warning(
            "host %s has taken over the journal of %s: this folder is host %s from now on",
            by,
            former,
            host_id,
        )
        lapsed = _ask(records, machine, (host_id, name, run))
    for host in lapsed:
        _LOG.warning(
            "host %s (%s) did not shut down cleanly: events not yet judged are in its data "
            "folder; bring it here and run: handbill hosts adopt FOLDER",
            host.id,
            host.name,
        )
    return HostHold(records, host_id, run)


def _ask(records: Records, machine: Clock, own: tuple[str, str, str]) -> list[Host]:
    host_id, name, run = own
    with records.write() as tx:
        hosts.enter(tx, host_id, name)
    try:
        with records.write() as tx:
            _require_same_clock(machine.now(), tx.now())
            return hosts.hold(tx, host_id, name, run)
    except HeldByOther as held:
        raise BadSettings(refusal(held.host)) from held


def _require_same_clock(machine_now: Instant, records_now: Instant) -> None:
    """Two clocks must agree: a wrong one would book events into the wrong year."""
    if abs(machine_now - records_now) > MOST_STEP:
        raise BadSettings(
            f"this machine's clock says {_shown(machine_now)}, the database's "
            f"{_shown(records_now)}: correct the one that is wrong, and start again"
        )


def refusal(host: Host) -> str:
    """The message to a second host: who serves, and what can be done."""
    free_at = host.seen_at + hosts.SILENT
    return (
        f"host {host.id} ({host.name}) has held these records since {_shown(host.started_at)}, "
        f"and was last active at {_shown(host.seen_at)}. Only one host may serve them at a time. "
        "Stop it first, or name other records with HANDBILL_RECORDS_URL. If it is gone for good, "
        f"start again after {_shown(free_at)}, or run: handbill hosts release {host.id}"
    )


def _lost(host_id: str, other: Host | None) -> str:
    if other is None:
        return f"host {host_id} was released by an operator: it no longer holds the records"
    if other.id == host_id:
        return (
            f"another server has started as host {host_id}: its data folder is a copy of this one, "
            "file system and all; give it a data folder of its own"
        )
    return (
        f"this host, {host_id}, showed no activity for too long, and host {other.id} "
        f"({other.name}) holds the records since {_shown(other.started_at)}"
    )


def _shown(at: Instant) -> str:
    return f"{iso_of(at)[:19]}Z"
