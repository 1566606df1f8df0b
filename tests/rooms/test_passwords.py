"""What it costs to try a password, whether or not anybody has the mail."""

from handbill.host.ids import SeededIds
from handbill.people import passwords

PASSWORD = "korrekt pferd batterie"
COSTS = "$argon2id$v=19$m=19456,t=2,p=1$"
"""**Source**: OWASP Password Storage."""


def test_a_hash_costs_what_is_advised_and_has_a_salt_of_its_own() -> None:
    ids = SeededIds(1)
    first, again = (passwords.hashed(ids, PASSWORD) for _ in range(2))
    assert first.startswith(COSTS)
    assert first != again
    assert passwords.proves(PASSWORD, first)
    assert not passwords.proves(PASSWORD + ".", first)


def test_nobodys_hash_costs_as_much() -> None:
    assert passwords._NOBODYS.startswith(COSTS)
    assert not passwords.proves(PASSWORD, None)
