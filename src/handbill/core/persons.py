"""People who sign in: their roles, and what each role allows. Values only."""

from typing import Final, Literal, get_args

import msgspec

from handbill.kit.instants import DAY, HOUR, Instant

PersonRole = Literal["OWNER", "TRADER", "ANALYST", "EMPLOYER", "PUBLISHER", "OPERATOR"]
"""OWNER: all of an agency, its people too; TRADER: reads and writes; ANALYST: reads; EMPLOYER:
reads named clients, without bids and prices; PUBLISHER: reads its publisher family; OPERATOR: as an
owner, in any agency of the installation."""
ROLES: Final[tuple[PersonRole, ...]] = get_args(PersonRole)
OF_AGENCIES: Final = frozenset(("OWNER", "TRADER", "ANALYST", "EMPLOYER"))
"""Roles that an agency itself may give."""
WRITERS: Final = frozenset(("OWNER", "TRADER", "OPERATOR"))
HEADS: Final = frozenset(("OWNER", "OPERATOR"))
"""Roles that mind people, keys and the agency itself."""

IDLE_FOR: Final = 12 * HOUR
"""A session ends so long after it was renewed last."""
LASTS: Final = 30 * DAY
"""A session ends so long after it began, at the latest."""
LINK_LASTS: Final = 48 * HOUR
LEAST_PASSWORD: Final = 12
MOST_PASSWORD: Final = 200
_OFTEN_USED: Final = frozenset(
    (
        "000000000000",
        "111111111111",
        "123123123123",
        "123456789012",
        "1234567890123",
        "12345678901234",
        "1q2w3e4r5t6y",
        "1qaz2wsx3edc",
        "abcd1234abcd",
        "abcdefgh1234",
        "abcdefghijkl",
        "abcdefghijklm",
        "admin1234567",
        "adminadminadmin",
        "administrator",
        "changeme1234",
        "changemechangeme",
        "correcthorsebatterystaple",
        "iloveyou1234",
        "letmein12345",
        "p@ssw0rd1234",
        "passw0rd1234",
        "password1234",
        "password12345",
        "password123456",
        "passwordpassword",
        "passwort1234",
        "q1w2e3r4t5y6",
        "qwertyqwerty",
        "qwertyuiop12",
        "qwertyuiop123",
        "qwertyuiop[]",
        "qwertyuiopasdf",
        "secretsecret",
        "trustno1trustno1",
        "welcome12345",
        "zaq12wsxcde3",
    )
)


class Person(msgspec.Struct, frozen=True):
    """``password``: its hash; None until the invitation is accepted. ``code_step``: the time step
    of the last one-time code that was accepted; None: the person uses no second factor.
    """

    no: int
    id: str
    role: PersonRole
    agency_no: int | None
    family_no: int | None
    mail: str
    name: str
    password: str | None
    code_step: int | None
    created_at: Instant
    updated_at: Instant


class LiveSession(msgspec.Struct, frozen=True, kw_only=True):
    """A live session and whose it is. ``agency_no``: where the person works in it; None: in a
    publisher family. ``owner_id``: the id of either. ``clients``: the only ones that it may see, by
    number; None: all.
    """

    session_no: int
    digest: bytes
    agency_no: int | None
    created_at: Instant
    expires_at: Instant
    ends_at: Instant
    person_no: int
    person_id: str
    role: PersonRole
    family_no: int | None
    owner_id: str
    clients: frozenset[int] | None = None


def mail_of(text: str) -> str:
    """An address as it is compared: without blanks around it, in lower case."""
    return text.strip().lower()


def wrong_with(password: str, mail: str) -> str | None:
    """Why a password is not accepted; None: it is."""
    low = password.lower()
    name = mail.partition("@")[0]
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        return f"must have {LEAST_PASSWORD} to {MOST_PASSWORD} characters"
    if password != password.strip():
        return "must not begin or end with a blank"
    if mail in low or (len(name) >= 4 and name in low):
        return "must not contain the mail address"
    if low in _OFTEN_USED or len(set(low)) < 4:
        return "is too common; choose another one"
    return None
