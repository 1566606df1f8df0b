"""Secrets that are shown once: ``<kind>_<prefix>_<secret>``, found by the prefix and proved by a
keyed digest, as API keys are.
"""

import re
from typing import NamedTuple

from handbill.access.keys import digested, ensure_secrets, secret
from handbill.host.ids import Ids, new_name
from handbill.kit.instants import Instant
from handbill.kit.signing import same
from handbill.store.records import Tx

SESSION, LINK = "hbs", "hbl"
_NAME = "session"
_PREFIX_LENGTH, _SECRET_LENGTH = 12, 40
_SHAPE = re.compile(rf"(hb[sl])_([a-z0-9]{{{_PREFIX_LENGTH}}})_([a-z0-9]{{{_SECRET_LENGTH}}})")


class Shown(NamedTuple):
    """A new secret: its text, which is not stored, and what is."""

    text: str
    prefix: str
    digest: bytes


def new(tx: Tx, ids: Ids, now: Instant, kind: str) -> Shown:
    """A secret that nobody has had. ``kind``: hbs, a session; hbl, a link."""
    ensure_secrets(tx, ids, now)
    prefix, part = new_name(ids, _PREFIX_LENGTH), new_name(ids, _SECRET_LENGTH)
    kid, key = max(secret(tx, _NAME).items())
    return Shown(f"{kind}_{prefix}_{part}", prefix, bytes([kid]) + digested(key, prefix, part))


def parts_of(text: str, kind: str) -> tuple[str, str]:
    """Prefix and secret of a text; both empty for one of another shape."""
    found = _SHAPE.fullmatch(text)
    return (found[2], found[3]) if found is not None and found[1] == kind else ("", "")


def proves(tx: Tx, text: str, kind: str, digest: bytes | None, keys: dict[int, bytes]) -> bool:
    """Whether the text is the secret of this digest, compared in constant time; None: of none.

    ``keys``: the caller's cache of our secrets; missing ones are added here.
    """
    prefix, part = parts_of(text, kind)
    if not keys or (digest is not None and digest[0] not in keys):
        keys.update(secret(tx, _NAME))
    if digest is not None and digest[0] not in keys:
        digest = None  # its key was retired
    kept = digest if digest is not None else bytes([max(keys)]) + bytes(32)
    return same(digested(keys[kept[0]], prefix, part), kept[1:]) and digest is not None
