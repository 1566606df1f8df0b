"""Secrets that are shown once: ``<kind>_<prefix>_<secret>``, found by the prefix and proved by a
keyed digest: API keys, sessions of people, their links, and links to shared reports.
"""

import re
from typing import NamedTuple

from handbill.access.keys import digested, ensure_secrets, secret
from handbill.host.ids import Ids, new_name
from handbill.kit.instants import Instant
from handbill.kit.signing import same
from handbill.store.records import Tx

API_KEY, SESSION, LINK, SHARED = "hb", "hbs", "hbl", "hbr"
_DIGESTED_BY = {API_KEY: "apikey", SESSION: "session", LINK: "session", SHARED: "link"}
_PREFIX_LENGTH = 12
_SECRET_LENGTH = 40  # 36^40: 206 bits, so a fast keyed digest is right
_SHAPE = re.compile(rf"(hb[slr]?)_([a-z0-9]{{{_PREFIX_LENGTH}}})_([a-z0-9]{{{_SECRET_LENGTH}}})")
_LEADING = re.compile(rf"{_SHAPE.pattern}(?:[^A-Za-z0-9].*)?")


class NewSecret(NamedTuple):
    """A new secret: its text, which is not stored, and what is."""

    text: str
    prefix: str
    digest: bytes


def new(tx: Tx, ids: Ids, now: Instant, kind: str) -> NewSecret:
    """A secret that nobody has had."""
    ensure_secrets(tx, ids, now)
    prefix, part = new_name(ids, _PREFIX_LENGTH), new_name(ids, _SECRET_LENGTH)
    kid, key = max(secret(tx, _DIGESTED_BY[kind]).items())
    return NewSecret(f"{kind}_{prefix}_{part}", prefix, bytes([kid]) + digested(key, prefix, part))


def parts_of(text: str, kind: str) -> tuple[str, str]:
    """Prefix and secret of a text; both empty for one of another shape or kind. What follows a
    secret that people pass on in a link is not read: programs take a full stop or a bracket along.
    """
    shape = _LEADING if kind in {LINK, SHARED} else _SHAPE
    parts = shape.fullmatch(text)
    return (parts[2], parts[3]) if parts is not None and parts[1] == kind else ("", "")


def proves(
    tx: Tx, kind: str, parts: tuple[str, str], digest: bytes | None, keys: dict[int, bytes]
) -> bool:
    """Whether these are the parts of the secret of this digest, compared in constant time; None: of
    none.

    ``keys``: the caller's cache of our secrets for this kind; missing ones are added here.
    """
    if not keys or (digest is not None and digest[0] not in keys):
        keys.update(secret(tx, _DIGESTED_BY[kind]))
    if digest is not None and digest[0] not in keys:
        digest = None  # its key was retired
    kept = digest if digest is not None else bytes([max(keys)]) + bytes(32)
    return same(digested(keys[kept[0]], *parts), kept[1:]) and digest is not None
