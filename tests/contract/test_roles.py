"""Every operation, as each role of people asks it; and what a person's session may name."""

import re

import pytest

from contract.asgi import call
from contract.office import Office
from contract.signed_in import asked, person, session
from contract.test_matrices import OURS, _body, _needs
from contract.world import World, build, fingerprint, unknown_id
from handbill.access import families
from handbill.access import service as access
from handbill.api import operations
from handbill.core.persons import ROLES, PersonRole
from handbill.http.operations import Operation

OPERATIONS = operations()
SLOT = re.compile(r"{(\w+)}")
OF_OWNERS = {
    "update_agency",
    "list_api_keys",
    "create_api_key",
    "rotate_api_key",
    "revoke_api_key",
    "list_api_clients",
    "create_api_client",
    "revoke_api_client",
    "create_publisher_family",
    "get_callback_secret",
    "list_people",
    "invite_person",
    "get_person",
    "update_person",
    "remove_person",
    "invite_person_again",
    "sign_person_out",
    "reset_second_factor",
    "get_sign_in_provider",
    "set_sign_in_provider",
    "remove_sign_in_provider",
}
"""Said again here, so that a new row that is let through by mistake is found."""
OF_EMPLOYERS = {"get_overview", "get_timeseries", "list_job_figures", "list_needs"}
OF_OPERATORS = {"get_health"}
FORBIDDEN = (403, "Forbidden")


def _may(role: PersonRole, operation: Operation) -> bool:
    if operation.role == "person":
        return role == "OPERATOR" or operation.name not in OF_OPERATORS
    if operation.role in {"key", "public"}:
        return operation.role == "public"
    if operation.role == "partner" or role == "PUBLISHER":
        return operation.role == "partner" and role == "PUBLISHER"
    if role == "EMPLOYER":
        return operation.name in OF_EMPLOYERS
    if operation.name in OF_OWNERS:
        return role in {"OWNER", "OPERATOR"}
    return _needs(operation) == "read" or role != "ANALYST"


def _status(world: World, operation: Operation, headers: dict[str, str], url: str) -> int:
    every = headers | world.headers(operation)
    raw = _body(operation)
    return call(world.office.app, operation.verb, url, headers=every, raw=raw).status


@pytest.fixture
def own(sqlite_world: World) -> World:
    sqlite_world.ids |= {"publisherFamilyId": "0" * 24, "reportId": "x"}
    return sqlite_world


def _family_no(office: Office) -> int:
    with office.desk.records.write() as tx:
        agency_no = access.agency_of(tx, office.agency_id).no
        return families.page_of_families(tx, agency_no, 0, 1)[0][0].no


def session_of(world: World, role: PersonRole) -> dict[str, str]:
    office = world.office
    clients = [world.ids["client_id"]] if role == "EMPLOYER" else []
    family = _family_no(office) if role == "PUBLISHER" else None
    return session(office, person(office, role, *clients, family_no=family))


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_its_table_says_and_no_more(own: World, role: PersonRole) -> None:
    """What is refused comes first, on a world that it must leave as it is."""
    headers = session_of(own, role)
    before = fingerprint(own.office.desk.records)
    wrong = []
    refused = [row for row in OPERATIONS if row.role != "public" and not _may(role, row)]
    for row in refused:
        status = _status(own, row, headers, own.url(row))
        if status != 403:
            wrong.append(f"{row.name} is not refused: {status}")
    assert fingerprint(own.office.desk.records) == before
    for row in OPERATIONS:
        if _may(role, row) and row.role != "public" and row.verb != "DELETE":
            status = _status(own, row, headers, own.url(row))
            if status in {401, 403} or status >= 500:
                wrong.append(f"{row.name} is refused: {status}")
    assert not wrong, "\n".join(wrong)
    assert len(refused) > (0 if role in {"OWNER", "OPERATOR"} else 10)


@pytest.mark.parametrize("role", ["OWNER", "ANALYST"])
def test_a_session_names_nothing_of_another_agency(own: World, role: PersonRole) -> None:
    foreign = build(own.office.another())
    headers = session_of(own, role)
    before = fingerprint(own.office.desk.records)
    wrong = []
    for row in OURS:
        for slot in SLOT.findall(row.path) if _may(role, row) else ():
            for stranger in (unknown_id(slot), foreign.ids[slot]):
                status = _status(own, row, headers, own.url(row, **{slot: stranger}))
                if status != 404:
                    wrong.append(f"{row.name} {slot}: {status}")
    assert not wrong, "\n".join(wrong)
    assert fingerprint(own.office.desk.records) == before
    assert asked(own.office, headers, "GET", foreign.client).status == 404
