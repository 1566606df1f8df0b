"""How an agency sets its sign-in provider: additions to the contract (decision 0064)."""

from typing import Final

from handbill.access import families
from handbill.access import service as access
from handbill.clients import service as clients
from handbill.contract.envelopes import Done, done
from handbill.contract.people import provider_models as models
from handbill.core.oidc import Grant
from handbill.http.operations import Call, Operation
from handbill.kit.faults import not_found
from handbill.people import providers
from handbill.store.records import Tx


def return_address(address: str, agency_id: str) -> str:
    """Where the provider sends people back to. ``address``: the API's, as the public sees it."""
    return f"{address}/app/signed-in/{agency_id}"


def start_address(address: str, agency_id: str) -> str:
    """The page where people of the agency begin to sign in."""
    return f"{address}/app/sign-in/with?agencyId={agency_id}"


def _agency(call: Call) -> access.Agency:
    """The caller's own. **Refuses** any other id alike (404)."""
    if call.path["agency_id"] != call.caller.owner_id:
        raise not_found()
    return access.agency_of(call.tx, call.caller.owner_id)


def _get(call: Call) -> models.ProviderShown:
    agency, address = _agency(call), call.settings.public_api
    provider = providers.provider_of(call.tx, agency.no)
    return models.shown_provider(
        provider, return_address(address, agency.id), start_address(address, agency.id)
    )


def check_grant(tx: Tx, agency_no: int, grant: Grant) -> None:
    """**Refuses** (404) clients and a publisher family that are not the agency's."""
    if grant.family:
        families.family_of(tx, agency_no, grant.family)
    for client_id in grant.clients:
        clients.client_of(tx, agency_no, client_id)


def _put(call: Call) -> Done:
    agency = _agency(call)
    given = call.body.given()
    secret = given.pop("secret", None)
    body = models.ProviderSaid.makes(**given)
    for grant in body.grants:
        check_grant(call.tx, agency.no, grant)
    providers.put(call.tx, call.now, call.settings, agency, body, secret)
    return done("Sign-in provider set")


def _remove(call: Call) -> Done:
    providers.remove(call.tx, call.now, _agency(call))
    return done("Sign-in provider removed")


_PATH: Final = "/agencies/{agency_id}/sign-in-provider"
_GRANTS: Final = [{"value": "ads-owners", "role": "OWNER"}, {"value": "ads", "role": "TRADER"}]
_SAMPLE: Final = {
    "issuer": "https://login.acme.example",
    "clientId": "handbill",
    "roleClaim": "groups",
    "grants": _GRANTS,
    "createsPeople": True,
    "mailDomains": ["acme.example"],
}
OPERATIONS = [
    Operation(
        name="get_sign_in_provider",
        verb="GET",
        path=_PATH,
        title="Get the sign-in provider.",
        about="The OpenID Connect provider by which the agency's people sign in, without its "
        "secret. 404: there is none.",
        open_to="owner",
        work=_get,
        answer=models.ProviderShown,
        sample_answer={
            **_SAMPLE,
            "scopes": "openid email profile",
            "grants": [{**one, "clients": [], "publisherFamilyId": ""} for one in _GRANTS],
            "onlyByProvider": False,
            "returnAddress": "https://api.example.com/app/signed-in/acme",
            "startAddress": "https://api.example.com/app/sign-in/with?agencyId=acme",
            "createdOn": "2026-11-18T12:00:00.000Z",
            "lastUpdated": "2026-11-18T12:00:00.000Z",
        },
    ),
    Operation(
        name="set_sign_in_provider",
        verb="PUT",
        path=_PATH,
        title="Set the sign-in provider.",
        about="Lets the agency's people sign in by its own OpenID Connect provider. The body "
        "replaces all former settings but the secret, which stays where none is given. People who "
        "are signed in stay so. The role that the claim gives is set at each sign-in; a claim "
        "without a grant lets nobody in. Refused (400) where an owner can sign in now, and none "
        "could afterwards.",
        open_to="owner",
        work=_put,
        body=models.ProviderSaid,
        body_names=True,
        answer=Done,
        sample={**_SAMPLE, "clientSecret": "...................."},
        sample_answer={"result": True, "message": "Sign-in provider set"},
    ),
    Operation(
        name="remove_sign_in_provider",
        verb="DELETE",
        path=_PATH,
        title="Remove the sign-in provider.",
        about="The agency's people sign in by password from now on; who has none needs a new "
        "invitation. People who are signed in stay so. Refused (400) where only by the provider an "
        "owner can sign in.",
        open_to="owner",
        work=_remove,
        answer=Done,
        sample_answer={"result": True, "message": "Sign-in provider removed"},
    ),
]
