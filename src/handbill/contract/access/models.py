"""Agencies and their credentials, as they are read and told. **Source**: contract 2."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, PlainValidator, StringConstraints, WithJsonSchema

from handbill.access.service import MOST_OVERLAP_HOURS, NEEDS, SCOPES
from handbill.contract.envelopes import Made, Page
from handbill.http.kinds import Need
from handbill.wire.fields import Id, InCapitals, Instant, Name, Whole
from handbill.wire.models import Model

_NEED_OF: Final = {f"{SCOPES['agency']}/{need}": need for need in NEEDS}
_ONE_OF: Final = "|".join(_NEED_OF)
_MADE: Final = "Time of creation."


def _needs(scope: Any) -> frozenset[Need]:
    words = scope.split(" ") if isinstance(scope, str) else [""]
    needs = [_NEED_OF.get(word) for word in words]
    if None in needs or len(needs) > len(NEEDS):
        raise ValueError("must be handbill/read, handbill/write, or both with a blank between")
    return frozenset(need for need in needs if need is not None)


Scope = Annotated[
    Any,
    PlainValidator(_needs),
    WithJsonSchema({"type": "string", "pattern": f"^({_ONE_OF})( ({_ONE_OF}))?$"}),
]
"""What tokens allow, as a set of needs."""


class AgencyChange(Model):
    name: Id | None = Field(
        None, description="The name, 1 to 200 characters. It cannot be cleared."
    )
    currency: Annotated[str, InCapitals, StringConstraints(min_length=3, max_length=3)] | None = (
        Field(None, description="Only the present one is accepted: every amount is in it.")
    )


class Agency(Model):
    """The tenant: it owns clients and publishers, and holds API keys."""

    id: str = Field(description="The agency's id.")
    name: str = Field(description="The name.")
    currency: str = Field(description="Currency of all amounts, an ISO 4217 code.")
    created_at: Instant = Field(alias="createdOn", description=_MADE)


class ApiKey(Model):
    """An API key, without its secret."""

    prefix: str = Field(description="The public part of the key, which identifies it.")
    created_at: Instant = Field(alias="createdOn", description=_MADE)
    expires_at: Instant | None = Field(
        alias="expiresOn", description="When the key ends after a rotation. Null: never."
    )
    revoked_at: Instant | None = Field(
        alias="revokedOn", description="Time of revocation. Null: not revoked."
    )


class ApiKeyPage(Page[ApiKey]):
    """API keys including revoked ones, oldest first."""


class KeyMade(Made):
    """A new API key."""

    result: str = Field(
        description="The whole text of the new key. It is shown only this once and not stored."
    )


class KeyRotation(Model):
    overlap_hours: Annotated[int, Whole(0, MOST_OVERLAP_HOURS)] = Field(
        24,
        alias="overlapHours",
        description="Hours for which the former key remains valid, 0 to 720. Default: 24.",
    )


class NewApiClient(Model):
    allowed: Scope = Field(
        frozenset(NEEDS),
        alias="scope",
        description="handbill/read, handbill/write, or both separated by a blank. Default: both.",
    )


class ApiClient(Model):
    """A program of an agency, named in POST /token."""

    id: str = Field(
        alias="client_id",
        description="The client_id for POST /token: 25 lower-case letters and digits.",
    )
    scope: str = Field(description="The scopes of the token, separated by blanks.")
    created_at: Instant = Field(alias="createdOn", description=_MADE)
    revoked_at: Instant | None = Field(
        alias="revokedOn", description="Time of revocation. Null: not revoked."
    )


class ApiClientPage(Page[ApiClient]):
    """API clients including revoked ones, oldest first."""


class TokenRequest(Model):
    api_client_id: Name = Field(
        alias="client_id",
        description="The id of the API client. It is not the id of a client (employer).",
    )


class Token(Model):
    """An access token."""

    access_token: str = Field(description="The token to send as x-authorization-key: a JWT, RS256.")
    expires_in: int = Field(description="Seconds for which the token is valid: one day.")
    kind: Literal["Bearer"] = Field(alias="token_type", description="Always Bearer.")


class KeySet(Model):
    """The public signing keys, as a JWKS document."""

    keys: list[dict[str, Any]] = Field(
        description="The public keys (RFC 7517); a token's header names its own by kid."
    )
