from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.kit.jsons import NotJson, decode, encode

BAD = {
    "empty": b"",
    "blank": b"  \n",
    "not utf-8": b'{"a": "\xff"}',
    "nan": b'{"a": NaN}',
    "infinity": b"[-Infinity]",
    "out of range": b'{"value": 1e999}',
    "far too small": b'{"value": 1e-999}',
    "long fraction": b"0." + b"1" * 5_000,
    "lone surrogate": b'{"a": "\\ud800"}',
    "lone surrogate in a key": b'{"\\udfff": 1}',
    "nul": b'{"a": "\\u0000"}',
    "65 bits": b"36893488147419103232",
    "5000 digits": b"9" * 5_000,
    "deep array": b"[" * 33 + b"]" * 33,
    "very deep": b"[" * 100_000,
    "deep object": b'{"a":' * 33 + b"1" + b"}" * 33,
    "duplicate key": b'{"a": 1, "a": 1}',
    "duplicate key deep down": b'[{"b": {"a": 1, "a": 2}}]',
    "cut": b'{"a": ',
    "two values": b"{} {}",
    "single quotes": b"{'a': 1}",
    "comment": b"{} // no",
    "two byte order marks": b"\xef\xbb\xbf\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD.keys())
def test_refused(raw: bytes) -> None:
    with pytest.raises(NotJson):
        decode(raw)


def test_the_limits_themselves_are_accepted() -> None:
    assert decode(b"[" * 32 + b"]" * 32)
    assert decode(b"18446744073709551615") == 2**64 - 1
    assert decode(b"-9223372036854775808") == -(2**63)
    assert decode(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_a_byte_order_mark_is_ignored() -> None:
    assert decode(b'\xef\xbb\xbf{"a": "\xef\xbb\xbf"}') == {"a": "\ufeff"}


def test_a_fraction_stays_decimal() -> None:
    assert decode(b'{"a": 0.1, "b": 1e2}') == {"a": Decimal("0.1"), "b": Decimal("1E+2")}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(codec="utf-8", exclude_characters="\x00")), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_what_is_written_is_read_back(value: object) -> None:
    assert decode(encode(value)) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_refused(raw: bytes) -> None:
    try:
        decode(raw)
    except NotJson as refused:
        assert str(refused)
