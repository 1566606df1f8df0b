"""Who can sign in to an agency as things stand, so that it always keeps an owner who can."""

from handbill.core.oidc import ProviderBody
from handbill.core.persons import Person
from handbill.people import provider_rows, rows
from handbill.store.records import Tx


def hold_owners(tx: Tx, agency_no: int, *also: int) -> list[Person]:
    """The agency's owners as they are now, locked, so that of two changes that each would leave
    the other's owner the second one sees what the first one did. ``also``: people who are locked
    with them, by number, owners or not.
    """
    for no in sorted({*also, *(one.no for one in _owners(tx, agency_no))}):
        rows.lock(tx, no)
    return _owners(tx, agency_no)


def able(tx: Tx, agency_no: int, some: list[Person]) -> frozenset[int]:
    """The numbers of those people of an agency who can sign in: by password, or by its provider."""
    provider = provider_rows.provider(tx, agency_no)
    return able_with(tx, agency_no, some, None if provider is None else provider.body)


def able_with(
    tx: Tx, agency_no: int, some: list[Person], body: ProviderBody | None
) -> frozenset[int]:
    """The same if this were the provider. It knows whoever has signed in by that issuer before; an
    owner it lets in only where its claim makes somebody an owner. Who is invited cannot sign in
    yet.
    """
    known: frozenset[int] = frozenset()
    if body is not None:
        known = provider_rows.identified(tx, agency_no, body.issuer)
    keeps_owners = body is None or not body.claim or _gives(body, "OWNER")
    by_password = body is None or not body.only
    return frozenset(
        one.no
        for one in some
        if (by_password and one.password is not None)
        or (one.no in known and (keeps_owners or one.role != "OWNER"))
    )


def _gives(body: ProviderBody, role: str) -> bool:
    return any(one.role == role for one in body.grants)


def _owners(tx: Tx, agency_no: int) -> list[Person]:
    return [one for one in rows.people_of(tx, agency_no) if one.role == "OWNER"]
