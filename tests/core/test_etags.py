"""Headers that name versions."""

import pytest

from handbill.kit.etags import names


@pytest.mark.parametrize(
    ("header", "is_named"),
    [
        ('"a"', True),
        ('W/"a"', True),
        (' "b" , W/"a"', True),
        ("*", True),
        (" * ", True),
        ("", False),
        ('"b"', False),
        ("a", False),
        ('"ab"', False),
        ('"b", *', False),
    ],
)
def test_a_header_names_a_tag_weak_or_not(header: str, is_named: bool) -> None:
    assert names(header, '"a"') is names(header, 'W/"a"') is is_named
