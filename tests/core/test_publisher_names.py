"""Publishers that a feed names for a job."""

import pytest

from handbill.core.feed_values import FieldFault
from handbill.core.publisher_names import allowed_in


@pytest.mark.parametrize(
    ("said", "allowed", "lacking"),
    [
        ("Indeed, Talent", ("Indeed", "Talent"), ""),
        (" Some Board.com ; Indeed ", ("Some_Board_com", "Indeed"), ""),
        ("Indeed|Nobody,None.such", ("Indeed", "Nobody", "None_such"), "Nobody, None_such"),
        (" ", None, ""),
    ],
)
def test_publishers_are_named_by_id_or_name(
    said: str, allowed: tuple[str, ...] | None, lacking: str
) -> None:
    faults: list[FieldFault] = []
    found = allowed_in(said, {"Indeed", "Talent", "Some_Board_com"}, faults)
    assert found.publishers == allowed
    message = f"is not a publisher of the agency: {lacking}"
    told = [FieldFault("publishers", "unknown_publisher", message)] if lacking else []
    assert faults == told


def test_nothing_is_told_where_nobody_knows_which_there_are() -> None:
    faults: list[FieldFault] = []
    assert allowed_in("Nobody", None, faults).publishers == ("Nobody",)
    assert faults == []
