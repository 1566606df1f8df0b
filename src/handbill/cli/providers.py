"""``oidc set``, ``oidc show``, ``oidc remove``: an agency's own sign-in provider."""

from typing import Annotated

import typer

from handbill.cli.speaking import (
    DataOption,
    JsonOption,
    body_in,
    read_body,
    say,
    told_of,
)
from handbill.cli.standing import agency_named, missing_told, opened_standing, writing

oidc = typer.Typer(no_args_is_help=True, help="Sign-in by an agency's OpenID Connect provider.")

AgencyOption = Annotated[str, typer.Option("--agency", metavar="A", help="The agency's id.")]


@oidc.command("set")
def set_provider(
    agency_id: AgencyOption,
    json_body: Annotated[
        str,
        typer.Option(
            "--json-body",
            metavar="FILE",
            help="The body of PUT /agencies/A/sign-in-provider as JSON; - reads standard input.",
        ),
    ],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Set an agency's sign-in provider; a former secret stays where none is given.

    The body may be a file that only you can read: it holds the client secret.
    """
    from handbill.contract.people.provider_models import ProviderSaid
    from handbill.contract.people.providers import check_grant, return_address
    from handbill.people import providers

    new = read_body(ProviderSaid, body_in(json_body), "The sign-in provider was not set")
    given = new.given()
    secret = given.pop("secret", None)
    body = ProviderSaid.makes(**given)
    with writing(data) as (tx, stores):
        agency = agency_named(tx, agency_id)
        for grant in body.grants:
            with missing_told(f"a client or family for {grant.value!r} is not the agency's"):
                check_grant(tx, agency.no, grant)
        with told_of(new):
            providers.put(tx, stores.clock.now(), stores.settings, agency, body, secret)
        address = return_address(stores.settings.public_api, agency_id)
    say({"agencyId": agency_id, "issuer": body.issuer, "returnAddress": address}, as_json=json)


@oidc.command("show")
def show_provider(
    agency_id: AgencyOption, data: DataOption = None, json: JsonOption = False
) -> None:
    """Print an agency's sign-in provider, without its secret."""
    from handbill.contract.people.provider_models import shown_provider
    from handbill.contract.people.providers import return_address, start_address
    from handbill.people import providers
    from handbill.wire.models import spelled

    with opened_standing(data) as stores, stores.records.read() as tx:
        agency, address = agency_named(tx, agency_id), stores.settings.public_api
        with missing_told(_NONE):
            provider = providers.provider_of(tx, agency.no)
        ways = return_address(address, agency_id), start_address(address, agency_id)
    say(spelled(shown_provider(provider, *ways)), as_json=json)


@oidc.command("remove")
def remove_provider(
    agency_id: AgencyOption, data: DataOption = None, json: JsonOption = False
) -> None:
    """Let an agency's people sign in by password alone: the way back in if its provider fails."""
    from handbill.people import providers

    with writing(data) as (tx, stores), missing_told(_NONE):
        agency = agency_named(tx, agency_id)
        providers.remove(tx, stores.clock.now(), agency, by_operator=True)
    say({"removed": agency_id}, as_json=json)


_NONE = "the agency has no sign-in provider; set one: handbill oidc set"
