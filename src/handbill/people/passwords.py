"""Passwords as Argon2id hashes in PHC form. Each call takes tens of milliseconds of a processor:
never on the event loop, never while a transaction may write.

**Source**: RFC 9106; OWASP Password Storage (19 MiB, 2 passes, 1 lane).
"""

from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from handbill.host.ids import Ids

_LANES, _PASSES, _KIB, _LENGTH, _SALT = 1, 2, 19_456, 32, 16
_NOBODYS: Final = (
    f"$argon2id$v=19$m={_KIB},t={_PASSES},p={_LANES}$MDAwMDAwMDAwMDAwMDAwMA"
    "$qovK5nnUQOyGlxVNVr5hdp+lTWFRguLSRzzZ41nmGOM"
)
"""A hash to compare with where there is none, so that an unknown mail takes as long."""


def hashed(ids: Ids, password: str) -> str:
    """The hash to store, with a salt of its own."""
    kdf = Argon2id(
        salt=ids.bytes(_SALT), length=_LENGTH, iterations=_PASSES, lanes=_LANES, memory_cost=_KIB
    )
    return kdf.derive_phc_encoded(password.encode())


def proves(password: str, kept: str | None) -> bool:
    """Whether it is the password of that hash; None: of nobody, found out in the same time."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), kept or _NOBODYS)
    except InvalidKey:
        return False
    return kept is not None
