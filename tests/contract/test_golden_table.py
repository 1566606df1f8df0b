"""The golden table: sixty operations, each held against the reference's sample. A row, a test."""

from typing import Any

import pytest

from contract import test_golden, test_golden_rooms, test_reports
from contract.asgi import Reply
from contract.golden import GOLDEN
from contract.golden_reports import GOLDEN as OF_REPORTS
from contract.golden_reports import OF_PARTNERS
from contract.office import OPERATIONS, Office
from contract.rooms_office import open_rooms

ROWS = {row.number: row for row in [*GOLDEN, *test_golden_rooms.GOLDEN, *OF_REPORTS, *OF_PARTNERS]}
TITLES = {row.number: row.title for row in OPERATIONS if row.number is not None}
CONTRACT = range(1, 61)


@pytest.fixture(scope="module")
def differing(module_office: Office) -> list[str]:
    """Every line that differs, of all four tables; each begins with the operation's number."""
    found = test_golden.played(module_office)
    found += test_golden_rooms.played(open_rooms(module_office.desk, "ripple"))
    client_id = module_office.client().rpartition("/")[2]
    partner = test_reports.partner_of(module_office)
    made = {"family": partner.family, "client": partner.client}

    def ask(verb: str, url: str, body: Any) -> Reply:
        return module_office.ask(verb, url, body, {"x-client-id": client_id})

    found += test_reports.played(OF_REPORTS, ask, {})
    return found + test_reports.played(OF_PARTNERS, partner.ask, made)


@pytest.mark.parametrize(
    "number", CONTRACT, ids=[f"{no:02} {TITLES.get(no, 'missing')}" for no in CONTRACT]
)
def test_operation(number: int, differing: list[str]) -> None:
    assert number in TITLES, "the table of operations lacks it"
    assert number in ROWS, "the golden tables lack it"
    assert [line for line in differing if line.startswith(f"{number} ")] == []


def test_no_line_is_of_no_operation(differing: list[str]) -> None:
    assert differing == []
    assert set(TITLES) == set(ROWS) == set(CONTRACT)
