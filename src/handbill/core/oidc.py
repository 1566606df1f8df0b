"""Signing in by an agency's own provider: what its token must say, and which role that gives.

Values only. **Source**: OpenID Connect Core 1.0, 3.1.3.7.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from handbill.core.persons import PersonRole, mail_of
from handbill.kit.instants import MINUTE, SECOND, Instant
from handbill.kit.mails import is_mail
from handbill.kit.signing import same

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519", "EdDSA"),
)
"""The only ways in which a token may be signed: those whose public keys sign nothing."""
GRANTED: Final[tuple[PersonRole, ...]] = ("OWNER", "TRADER", "ANALYST", "EMPLOYER", "PUBLISHER")
"""The roles that a provider may give: never an operator's."""
LEEWAY: Final = MINUTE
"""How far the provider's clock may be off."""
LEAST_SCOPE: Final = "openid"
SCOPES: Final = "openid email profile"
_MOST_SUBJECT = 255
_MOST_NAME = 200


class Grant(msgspec.Struct, frozen=True):
    """The role of whoever has this value in the claim. ``clients``: ids, for an EMPLOYER.

    ``family``: the id of the publisher family, for a PUBLISHER.
    """

    value: str
    role: PersonRole
    clients: tuple[str, ...] = ()
    family: str = ""


class ProviderBody(msgspec.Struct, frozen=True, kw_only=True):
    """``issuer``: exactly as the provider spells it. ``claim``: which one names the role; empty:
    people keep the roles that owners gave them. ``grants``: the first one that fits counts.
    ``creates``: whether people are added at their first sign-in. ``domains``: of the mail addresses
    that may sign in for the first time; empty: all. ``only``: nobody of the agency signs in by
    password.
    """

    issuer: str
    client_id: str
    scopes: str = SCOPES
    claim: str = ""
    grants: tuple[Grant, ...] = ()
    creates: bool = False
    domains: tuple[str, ...] = ()
    only: bool = False


class Provider(msgspec.Struct, frozen=True):
    """The provider of an agency."""

    no: int
    agency_no: int
    body: ProviderBody
    created_at: Instant
    updated_at: Instant


class Expected(msgspec.Struct, frozen=True):
    """What a token of one sign-in has to say. ``since``: when the sign-in began."""

    issuer: str
    client_id: str
    nonce: str
    since: Instant


class TokenHolder(msgspec.Struct, frozen=True):
    """Whom a token names. ``mail``: a verified one; empty: none. ``name``: empty if not said."""

    subject: str
    mail: str
    name: str


def wrong_with(claims: Mapping[str, Any], expected: Expected, now: Instant) -> str:
    """Which claim is not as this sign-in demands; empty: all are."""
    audience = claims.get("aud")
    nonce, subject = claims.get("nonce"), claims.get("sub")
    is_subject = isinstance(subject, str) and 0 < len(subject) <= _MOST_SUBJECT
    ends, issued = _instant(claims.get("exp")), _instant(claims.get("iat"))
    for name, is_right in (
        ("iss", claims.get("iss") == expected.issuer),
        ("aud", audience in (expected.client_id, [expected.client_id])),
        ("azp", claims.get("azp", expected.client_id) == expected.client_id),
        ("nonce", isinstance(nonce, str) and same(nonce.encode(), expected.nonce.encode())),
        ("exp", ends is not None and now < ends + LEEWAY),
        ("iat", issued is not None and expected.since - LEEWAY <= issued <= now + LEEWAY),
        ("sub", is_subject and str(subject).isprintable()),
    ):
        if not is_right:
            return name
    return ""


def said_by(claims: Mapping[str, Any]) -> TokenHolder:
    """Whom the checked claims name. An address counts only where the provider has verified it."""
    mail, name = claims.get("email"), claims.get("name")
    known = mail_of(mail) if isinstance(mail, str) and claims.get("email_verified") is True else ""
    shown = name.strip()[:_MOST_NAME] if isinstance(name, str) and name.isprintable() else ""
    return TokenHolder(str(claims["sub"]), known if is_mail(known) else "", shown)


def granted(body: ProviderBody, claims: Mapping[str, Any]) -> Grant | None:
    """The first grant whose value the claim has; None: it has none of them."""
    values = _values_of(claims, body.claim)
    return next((one for one in body.grants if one.value in values), None)


def is_let_in(body: ProviderBody, mail: str) -> bool:
    """Whether an address may sign in for the first time."""
    return bool(mail) and (not body.domains or mail.rpartition("@")[2] in body.domains)


def _values_of(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """The texts of a claim, which is one text or a list. A name with dots may be a path, such as
    realm_access.roles, where no claim has that very name.
    """
    claim: Any = claims
    for step in (name,) if name in claims else name.split("."):
        claim = claim.get(step) if isinstance(claim, Mapping) else None
    some = claim if isinstance(claim, list) else [claim]
    return frozenset(one for one in some if isinstance(one, str))


def _instant(value: Any) -> Instant | None:
    """Seconds since 1970, as tokens have them."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) * SECOND if is_number and 0 <= value < 2**40 else None
