import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.listing_tokens import (
    MARK_AT,
    Click,
    Listing,
    NotOurs,
    click_id,
    job_mark,
    listing_token,
    open_click,
    open_listing,
    token_at,
)
from handbill.core.nouns import BID_TYPES

KEYS = {1: b"k" * 32, 2: b"z" * 32}
NUMBERS = st.integers(0, 2**62)
LISTINGS = st.builds(
    Listing, NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.binary(min_size=16, max_size=16),
    st.sampled_from(BID_TYPES), NUMBERS, NUMBERS,
)  # fmt: skip
LISTING = Listing(1, 2, 3, 4, b"j" * 16, "CPC", 500_000, 400_000)


@given(LISTINGS, st.sampled_from([1, 2]))
def test_a_token_freezes_its_listing(listing: Listing, kid: int) -> None:
    assert open_listing(listing_token(listing, kid, KEYS[kid]), KEYS) == listing


@given(LISTINGS, st.sampled_from([1, 2]), st.sampled_from([b"", b"<a>", b"?x=1", b"]]>"]))
def test_a_job_is_found_by_its_mark(listing: Listing, kid: int, after: bytes) -> None:
    token = listing_token(listing, kid, KEYS[kid]).encode()
    text = b"https://go.example/c/" + token + after
    start = text.index(token)
    assert text.startswith(job_mark(listing.job_id), start + MARK_AT)
    assert token_at(text, start) == token


@given(LISTINGS, st.binary(min_size=16, max_size=16), st.integers(0, 2**55))
def test_a_click_id_tells_its_click(listing: Listing, random: bytes, at: int) -> None:
    click = Click(random, at, listing)
    assert open_click(click_id(click, 1, KEYS[1]), KEYS) == click


@given(st.data())
def test_one_altered_character_and_it_is_not_ours(data: st.DataObject) -> None:
    token = listing_token(LISTING, 1, KEYS[1])
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCXYZabcxyz019-_="))
    altered = token[:place] + letter + token[place + 1 :]
    if altered != token:
        with pytest.raises(NotOurs):
            open_listing(altered, KEYS)


@pytest.mark.parametrize("text", ["", "A", "AQE", "=" * 60, "é" * 60, "A" * 300, "%%%%", "\n"])
def test_rubbish_is_not_ours(text: str) -> None:
    with pytest.raises(NotOurs):
        open_listing(text, KEYS)
    with pytest.raises(NotOurs):
        open_click(text, KEYS)


def test_kinds_and_keys_are_not_mixed_up() -> None:
    token = listing_token(LISTING, 1, KEYS[1])
    click = click_id(Click(b"r" * 16, 1, LISTING), 1, KEYS[1])
    for bad in (click, listing_token(LISTING, 1, b"other" * 6), listing_token(LISTING, 9, KEYS[1])):
        with pytest.raises(NotOurs):
            open_listing(bad, KEYS)
    with pytest.raises(NotOurs):
        open_click(token, KEYS)
    with pytest.raises(NotOurs):
        open_listing(token + "=", KEYS)
