"""``person``: people who sign in, added and invited by whoever runs the installation."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from handbill.cli.speaking import DataOption, JsonOption, Mistaken, say, say_rows
from handbill.cli.standing import (
    AgencyOption,
    FamilyOption,
    agency_named,
    client_named,
    family_named,
    opened_standing,
    writing,
)
from handbill.core.persons import MOST_PASSWORD, mail_of
from handbill.kit.instants import iso_of
from handbill.people import service
from handbill.people.service import New
from handbill.store.records import Tx

person = typer.Typer(no_args_is_help=True, help="People who sign in to the pages, with a role.")


class Role(StrEnum):
    """Roles, as the option spells them."""

    owner = "owner"
    trader = "trader"
    analyst = "analyst"
    employer = "employer"
    publisher = "publisher"
    operator = "operator"


MailArgument = Annotated[str, typer.Argument(metavar="MAIL", help="The person's mail address.")]
RoleOption = Annotated[
    Role, typer.Option(help="What the person may do; see docs/operations.md, People.")
]
ClientsOption = Annotated[
    list[str] | None,
    typer.Option("--client", metavar="C", help="A client that an employer may see; repeatable."),
]
NameOption = Annotated[str, typer.Option(help="The person's name.")]


@person.command("add")
def add_person(
    mail: MailArgument,
    role: RoleOption,
    name: NameOption = "",
    agency_id: AgencyOption = None,
    family_id: FamilyOption = None,
    client_ids: ClientsOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Add a person with a password, which is asked for, or read as one line from a pipe."""
    from handbill.people import passwords

    password = _password_given()
    service.check_password(password, mail_of(mail))
    with opened_standing(data) as stores:
        kept = passwords.hashed(stores.ids, password)  # before anybody waits for it
        with stores.records.write() as tx:
            now = stores.clock.now()
            new = _new(tx, mail, role, name, agency_id, family_id, client_ids)
            made = service.add(tx, stores.ids, now, new)
            service.set_password(tx, now, made, kept)
    say({"personId": made.id, "mail": made.mail, "role": made.role.lower()}, as_json=json)


def _password_given() -> str:
    if sys.stdin.isatty():
        asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return asked
    return sys.stdin.readline(4 * MOST_PASSWORD).rstrip("\r\n")


@person.command("invite")
def invite_person(
    mail: MailArgument,
    role: Annotated[
        Role | None, typer.Option(help="What a new person may do; absent: the person is known.")
    ] = None,
    name: NameOption = "",
    agency_id: AgencyOption = None,
    family_id: FamilyOption = None,
    client_ids: ClientsOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Print a link by which a person sets a password: good once, for 48 hours. It is mailed, too,
    if HANDBILL_SMTP_URL is set.

    The link begins with HANDBILL_API_URL, else with the host and port of the settings. Set it
    where ``serve`` was given another port by an option.

    Of a person who is known already, the role stays; the link sets a new password.
    """
    from handbill.people import invitations, letters

    with writing(data) as (tx, stores):
        now = stores.clock.now()
        who = _person_of(tx, mail, agency_id, family_id)
        if who is None:
            if role is None:
                raise Mistaken(f"there is no person {mail!r} there; name a role: --role R")
            new = _new(tx, mail, role, name, agency_id, family_id, client_ids)
            who = service.add(tx, stores.ids, now, new)
        secret = invitations.invite(tx, stores.ids, now, who)
        link = invitations.link_of(stores.settings.public_api, secret)
        letters.mail_link(tx, stores.ids, now, stores.settings, who, link)
        ends = iso_of(now + invitations.LINK_LASTS)
    say({"personId": who.id, "link": link, "expiresOn": ends}, as_json=json)


@person.command("list")
def list_people(data: DataOption = None, json: JsonOption = False) -> None:
    """List all people of the installation, the oldest first."""
    with writing(data) as (tx, _):
        rows = [
            {
                "personId": one.id,
                "mail": one.mail,
                "role": one.role.lower(),
                "of": service.place_of(tx, one) or "",
                "createdOn": iso_of(one.created_at),
            }
            for one in service.everyone(tx)
        ]
    say_rows(rows, ("personId", "mail", "role", "of", "createdOn"), as_json=json)


@person.command("remove")
def remove_person(
    mail: MailArgument,
    agency_id: AgencyOption = None,
    family_id: FamilyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Remove a person: sessions and links end at once."""
    with writing(data) as (tx, stores):
        who = _named(tx, mail, agency_id, family_id)
        service.remove(tx, stores.clock.now(), who)
    say({"removed": who.mail}, as_json=json)


@person.command("reset-second-factor")
def reset_second_factor(
    mail: MailArgument,
    agency_id: AgencyOption = None,
    family_id: FamilyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Let a person who has lost app and recovery codes sign in by password alone.

    All its sessions end.
    """
    from handbill.people import factors

    with writing(data) as (tx, stores):
        who = _named(tx, mail, agency_id, family_id)
        factors.reset(tx, stores.clock.now(), who)
    say({"reset": who.mail}, as_json=json)


@person.command("end-mails")
def end_mails(
    mail: MailArgument,
    agency_id: AgencyOption = None,
    family_id: FamilyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Mail a person no more reports, digests and alerts, until it chooses them again."""
    from handbill.core.mailings import MAILINGS
    from handbill.people import choices

    with writing(data) as (tx, stores):
        who = _named(tx, mail, agency_id, family_id)
        ended = sorted(choices.of(tx, who.no).mailings)
        choices.end(tx, stores.clock.now(), who, *MAILINGS)
    say({"mail": who.mail, "ended": [one.lower() for one in ended]}, as_json=json)


def _places(tx: Tx, agency_id: str | None, family_id: str | None) -> tuple[int | None, int | None]:
    """The numbers of the agency and family that were named. **Refuses** both (BadParameter)."""
    if agency_id is not None and family_id is not None:
        raise typer.BadParameter("name --agency A or --family F, not both")
    if family_id is not None:
        family = family_named(tx, family_id)
        return family.agency_no, family.no
    return (agency_named(tx, agency_id).no if agency_id is not None else None), None


def _person_of(
    tx: Tx, mail: str, agency_id: str | None, family_id: str | None
) -> service.Person | None:
    agency_no, family_no = _places(tx, agency_id, family_id)
    return service.person_with_mail(tx, mail, agency_no, family_no)


def _named(tx: Tx, mail: str, agency_id: str | None, family_id: str | None) -> service.Person:
    """**Refuses** an unknown one (Mistaken)."""
    person = _person_of(tx, mail, agency_id, family_id)
    if person is None:
        raise Mistaken(f"there is no person {mail!r} there; `handbill person list` names them")
    return person


def _new(
    tx: Tx,
    mail: str,
    role: Role,
    name: str,
    agency_id: str | None,
    family_id: str | None,
    client_ids: list[str] | None,
) -> New:
    """**Refuses** a role that does not fit where the person works (BadParameter)."""
    wanted = {Role.operator: (False, False), Role.publisher: (False, True)}.get(role, (True, False))
    if (agency_id is not None, family_id is not None) != wanted:
        where = {Role.operator: "neither --agency nor --family", Role.publisher: "--family F"}
        raise typer.BadParameter(f"a person who is {role} takes {where.get(role, '--agency A')}")
    agency_no, family_no = _places(tx, agency_id, family_id)
    if role == Role.employer and not client_ids:
        raise typer.BadParameter("name the clients that an employer may see: --client C")
    clients = [client_named(tx, one) for one in client_ids or ()]
    if foreign := [one.id for one in clients if one.agency_no != agency_no]:
        raise typer.BadParameter(f"client {foreign[0]!r} is another agency's")
    nos = [one.no for one in clients]
    return New(mail, service.role_of(role), agency_no, family_no, nos, name)
