"""How pages write what the API answers."""

from typing import Any

import pytest

from handbill.pages.wording import raw, words


@pytest.mark.parametrize(
    ("code", "expected"),
    [("PARENT_CAPPED", "Parent capped"), ("over_cap", "Over cap"), ("A", "A")],
)
def test_a_code_in_words(code: str, expected: str) -> None:
    assert words(code) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        ("", "–"),
        (0, "0"),
        (False, "false"),
        ("plain", "plain"),
        (["utm_source"], '["utm_source"]'),
        ({"job": None}, '{"job":null}'),
    ],
)
def test_a_value_as_the_api_tells_it(value: Any, expected: str) -> None:
    assert raw(value) == expected
