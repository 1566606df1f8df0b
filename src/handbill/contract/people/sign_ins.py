"""Signing in by the agency's provider: additions to the contract (decision 0064)."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from handbill.access import families
from handbill.access import service as access
from handbill.clients import service as clients
from handbill.contract.people.models import SessionMade
from handbill.contract.people.provider_models import SignInBegin, SignInBegun, SignInFinish
from handbill.contract.people.providers import return_address
from handbill.contract.people.routes import too_often
from handbill.core.oidc import Provider, granted, said_by
from handbill.core.persons import IDLE_FOR
from handbill.core.trail import Occasion
from handbill.http.kinds import Enter
from handbill.http.operations import Call, Operation
from handbill.kit.faults import Refused, Unavailable
from handbill.kit.instants import SECOND
from handbill.people import identities, oidc, provider_rows, providers, sessions

_log = logging.getLogger("handbill.sign_ins")


class _Proved(NamedTuple):
    flow: oidc.SignInFlow
    provider: Provider
    claims: dict[str, Any]


@contextmanager
def _noted(call: Call, agency_id: str) -> Iterator[None]:
    """Why a sign-in fails stands in the log alone, without its token, code and person."""
    try:
        yield
    except (oidc.Failed, Unavailable) as failed:
        why = failed.why if isinstance(failed, oidc.Failed) else str(failed)
        facts = {"requestId": call.request_id, "agency": agency_id, "why": why}
        _log.warning("a sign-in by the provider failed", extra=facts)
        raise


@contextmanager
def _place_at(call: Call, provider: Provider) -> Iterator[None]:
    """**Refuses** (429) more than a few of an agency at a time: its provider may be slow."""
    places, name = call.desk.sign_ins.outward, str(provider.agency_no)
    if not places.take(name):
        raise too_often("sign-ins of this agency under way", SECOND)
    try:
        yield
    finally:
        places.leave(name)


def _world(call: Call) -> oidc.ProviderWorld:
    return oidc.ProviderWorld(call.desk.egress, call.desk.documents, call.settings)


def _begin_ahead(call: Call) -> Callable[[], SignInBegun]:
    agency = access.agency_of(call.tx, call.body.agency_id)
    provider = providers.provider_of(call.tx, agency.no)
    flow, text = oidc.begun(call.tx, call.ids, call.now, agency.id)
    back = return_address(call.settings.public_api, agency.id)

    def ask() -> SignInBegun:
        with _noted(call, agency.id), _place_at(call, provider):
            discovery = oidc.discovered(_world(call), call.now, provider)
        address = oidc.address_of(discovery, provider.body, flow, back)
        ends = call.now + oidc.LASTS
        return SignInBegun.of(
            result=address, message="Sign in at the provider", flow=text, expires_at=ends
        )

    return ask


def _begin(call: Call) -> SignInBegun:
    begun: SignInBegun = call.proved
    return begun


def _finish_ahead(call: Call) -> Callable[[], _Proved]:
    """**Refuses** (401) all that is wrong alike."""
    with _noted(call, ""):
        flow = oidc.opened(call.tx, call.now, call.body.flow)
    with _noted(call, flow.agency_id):
        agency = access.agency_of(call.tx, flow.agency_id)
        row = provider_rows.provider(call.tx, agency.no)
        client_secret = provider_rows.secret(call.tx, agency.no)
        if row is None or client_secret is None:
            raise oidc.Failed("the agency has no provider any more")
        provider, known = row, client_secret
        identities.check_first(call.tx, flow)
        oidc.check_answer(flow, provider.body, call.body)
    back = return_address(call.settings.public_api, agency.id)

    def ask() -> _Proved:
        with _noted(call, agency.id), _place_at(call, provider):
            claims = oidc.claims_of(_world(call), call.now, provider, known, flow, call.body, back)
        return _Proved(flow, provider, claims)

    return ask


def _place_of(
    call: Call, provider: Provider, claims: dict[str, Any]
) -> identities.ClaimedRole | None:
    """Where the claim puts the person; None: the agency's owners do. **Refuses** (Failed) a claim
    without a grant, and one whose clients or family are gone.
    """
    if not provider.body.claim:
        return None
    grant = granted(provider.body, claims)
    if grant is None:
        raise oidc.Failed("the claim gives no role")
    of_grant = [clients.find_client(call.tx, provider.agency_no, one) for one in grant.clients]
    nos = tuple(one.no for one in of_grant if one is not None)
    if grant.role == "EMPLOYER" and not nos:
        raise oidc.Failed("the role's clients are gone")
    if not grant.family:
        return identities.ClaimedRole(grant.role, nos)
    try:
        family = families.family_of(call.tx, provider.agency_no, grant.family)
    except Refused:
        raise oidc.Failed("the role's publisher family is gone") from None
    return identities.ClaimedRole(grant.role, nos, family.no)


def _finish(call: Call) -> SessionMade:
    flow, provider, claims = call.proved
    with _noted(call, flow.agency_id):
        call.tx.occasion = Occasion("PERSON", "", call.request_id, "finish_sign_in")
        identities.finish(call.tx, flow, provider)
        place, holder = _place_of(call, provider, claims), said_by(claims)
        person = identities.entered(call.tx, call.ids, call.now, provider, holder, place)
    secret = sessions.begin(call.tx, call.ids, call.now, person, None, lasts=IDLE_FOR)
    return SessionMade.of(result=secret, message="Signed in")


_SESSION_SAMPLE = "hbs_k3v9x2m7q1zt_......."
_FLOW_SAMPLE = "acme.1795003200000000.k3v9x2m7q1zt......."
OPERATIONS = [
    Operation(
        name="begin_sign_in",
        verb="POST",
        path="/sign-ins",
        title="Begin to sign in by the agency's provider.",
        about="Returns the address at the agency's OpenID Connect provider where the person signs "
        "in (authorization code with PKCE), and the flow that its browser keeps meanwhile. An "
        "unknown agency and one without a provider get the same 404. 503: the provider does not "
        "answer.",
        kind=Enter(outward=True),
        ahead=_begin_ahead,
        work=_begin,
        body=SignInBegin,
        body_names=True,
        answer=SignInBegun,
        sample={"agencyId": "acme"},
        sample_answer={
            "result": "https://login.acme.example/authorize?response_type=code&client_id=handbill",
            "message": "Sign in at the provider",
            "flow": _FLOW_SAMPLE,
            "expiresOn": "2026-11-18T12:10:00.000Z",
        },
    ),
    Operation(
        name="finish_sign_in",
        verb="POST",
        path="/sign-ins/finish",
        title="Finish signing in by the agency's provider.",
        about="Begins a session of at most 12 hours for the person whom the provider's ID token "
        "names, with the role of its claim. Whatever is wrong gets the same 401; the log says why. "
        "A second factor is the provider's business: no code is asked for.",
        kind=Enter(outward=True),
        ahead=_finish_ahead,
        work=_finish,
        body=SignInFinish,
        answer=SessionMade,
        sample={"flow": _FLOW_SAMPLE, "state": "uW3k.......", "code": "SplxlOBeZQQYbYS6WxSbIA"},
        sample_answer={"result": _SESSION_SAMPLE, "message": "Signed in"},
    ),
]
