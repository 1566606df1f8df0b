"""What is sealed opens under its own key at its own place, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.host.folders import Unusable
from handbill.host.masters import keys_of
from handbill.host.settings import Settings
from handbill.kit.sealing import NotSealed, key_named, name_of, opened, seal

KEY, OTHER = b"k" * 32, b"o" * 32


@given(st.binary(max_size=300), st.lists(st.text(max_size=20), max_size=4))
def test_it_opens_where_it_was_sealed_for(value: bytes, place: list[str]) -> None:
    sealed = seal(KEY, value, *place)
    assert opened(KEY, sealed, *place) == value
    assert key_named(sealed) == name_of(KEY)
    with pytest.raises(NotSealed):
        opened(OTHER, sealed, *place)
    with pytest.raises(NotSealed):
        opened(KEY, sealed, *place, "elsewhere")


@given(st.integers(0, 400), st.integers(1, 255))
def test_a_changed_byte_is_found_out(at: int, by: int) -> None:
    sealed = bytearray(seal(KEY, b"a password", "table", "1"))
    sealed[at % len(sealed)] ^= by
    with pytest.raises(NotSealed):
        opened(KEY, bytes(sealed), "table", "1")


def test_what_is_no_key_is_refused_and_not_shown() -> None:
    for wrong in ("c2hvcnQ=", "not base64 at all!", ","):
        with pytest.raises(Unusable) as refused:
            keys_of(Settings(secrets_key=wrong))
        assert wrong.strip(",") == "" or wrong not in str(refused.value)
    assert "c2hvcnQ" not in repr(Settings(secrets_key="c2hvcnQ="))
