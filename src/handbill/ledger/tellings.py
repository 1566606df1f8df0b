"""The full content of what entries name by a digest: the agents of clicks, and the versions of
click definitions.

Agents are kept as long as a month may be open, and up to a limit: beyond it, the digest only tells
which clicks have the same agent.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.definition_versions import DefinitionInForce, in_force_of
from handbill.kit.instants import DAY, HOUR, Instant
from handbill.ledger.agents import MOST_LOOKED_AT
from handbill.ledger.runs import Added
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.tables import agent_texts, definition_versions

AGENTS_KEPT: Final = 45 * DAY
"""Longer than any month is open."""
MOST_AGENTS: Final = 200_000
_MOST_REMEMBERED: Final = 100_000
_AT_ONCE: Final = 5_000

_a, _v = agent_texts.c, definition_versions.c
_TEXTS = sa.select(_a.digest, _a.agent).where(among(_a.digest, "digests"))
_COUNT = sa.select(sa.func.count()).select_from(agent_texts)
_VERSIONS = sa.select(_v.version, _v.body).where(among(_v.version, "versions"))
_OLD = sa.select(_a.digest).where(_a.seen_at < b("before")).limit(b("most", type_=sa.Integer))
_FORGET = sa.delete(agent_texts).where(_a.digest.in_(_OLD))


class Recorder:
    """Records what is new, and remembers what it recorded lately, once that is committed."""

    def __init__(self) -> None:
        self._agents: dict[str, Instant] = {}
        self._versions: set[str] = set()
        self._noted: tuple[dict[str, Instant], set[str]] = {}, set()
        self._room, self._counted_at = 0, -DAY

    def note(self, tx: Tx, added: Iterable[Added], now: Instant) -> None:
        """Record what these runs name by a digest; agents only as far as there is room."""
        agents = {at: text for one in added for at, text in one.agents.items()}
        agents = {at: text for at, text in agents.items() if now - self._seen_at(at) >= DAY}
        versions = {at: body for one in added for at, body in one.versions.items()}
        new = versions.keys() - self._versions
        self._put_agents(tx, agents, now)
        tx.upsert_many(
            definition_versions,
            ["version"],
            [{"version": at, "body": versions[at], "first_at": now} for at in sorted(new)],
            keep=True,
        )
        self._noted = dict.fromkeys(agents, now), new

    def kept(self) -> None:
        """What was recorded is committed."""
        if len(self._agents) > _MOST_REMEMBERED:
            self._agents.clear()
        self._agents.update(self._noted[0])
        self._versions |= self._noted[1]

    def _seen_at(self, digest: str) -> Instant:
        return self._agents.get(digest, -DAY)

    def _put_agents(self, tx: Tx, agents: Mapping[str, str], now: Instant) -> None:
        if now - self._counted_at >= HOUR:
            self._room, self._counted_at = MOST_AGENTS - int(tx.value(_COUNT) or 0), now
        self._room -= len(agents)  # too low, if some are known: counted again in an hour
        known = texts_of(tx, agents) if self._room < 0 else agents
        kept = {at: text for at in known if (text := _kept(agents[at])) is not None}
        tx.upsert_many(
            agent_texts,
            ["digest"],
            [{"digest": at, "agent": kept[at], "seen_at": now} for at in sorted(kept)],
        )


def _kept(agent: str) -> str | None:
    """The part of an agent that is kept and recognised. None: it is no text that can be kept."""
    text = agent.strip()[:MOST_LOOKED_AT]
    is_text = "\0" not in text and text == text.encode("utf-8", "replace").decode()
    return text if is_text else None


def texts_of(tx: Tx, digests: Iterable[str]) -> dict[str, str]:
    """The agents of these digests, as far as they are known."""
    ordered = sorted(set(digests))
    return {
        digest: text
        for at in range(0, len(ordered), _AT_ONCE)
        for digest, text in tx.all(_TEXTS, digests=Listed(ordered[at : at + _AT_ONCE]))
    }


def in_force(tx: Tx, versions: Iterable[str]) -> dict[str, DefinitionInForce]:
    """The content of these versions of click definitions, as far as they are known."""
    rows = tx.all(_VERSIONS, versions=Listed(sorted(set(versions) - {""})))
    return {version: in_force_of(bytes(body)) for version, body in rows}


def forget_agents(tx: Tx, before: Instant, most: int) -> int:
    """Delete at most so many agents that no click of an open month has; returns how many."""
    return tx.run(_FORGET, before=before, most=most)
