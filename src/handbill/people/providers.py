"""The sign-in provider of an agency: set, shown and removed by its owners or the operator."""

from typing import Any, Final
from urllib.parse import urlsplit

from handbill.access.service import Agency, lock_agency
from handbill.changes import service as changes
from handbill.core.oidc import GRANTED, LEAST_SCOPE, Grant, Provider, ProviderBody
from handbill.core.trail import TrailEntity, fields_of
from handbill.host.settings import Settings
from handbill.kit.faults import Fault, bad_request, not_found, refused_state
from handbill.kit.instants import Instant
from handbill.kit.mails import is_mail
from handbill.kit.urls import NotUrl, canonical_url
from handbill.people import entrants
from handbill.people import provider_rows as rows
from handbill.store.records import Tx

__all__ = ["Grant", "Provider", "ProviderBody", "is_only", "provider_of", "put", "remove"]

_MOST_ISSUER: Final = 500
_LOCKED_OUT: Final = (
    "no owner of the agency could sign in any more; before that, an owner must have signed in by "
    "this very provider, or have a password that still counts"
)


def provider_of(tx: Tx, agency_no: int) -> Provider:
    """The agency's provider. **Refuses** (404) if it has none."""
    provider = rows.provider(tx, agency_no)
    if provider is None:
        raise not_found()
    return provider


def is_only(tx: Tx, agency_no: int | None) -> bool:
    """Whether people of the agency sign in by its provider only."""
    provider = None if agency_no is None else rows.provider(tx, agency_no)
    return provider is not None and provider.body.only


def put(
    tx: Tx, now: Instant, settings: Settings, agency: Agency, body: ProviderBody, secret: str | None
) -> None:
    """Set the agency's provider; without a secret, the former one stays.

    **Refuses** (400) an issuer without TLS, unless the operator allows requests to that very host
    and port; another issuer or client id without its secret; grants that give what no provider may;
    people who are added without a grant; and what would shut out the last owner who can sign in.
    """
    former = _held(tx, agency)
    faults = _faults_of(settings, body) + _faults_of_grants(body)
    if _shuts_out(tx, agency, former, body):
        faults.append(Fault("only" if body.only else "issuer", _LOCKED_OUT))
    if secret is None and (former is None or _place(former.body) != _place(body)):
        faults.append(Fault("secret", "is required for a new issuer or client id"))
    if faults:
        raise bad_request(faults)
    rows.put_provider(tx, now, agency.no, body)
    _tell(tx, now, agency, None if former is None else former.body, body)
    if secret is not None and secret != rows.secret(tx, agency.no):
        rows.put_secret(tx, agency.no, secret)
        changes.secret(tx, now, _entity(agency), "secret")


def remove(tx: Tx, now: Instant, agency: Agency, *, by_operator: bool = False) -> None:
    """Let the agency's people sign in by password alone.

    **Refuses** (404) if there is none, and (400) to shut out the last owner who can sign in; not
    the operator, who lets people back in when a provider fails, by new invitations.
    """
    former = _held(tx, agency)
    if former is None:
        raise not_found()
    if not by_operator and _shuts_out(tx, agency, former, None):
        raise refused_state("", _LOCKED_OUT)
    rows.drop_provider(tx, agency.no)
    _tell(tx, now, agency, former.body, None)


def faults_of_place(settings: Settings, url: str) -> str:
    """What is wrong with an address of a provider; empty: nothing."""
    try:
        canonical_url(url)
        parts = urlsplit(url)
        place = f"{parts.hostname}:{parts.port or 80}"
    except (NotUrl, ValueError):
        return "must be an address such as https://login.example.com"
    if parts.scheme != "https" and place not in settings.egress_allow:
        return "must begin with https://"
    return ""


def _held(tx: Tx, agency: Agency) -> Provider | None:
    """The provider as it is now, locked as sign-ins lock it; of two who set the first one, the
    second finds it.
    """
    lock_agency(tx, agency.no)
    provider = rows.provider(tx, agency.no)
    if provider is None:
        return None
    rows.lock(tx, provider.no)
    return rows.provider(tx, agency.no)


def _shuts_out(tx: Tx, agency: Agency, former: Provider | None, body: ProviderBody | None) -> bool:
    """Whether an owner can sign in now, and none could with this provider."""
    owners = entrants.hold_owners(tx, agency.no)
    before = None if former is None else former.body
    if not entrants.able_with(tx, agency.no, owners, before):
        return False
    return not entrants.able_with(tx, agency.no, owners, body)


def _place(body: ProviderBody) -> tuple[str, str]:
    return body.issuer, body.client_id


def _faults_of(settings: Settings, body: ProviderBody) -> list[Fault]:
    faults = []
    wrong = faults_of_place(settings, body.issuer)
    if not wrong and (set(body.issuer) & set("?#") or len(body.issuer) > _MOST_ISSUER):
        wrong = "must have no query and no fragment, and at most 500 characters"
    if wrong:
        faults.append(Fault("issuer", wrong))
    if LEAST_SCOPE not in body.scopes.split():
        faults.append(Fault("scopes", f"must contain {LEAST_SCOPE}"))
    if wrong_ones := [one for one in body.domains if not is_mail(f"a@{one}") or one != one.lower()]:
        faults.append(Fault("domains", f"{wrong_ones[0]} is no domain in lower case"))
    return faults


def _faults_of_grants(body: ProviderBody) -> list[Fault]:
    faults = []
    if bool(body.claim) != bool(body.grants):
        faults.append(Fault("grants", "a claim needs grants, and grants need a claim"))
    if body.creates and not body.grants:
        faults.append(Fault("creates", "people are added only where a claim gives them a role"))
    for place, grant in enumerate(body.grants):
        at = f"grants.{place}"
        if grant.role not in GRANTED:
            faults.append(Fault(f"{at}.role", "is no role that a provider may give"))
        if (grant.role == "EMPLOYER") != bool(grant.clients):
            faults.append(Fault(f"{at}.clients", "an EMPLOYER, and nobody else, has clients"))
        if (grant.role == "PUBLISHER") != bool(grant.family):
            faults.append(Fault(f"{at}.family", "a PUBLISHER, and nobody else, has a family"))
    return faults


def _tell(
    tx: Tx, now: Instant, agency: Agency, before: ProviderBody | None, after: ProviderBody | None
) -> None:
    def state(body: ProviderBody | None) -> dict[str, Any]:
        return {} if body is None else fields_of(body, whole=True)

    changes.tell(tx, now, _entity(agency), state(before), state(after))


def _entity(agency: Agency) -> TrailEntity:
    return TrailEntity("SIGN_IN_PROVIDER", agency.id, agency.no)
