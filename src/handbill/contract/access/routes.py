"""Operation 1, the public signing keys, and how an agency minds itself and its credentials."""

from handbill.access import service, tokens
from handbill.access.keys import SIGNING, secret
from handbill.access.service import Owner
from handbill.contract.access.models import (
    Agency,
    AgencyChange,
    ApiClient,
    ApiClientPage,
    ApiKey,
    ApiKeyPage,
    KeyMade,
    KeyRotation,
    KeySet,
    NewApiClient,
    Token,
    TokenRequest,
)
from handbill.contract.envelopes import Done, Made, done
from handbill.http.kinds import Ask, Change, Look, Public
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.kit.faults import Refused, not_found
from handbill.kit.instants import HOUR


def _owner(call: Call) -> Owner:
    return Owner(call.caller.role, call.caller.owner_no)


def _agency(call: Call) -> service.Agency:
    """The caller's own. **Refuses** any other id alike (404)."""
    if call.path["agency_id"] != call.caller.owner_id:
        raise not_found()
    return service.agency_of(call.tx, call.caller.owner_id)


def _get_agency(call: Call) -> Agency:
    return Agency.of(_agency(call))


def _update_agency(call: Call) -> Done:
    service.update_agency(call.tx, call.now, _agency(call), call.body.given())
    return done("Agency updated")


def _token(call: Call) -> Token:
    api_client = service.live_api_client(call.tx, _owner(call), call.body.api_client_id)
    if api_client is None:
        raise Refused(403, "Forbidden", gate="api_client")
    seconds = call.settings.token_seconds
    pem = list(secret(call.tx, SIGNING).values())[-1]
    issuer = call.settings.public_api
    token = tokens.issue(pem, call.ids, call.now, api_client, issuer, seconds)
    return Token.of(access_token=token, expires_in=seconds, kind="Bearer")


def _jwks(call: Call) -> KeySet:
    return KeySet.of(keys=tokens.public_keys(list(secret(call.tx, SIGNING).values())))


def _list_keys(call: Call) -> Answer:
    every = service.keys_of(call.tx, _owner(call))
    skip, limit = skip_and_limit(call)
    page = list(map(ApiKey.of, every[skip : skip + limit]))
    return with_links(call, ApiKeyPage.of(rows=page), len(every))


def _add_key(call: Call) -> KeyMade:
    new = service.add_key(call.tx, call.ids, call.now, _owner(call))
    return KeyMade.of(result=new, message="API key created")


def _rotate_key(call: Call) -> KeyMade:
    prefix, overlap = call.path["prefix"], call.body.overlap_hours * HOUR
    new = service.rotate_key(call.tx, call.ids, call.now, _owner(call), prefix, overlap)
    return KeyMade.of(result=new, message="API key rotated")


def _revoke_key(call: Call) -> Done:
    service.revoke_key(call.tx, call.now, _owner(call), call.path["prefix"])
    return done("API key revoked")


def _list_api_clients(call: Call) -> Answer:
    every = service.api_clients_of(call.tx, _owner(call))
    skip, limit = skip_and_limit(call)
    page = list(map(ApiClient.of, every[skip : skip + limit]))
    return with_links(call, ApiClientPage.of(rows=page), len(every))


def _add_api_client(call: Call) -> Made:
    new = service.add_api_client(call.tx, call.ids, call.now, _owner(call), call.body.allowed)
    return Made.of(result=new, message="API client created")


def _revoke_api_client(call: Call) -> Done:
    service.revoke_api_client(call.tx, call.now, _owner(call), call.path["api_client_id"])
    return done("API client revoked")


_AGENCY_SAMPLE = {
    "id": "acme",
    "name": "Acme Ads",
    "currency": "USD",
    "createdOn": "2026-11-18T12:00:00.000Z",
}
_KEY_SAMPLE = {
    "prefix": "k3v9x2m7q1zt",
    "createdOn": "2026-11-18T12:00:00.000Z",
    "expiresOn": None,
    "revokedOn": None,
}
_NEW_KEY_SAMPLE = "hb_k3v9x2m7q1zt_......."
_API_CLIENT_SAMPLE = {
    "client_id": "l81n0sqr0la15s23g78h8aqaf",
    "scope": "handbill/read",
    "createdOn": "2026-11-18T12:00:00.000Z",
    "revokedOn": None,
}
_JWKS_SAMPLE = {
    "keys": [
        {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": "fOD15mYWa",
            "e": "AQAB",
            "n": "u1SU1LfVLPHCozMxH2Mo.......",
        }
    ]
}


OPERATIONS = [
    Operation(
        name="create_token",
        number=1,
        verb="POST",
        path="/token",
        title="Generate access token.",
        about="Returns an access token for an API client, to be sent as x-authorization-key "
        "together with x-api-key. A token is valid for one day, and only with a key of the "
        "same owner. Revoking an API client ends its tokens at once.",
        role="key",
        kind=Ask(),
        work=_token,
        body=TokenRequest,
        answer=Token,
        sample={"client_id": "l81n0sqr0la15s23g78h8aqaf"},
        sample_answer={
            "access_token": "eyJraWQiOiJmT0QxNW1ZXWF.......lWxSXQs6YkdTv81ak6i3tCtWmW0Nfw",
            "expires_in": 86400,
            "token_type": "Bearer",
        },
    ),
    Operation(
        name="get_signing_keys",
        verb="GET",
        path="/.well-known/jwks.json",
        title="Get the public signing keys.",
        about="The public halves of the keys that sign access tokens, as a JWKS document.",
        kind=Public(),
        work=_jwks,
        answer=KeySet,
        sample_answer=_JWKS_SAMPLE,
    ),
    Operation(
        name="get_agency",
        verb="GET",
        path="/agencies/{agency_id}",
        title="Get the agency.",
        about="The caller's own agency. The operator creates agencies with `handbill agency "
        "create`. Other ids are answered with 404.",
        work=_get_agency,
        answer=Agency,
        sample_answer=_AGENCY_SAMPLE,
    ),
    Operation(
        name="update_agency",
        open_to="owner",
        verb="PUT",
        path="/agencies/{agency_id}",
        title="Update the agency.",
        about="Renames the caller's own agency. Its id and currency cannot change.",
        work=_update_agency,
        body=AgencyChange,
        answer=Done,
        sample={"name": "Acme Ads"},
        sample_answer={"result": True, "message": "Agency updated"},
    ),
    Operation(
        name="list_api_keys",
        open_to="owner",
        verb="GET",
        path="/api-keys",
        title="Get all API keys.",
        about="The agency's API keys, including revoked ones, oldest first, without their secrets.",
        work=_list_keys,
        query=PAGED,
        answer=ApiKeyPage,
        sample_answer={"data": [_KEY_SAMPLE]},
    ),
    Operation(
        name="create_api_key",
        open_to="owner",
        verb="POST",
        path="/api-keys",
        title="Create an API key.",
        about="Creates a further API key of the agency and returns its text, only this once. At "
        "most 50 keys may be valid at a time.",
        work=_add_key,
        kind=Change(shows_once=True),
        answer=KeyMade,
        sample_answer={"result": _NEW_KEY_SAMPLE, "message": "API key created"},
    ),
    Operation(
        name="rotate_api_key",
        open_to="owner",
        verb="POST",
        path="/api-keys/{prefix}/rotate",
        title="Rotate an API key.",
        about="Creates a new key that replaces this one. The former key remains valid for the "
        "overlap, so that all systems can be switched over.",
        work=_rotate_key,
        body=KeyRotation,
        must_have_body=False,
        kind=Change(shows_once=True),
        answer=KeyMade,
        sample={"overlapHours": 24},
        sample_answer={"result": _NEW_KEY_SAMPLE, "message": "API key rotated"},
    ),
    Operation(
        name="revoke_api_key",
        open_to="owner",
        verb="DELETE",
        path="/api-keys/{prefix}",
        title="Revoke an API key.",
        about="Revokes the key at once, in all processes. A key may revoke itself.",
        work=_revoke_key,
        answer=Done,
        sample_answer={"result": True, "message": "API key revoked"},
    ),
    Operation(
        name="list_api_clients",
        open_to="owner",
        verb="GET",
        path="/api-clients",
        title="Get all API clients.",
        about="The agency's API clients (client_id of POST /token), including revoked ones, "
        "oldest first. Requires a token with write scope, because each id can be used to "
        "get a token of its scope.",
        work=_list_api_clients,
        kind=Look(needs="write"),
        query=PAGED,
        answer=ApiClientPage,
        sample_answer={"data": [_API_CLIENT_SAMPLE]},
    ),
    Operation(
        name="create_api_client",
        open_to="owner",
        verb="POST",
        path="/api-clients",
        title="Create an API client.",
        about="Creates a further API client of the agency. Its tokens allow what its scope says, "
        "which cannot be changed. At most 50 may exist at a time.",
        work=_add_api_client,
        body=NewApiClient,
        must_have_body=False,
        answer=Made,
        sample={"scope": "handbill/read"},
        sample_answer={"result": "l81n0sqr0la15s23g78h8aqaf", "message": "API client created"},
    ),
    Operation(
        name="revoke_api_client",
        open_to="owner",
        verb="DELETE",
        path="/api-clients/{api_client_id}",
        title="Revoke an API client.",
        about="Revokes the API client and all its tokens at once, in all processes.",
        work=_revoke_api_client,
        answer=Done,
        sample_answer={"result": True, "message": "API client revoked"},
    ),
]
