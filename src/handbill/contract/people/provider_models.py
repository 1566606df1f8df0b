"""Sign-in providers, and sign-ins by them, as they are read and told."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, StringConstraints

from handbill.contract.envelopes import Dated, Made
from handbill.core.oidc import SCOPES, Grant, Provider, ProviderBody
from handbill.wire.fields import Distinct, Id, Instant, Key
from handbill.wire.models import Model
from handbill.wire.words import AnyCase

GrantedRole = Annotated[Literal["OWNER", "TRADER", "ANALYST", "EMPLOYER", "PUBLISHER"], AnyCase()]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
_Claim = Annotated[str, StringConstraints(max_length=200)]
_MOST_GRANTS: Final = 100
_ISSUER: Final = "The issuer, exactly as the provider's discovery document spells it."
_CLIENT: Final = "Handbill's client id at the provider."
_SCOPES: Final = "The scopes to ask for, with blanks between; openid is one of them."
_CLAIM: Final = (
    "The claim of the ID token that names the role: its name, or a path such as "
    "realm_access.roles. Empty: people must be invited, and keep the role that an owner gave them."
)
_GRANTS: Final = "Which values of the claim give which role. The first one that fits counts."
_CREATES: Final = "Whether people are added at their first sign-in, without an invitation."
_DOMAINS: Final = "Only these domains' mail addresses may sign in for the first time; empty: all."
_ONLY: Final = "Whether the agency's people sign in by the provider only, and not by password."
_FAMILY: Final = "Id of the publisher family, for a PUBLISHER only."
_OF_EMPLOYER: Final = "Ids of the clients that an EMPLOYER may see; others have none."


def _grant(value: str, role: Any, clients: Sequence[str] = (), family: str = "") -> Grant:
    return Grant(value, role, tuple(clients), family)


def _body(**given: Any) -> ProviderBody:
    for name in ("grants", "domains"):
        given[name] = tuple(given.get(name) or ())
    return ProviderBody(**given)


class GrantSaid(Model):
    """A value of the claim, and the role of whoever has it."""

    makes = _grant

    value: Key = Field(description="The value, exactly as the provider spells it.")
    role: GrantedRole = Field(description="The role. No provider makes an OPERATOR.")
    clients: Distinct[Id] = Field([], max_length=1_000, description=_OF_EMPLOYER)
    family: _Claim = Field("", alias="publisherFamilyId", description=_FAMILY)


class GrantShown(Model):
    """A value of the claim, and the role of whoever has it."""

    value: str = Field(description="The value.")
    role: str = Field(description="The role.")
    clients: list[str] = Field(description=_OF_EMPLOYER)
    family: str = Field(alias="publisherFamilyId", description=_FAMILY)


class ProviderSaid(Model):
    makes: ClassVar[Any] = _body

    issuer: _Text = Field(description=_ISSUER)
    client_id: _Text = Field(alias="clientId", description=_CLIENT)
    secret: _Text | None = Field(
        None,
        alias="clientSecret",
        description="Handbill's secret at the provider. It is sealed and never returned. Absent: "
        "the former one stays; required for a new issuer or client id.",
    )
    scopes: _Text = Field(SCOPES, description=_SCOPES)
    claim: _Claim = Field("", alias="roleClaim", description=_CLAIM)
    grants: list[GrantSaid] = Field([], max_length=_MOST_GRANTS, description=_GRANTS)
    creates: bool = Field(False, alias="createsPeople", description=_CREATES)
    domains: Distinct[Key] = Field(
        [], alias="mailDomains", max_length=_MOST_GRANTS, description=_DOMAINS
    )
    only: bool = Field(False, alias="onlyByProvider", description=_ONLY)


class ProviderShown(Dated):
    """The agency's sign-in provider, without its secret."""

    issuer: str = Field(description=_ISSUER)
    client_id: str = Field(alias="clientId", description=_CLIENT)
    scopes: str = Field(description=_SCOPES)
    claim: str = Field(alias="roleClaim", description=_CLAIM)
    grants: list[GrantShown] = Field(description=_GRANTS)
    creates: bool = Field(alias="createsPeople", description=_CREATES)
    domains: list[str] = Field(alias="mailDomains", description=_DOMAINS)
    only: bool = Field(alias="onlyByProvider", description=_ONLY)
    return_address: str = Field(
        alias="returnAddress",
        description="The only redirect URI to register at the provider.",
    )
    start_address: str = Field(
        alias="startAddress", description="The page where the agency's people begin to sign in."
    )


def shown_provider(provider: Provider, return_address: str, start_address: str) -> ProviderShown:
    """A provider as it is shown."""
    body = provider.body
    return ProviderShown.of(
        body,
        grants=[GrantShown.of(one, clients=list(one.clients)) for one in body.grants],
        domains=list(body.domains),
        created_at=provider.created_at,
        updated_at=provider.updated_at,
        return_address=return_address,
        start_address=start_address,
    )


class SignInBegun(Made):
    """A sign-in under way at the agency's provider."""

    result: str = Field(description="The address at the provider where the person signs in.")
    flow: str = Field(
        description="What binds the sign-in to this browser: keep it there, and send it back with "
        "what the provider returns."
    )
    expires_at: Instant = Field(
        alias="expiresOn", description="When the sign-in ends unless it is finished: in 10 minutes."
    )


class SignInBegin(Model):
    agency_id: Id = Field(alias="agencyId", description="The agency to sign in to.")


class SignInFinish(Model):
    flow: Annotated[str, StringConstraints(max_length=500)] = Field(
        description="The flow that the beginning returned."
    )
    state: Annotated[str, StringConstraints(max_length=500)] = Field(
        description="The state that the provider returned."
    )
    code: Annotated[str, StringConstraints(max_length=4_000)] = Field(
        "", description="The code that the provider returned."
    )
    issuer: Annotated[str, StringConstraints(max_length=500)] = Field(
        "", alias="iss", description="The issuer that the provider returned, if it did (RFC 9207)."
    )
    error: Annotated[str, StringConstraints(max_length=200)] = Field(
        "", description="The error that the provider returned in place of a code."
    )
