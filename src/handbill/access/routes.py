"""Operation 1, the public signing keys, and the additions by which an agency minds itself: its
name, its keys, its API clients.
"""

from typing import Any

from handbill.access import service, tokens
from handbill.access.keys import SIGNING, secret
from handbill.access.rows import Agency, ApiClient, Key
from handbill.http.kinds import Ask, Change, Look, Public
from handbill.http.operations import PAGED, Call, Operation, done, page_schema, result_schema
from handbill.http.paging import skip_and_limit, with_links
from handbill.kit.faults import Refused, not_found
from handbill.kit.instants import HOUR, iso_of
from handbill.wire.shapes import Field, Integer, Object, Schema, Text
from handbill.wire.spelling import TEXT, described, nullable

_TAG = "Access"
MOST_OVERLAP_HOURS = 30 * 24


def _owner(call: Call) -> service.Owner:
    return call.caller.role, call.caller.owner_no


def _agency(call: Call) -> Agency:
    """The caller's own. **Refuses** any other id alike (404)."""
    if call.path["agency_id"] != call.caller.owner_id:
        raise not_found()
    return service.agency_of(call.tx, call.caller.owner_id)


def spell_agency(agency: Agency) -> dict[str, Any]:
    """An agency as it is answered."""
    return {
        "id": agency.id, "name": agency.name, "currency": agency.currency,
        "createdOn": iso_of(agency.created_at),
    }  # fmt: skip


def _get_agency(call: Call) -> dict[str, Any]:
    return spell_agency(_agency(call))


def _update_agency(call: Call) -> dict[str, Any]:
    service.update_agency(call.tx, call.now, _agency(call), call.body)
    return done("Agency updated")


def _token(call: Call) -> dict[str, Any]:
    api_client = service.live_api_client(call.tx, _owner(call), call.body["client_id"])
    if api_client is None:
        raise Refused(403, "Forbidden", gate="api_client")
    seconds = call.settings.token_seconds
    pem = list(secret(call.tx, SIGNING).values())[-1]
    issuer = call.settings.public_api
    token = tokens.issue(pem, call.ids, call.now, api_client, issuer, seconds)
    return {"access_token": token, "expires_in": seconds, "token_type": "Bearer"}


def _jwks(call: Call) -> dict[str, Any]:
    return tokens.key_set(list(secret(call.tx, SIGNING).values()))


def spell_key(key: Key) -> dict[str, Any]:
    """A key as it is answered: all but its secret."""
    return {
        "prefix": key.prefix,
        "createdOn": iso_of(key.created_at),
        "expiresOn": iso_of(key.expires_at) if key.expires_at is not None else None,
        "revokedOn": iso_of(key.revoked_at) if key.revoked_at is not None else None,
    }


def _list_keys(call: Call) -> Any:
    every = service.keys_of(call.tx, _owner(call))
    skip, limit = skip_and_limit(call)
    page = [spell_key(key) for key in every[skip : skip + limit]]
    return with_links(call, {"data": page}, len(every))


def _add_key(call: Call) -> dict[str, Any]:
    return done("API key created", service.add_key(call.tx, call.ids, call.now, _owner(call)))


def _rotate_key(call: Call) -> dict[str, Any]:
    hours = call.body.get("overlapHours")
    overlap = service.DEFAULT_OVERLAP if hours is None else hours * HOUR
    prefix = call.path["prefix"]
    new = service.rotate_key(call.tx, call.ids, call.now, _owner(call), prefix, overlap)
    return done("API key rotated", new)


def _revoke_key(call: Call) -> dict[str, Any]:
    service.revoke_key(call.tx, call.now, _owner(call), call.path["prefix"])
    return done("API key revoked")


def spell_api_client(api_client: ApiClient) -> dict[str, Any]:
    """An API client as it is answered."""
    revoked = api_client.revoked_at
    return {
        "client_id": api_client.id,
        "scope": api_client.scope,
        "createdOn": iso_of(api_client.created_at),
        "revokedOn": iso_of(revoked) if revoked is not None else None,
    }


def _list_api_clients(call: Call) -> Any:
    every = service.api_clients_of(call.tx, _owner(call))
    skip, limit = skip_and_limit(call)
    page = [spell_api_client(found) for found in every[skip : skip + limit]]
    return with_links(call, {"data": page}, len(every))


def _add_api_client(call: Call) -> dict[str, Any]:
    scope = call.body.get("scope")
    allowed = service.NEEDS if scope is None else service.allowed_by(scope)
    new = service.add_api_client(call.tx, call.ids, call.now, _owner(call), allowed)
    return done("API client created", new)


def _revoke_api_client(call: Call) -> dict[str, Any]:
    service.revoke_api_client(call.tx, call.now, _owner(call), call.path["api_client_id"])
    return done("API client revoked")


_ONE_SCOPE = rf"{service.SCOPES['agency']}/(read|write)"
_SCOPE = Text(
    1, 100, pattern=f"{_ONE_SCOPE}( {_ONE_SCOPE})?",
    says="must be handbill/read, handbill/write, or both with a blank between",
)  # fmt: skip
AGENCY_UPDATE = Object(
    {
        "name": Field(Text(1, 200), "Its name, 1 to 200 characters; it cannot be cleared."),
        "currency": Field(
            Text(3, 3), "Only as it stands: every amount is in it, so it cannot be changed."
        ),
    }
)
_AGENCY_SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "id": described(TEXT, "The agency's id."),
        "name": described(TEXT, "Its name."),
        "currency": described(TEXT, "What its amounts are in, an ISO 4217 code."),
        "createdOn": described(TEXT, "When it was made; ISO 8601, UTC."),
    },
    "required": ["id", "name", "currency", "createdOn"],
}
_AGENCY_SAMPLE = {
    "id": "acme", "name": "Acme Ads", "currency": "USD", "createdOn": "2026-11-18T12:00:00.000Z",
}  # fmt: skip
_KEY_SAMPLE = {
    "prefix": "k3v9x2m7q1zt", "createdOn": "2026-11-18T12:00:00.000Z", "expiresOn": None,
    "revokedOn": None,
}  # fmt: skip
_NEW_KEY_SAMPLE = "hb_k3v9x2m7q1zt_......."
_API_CLIENT_SAMPLE = {
    "client_id": "l81n0sqr0la15s23g78h8aqaf", "scope": "handbill/read",
    "createdOn": "2026-11-18T12:00:00.000Z", "revokedOn": None,
}  # fmt: skip
_API_KEY = described(TEXT, "The new key's whole text. It is shown this once and kept nowhere.")
_KEY_SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "prefix": described(TEXT, "The public part of the key, by which it is named here."),
        "createdOn": described(TEXT, "When it was made; ISO 8601, UTC."),
        "expiresOn": described(nullable(TEXT), "When a rotation ends it; null: never."),
        "revokedOn": described(nullable(TEXT), "When it was revoked; null: it was not."),
    },
    "required": ["prefix", "createdOn", "expiresOn", "revokedOn"],
}
_API_CLIENT_SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "client_id": described(TEXT, "What POST /token takes: 25 lowercase letters and digits."),
        "scope": described(TEXT, "The scopes of its tokens, divided by blanks."),
        "createdOn": described(TEXT, "When it was made; ISO 8601, UTC."),
        "revokedOn": described(nullable(TEXT), "When it was revoked; null: it was not."),
    },
    "required": ["client_id", "scope", "createdOn", "revokedOn"],
}
_TOKEN_SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "access_token": described(TEXT, "The token to send as x-authorization-key: a JWT, RS256."),
        "expires_in": {
            "type": "integer", "description": "Seconds for which the token is good; a day.",
        },
        "token_type": {"const": "Bearer", "description": "Always Bearer."},
    },
    "required": ["access_token", "expires_in", "token_type"],
}  # fmt: skip
_JWKS_SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "keys": {
            "type": "array",
            "description": "The public keys (RFC 7517); a token's header names its own by kid.",
            "items": {"type": "object"},
        }
    },
    "required": ["keys"],
}
_JWKS_SAMPLE = {
    "keys": [
        {
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "fOD15mYWa", "e": "AQAB",
            "n": "u1SU1LfVLPHCozMxH2Mo.......",
        }
    ]
}  # fmt: skip

OPERATIONS = [
    Operation(
        name="create_token",
        number=1,
        verb="POST",
        path="/token",
        title="Generate access token.",
        about="Gives an API client an access token, to be sent as x-authorization-key beside "
        "x-api-key. A token is good for one day, and only beside a key of the same owner. A "
        "revoked API client's tokens are dead at once.",
        tag=_TAG,
        role="key",
        kind=Ask(),
        work=_token,
        body=Object(
            {
                "client_id": Field(
                    Text(most=200),
                    "The id of the API client. It is not the id of a client (employer).",
                    required=True,
                )
            }
        ),
        answer=_TOKEN_SCHEMA,
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
        tag=_TAG,
        kind=Public(),
        work=_jwks,
        answer=_JWKS_SCHEMA,
        sample_answer=_JWKS_SAMPLE,
    ),
    Operation(
        name="get_agency",
        verb="GET",
        path="/agencies/{agency_id}",
        title="Get the agency.",
        about="The caller's own agency. Agencies are made by the operator, with `handbill agency "
        "create`; any other's id is 404.",
        tag=_TAG,
        work=_get_agency,
        answer=_AGENCY_SCHEMA,
        sample_answer=_AGENCY_SAMPLE,
    ),
    Operation(
        name="update_agency",
        verb="PUT",
        path="/agencies/{agency_id}",
        title="Update the agency.",
        about="Gives the caller's own agency another name. Its id and currency stay.",
        tag=_TAG,
        work=_update_agency,
        body=AGENCY_UPDATE,
        answer=result_schema(),
        sample={"name": "Acme Ads"},
        sample_answer=done("Agency updated"),
    ),
    Operation(
        name="list_api_keys",
        verb="GET",
        path="/api-keys",
        title="Get all API keys.",
        about="The agency's own API keys, revoked ones too, oldest first, without their secrets.",
        tag=_TAG,
        work=_list_keys,
        query=PAGED,
        answer=page_schema(_KEY_SCHEMA),
        sample_answer={"data": [_KEY_SAMPLE]},
    ),
    Operation(
        name="create_api_key",
        verb="POST",
        path="/api-keys",
        title="Create an API key.",
        about="Makes one more API key of the agency and answers its text, this once. At most 50 "
        "keys live at a time.",
        tag=_TAG,
        work=_add_key,
        kind=Change(shows_once=True),
        answer=result_schema(_API_KEY),
        sample_answer=done("API key created", _NEW_KEY_SAMPLE),
    ),
    Operation(
        name="rotate_api_key",
        verb="POST",
        path="/api-keys/{prefix}/rotate",
        title="Rotate an API key.",
        about="Makes a new key in place of this one, which goes on working for the overlap, so "
        "that every machine can be changed over in peace.",
        tag=_TAG,
        work=_rotate_key,
        body=Object(
            {
                "overlapHours": Field(
                    Integer(0, MOST_OVERLAP_HOURS),
                    "Hours for which the former key goes on working, 0 to 720; 24 if absent.",
                )
            }
        ),
        must_have_body=False,
        kind=Change(shows_once=True),
        answer=result_schema(_API_KEY),
        sample={"overlapHours": 24},
        sample_answer=done("API key rotated", _NEW_KEY_SAMPLE),
    ),
    Operation(
        name="revoke_api_key",
        verb="DELETE",
        path="/api-keys/{prefix}",
        title="Revoke an API key.",
        about="Kills the key at once, in every process. A key may revoke itself.",
        tag=_TAG,
        work=_revoke_key,
        answer=result_schema(),
        sample_answer=done("API key revoked"),
    ),
    Operation(
        name="list_api_clients",
        verb="GET",
        path="/api-clients",
        title="Get all API clients.",
        about="The agency's API clients (what POST /token names), revoked ones too, oldest first. "
        "It needs a token that may write, for each of these ids fetches a token of its scope.",
        tag=_TAG,
        work=_list_api_clients,
        kind=Look(needs="write"),
        query=PAGED,
        answer=page_schema(_API_CLIENT_SCHEMA),
        sample_answer={"data": [_API_CLIENT_SAMPLE]},
    ),
    Operation(
        name="create_api_client",
        verb="POST",
        path="/api-clients",
        title="Create an API client.",
        about="Makes one more API client of the agency, whose tokens allow what its scope says, "
        "for ever. At most 50 live at a time.",
        tag=_TAG,
        work=_add_api_client,
        body=Object(
            {
                "scope": Field(
                    _SCOPE,
                    "handbill/read, handbill/write, or both with a blank between; both if absent.",
                )
            }
        ),
        must_have_body=False,
        answer=result_schema(described(TEXT, "The new API client's id.")),
        sample={"scope": "handbill/read"},
        sample_answer=done("API client created", "l81n0sqr0la15s23g78h8aqaf"),
    ),
    Operation(
        name="revoke_api_client",
        verb="DELETE",
        path="/api-clients/{api_client_id}",
        title="Revoke an API client.",
        about="Kills the API client and every token of it at once, in every process.",
        tag=_TAG,
        work=_revoke_api_client,
        answer=result_schema(),
        sample_answer=done("API client revoked"),
    ),
]
