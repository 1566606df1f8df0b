from base64 import b64decode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.listing_tokens import (
    MARK_AT,
    Listing,
    SealedClick,
    click_id,
    click_signer,
    is_test,
    job_mark,
    listing_opener,
    listing_token,
    meant,
    open_click,
    open_listing,
    token_to_test,
)
from handbill.core.nouns import BID_TYPES
from handbill.core.spelled_tokens import ForeignToken, token_at

KEYS = {1: b"k" * 32, 2: b"z" * 32}
NUMBERS = st.integers(0, 2**62)
LISTINGS = st.builds(
    Listing,
    client_no=NUMBERS,
    campaign_no=NUMBERS,
    group_no=NUMBERS,
    publisher_no=NUMBERS,
    job_id=st.binary(min_size=16, max_size=16),
    bid_type=st.sampled_from(BID_TYPES),
    bid_micros=NUMBERS,
    price_micros=NUMBERS,
    listed_at=NUMBERS.map(lambda ms: ms * 1_000),
)
LISTING = Listing(
    client_no=1,
    campaign_no=2,
    group_no=3,
    publisher_no=4,
    job_id=b"j" * 16,
    bid_type="CPC",
    bid_micros=500_000,
    price_micros=400_000,
)
# As they were before what they say was sealed.
OLD_TOKEN = "AQEAampqampqampqampqampqagECAwSgwh6AtRhx6RKVgklXDao_"
OLD_CLICK = "AgFycnJycnJycnJycnJycnJyBmCLAV8wAABqampqampqampqampqampqAQIDBKDCHoC1GCMWIRmoVXHoifw"


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


@given(LISTINGS)
def test_a_token_to_test_freezes_the_same_and_is_known_as_a_test(listing: Listing) -> None:
    token = token_to_test(listing, 1, KEYS[1])
    assert open_listing(token, KEYS) == listing
    opened = listing_opener(KEYS)
    assert is_test(opened(token.encode()))
    assert not is_test(opened(listing_token(listing, 1, KEYS[1]).encode()))
    with pytest.raises(ForeignToken):
        open_listing(token, {1: KEYS[2]})


def test_what_was_handed_out_before_is_good_for_ever() -> None:
    assert open_listing(OLD_TOKEN, KEYS) == LISTING
    assert open_click(OLD_CLICK, KEYS) == SealedClick(b"r" * 16, 1_795_000_000_000_000, LISTING)
    packed = listing_opener(KEYS)(OLD_TOKEN.encode())
    again = click_signer(2, KEYS[2])(packed, b"s" * 16, 7).decode()
    assert open_click(again, KEYS) == SealedClick(b"s" * 16, 7, LISTING)
    for text, open_it in ((OLD_TOKEN, open_listing), (OLD_CLICK, open_click)):
        for place in range(len(text)):
            letter = "A" if text[place] != "A" else "B"
            with pytest.raises(ForeignToken):
                open_it(text[:place] + letter + text[place + 1 :], KEYS)


@given(LISTINGS, LISTINGS)
def test_nobody_can_read_the_terms(one: Listing, other: Listing) -> None:
    """Nor compare them: but for the job and the key, two texts of two listings have nothing in
    common that is longer than chance makes it, and no length that tells of a price.
    """
    other = msgspec.structs.replace(other, job_id=one.job_id)
    click = SealedClick(b"r" * 16, 9, one)
    for texts, shown in (
        ((listing_token(one, 1, KEYS[1]), listing_token(other, 1, KEYS[1])), 24),
        ((click_id(click, 1, KEYS[1]), click_id(click._replace(listing=other), 1, KEYS[1])), 54),
    ):
        sealed = [raw_of(text)[shown - shown % 3 :] for text in texts]
        if one != other:
            assert not any(sealed[0][at : at + 8] in sealed[1] for at in range(len(sealed[0]) - 8))


def raw_of(text: str) -> bytes:
    return b64decode(text + "=" * (-len(text) % 4), altchars=b"-_")


@given(LISTINGS, st.integers(10_000, 250_000_000), st.integers(10_000, 250_000_000))
def test_no_length_tells_of_a_price(listing: Listing, bid: int, other: int) -> None:
    numbers = {"client_no": 90, "campaign_no": 900, "group_no": 9_000, "publisher_no": 300}
    usual = msgspec.structs.replace(listing, **numbers, listed_at=1_795_000_000_000_000)
    tokens = [
        listing_token(
            msgspec.structs.replace(usual, bid_micros=micros, price_micros=micros), 1, KEYS[1]
        )
        for micros in (bid, other)
    ]
    assert len(tokens[0]) == len(tokens[1]) == 88


def test_the_same_listing_makes_the_same_token() -> None:
    assert listing_token(LISTING, 1, KEYS[1]) == listing_token(LISTING, 1, KEYS[1])
    assert listing_token(LISTING, 1, KEYS[1]) != listing_token(LISTING, 1, KEYS[2])


@given(LISTINGS, st.binary(min_size=16, max_size=16), st.integers(0, 2**55))
def test_a_click_id_tells_its_click(listing: Listing, random: bytes, at: int) -> None:
    click = SealedClick(random, at, listing)
    assert open_click(click_id(click, 1, KEYS[1]), KEYS) == click


@given(st.data())
def test_one_altered_character_and_it_is_not_ours(data: st.DataObject) -> None:
    token = listing_token(LISTING, 1, KEYS[1])
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCXYZabcxyz019-_="))
    altered = token[:place] + letter + token[place + 1 :]
    if altered != token:
        with pytest.raises(ForeignToken):
            open_listing(altered, KEYS)


@pytest.mark.parametrize("text", ["", "A", "AQE", "=" * 60, "é" * 60, "A" * 300, "%%%%", "\n"])
def test_rubbish_is_not_ours(text: str) -> None:
    with pytest.raises(ForeignToken):
        open_listing(text, KEYS)
    with pytest.raises(ForeignToken):
        open_click(text, KEYS)


def test_kinds_and_keys_are_not_mixed_up() -> None:
    token = listing_token(LISTING, 1, KEYS[1])
    click = click_id(SealedClick(b"r" * 16, 1, LISTING), 1, KEYS[1])
    for bad in (click, listing_token(LISTING, 1, b"other" * 6), listing_token(LISTING, 9, KEYS[1])):
        with pytest.raises(ForeignToken):
            open_listing(bad, KEYS)
    with pytest.raises(ForeignToken):
        open_click(token, KEYS)
    with pytest.raises(ForeignToken):
        open_listing(token + "=", KEYS)


@pytest.mark.parametrize(
    "spelled",
    [
        "{}",
        "{} ",
        " {}",
        "%20{}",
        "{}&utm_source=x",
        "{}&amp;utm_source=x",
        "{}.",
        "{})",
        "{}/x",
        "{}%2F",
        "{}%3Futm=1",
        "{}_",
        "{}-",
        "{}_utm_source",
        "{}\n",
        "{}\u200b",
        "{}%E2%80%8B",
        "{}%0A",
    ],
)
@pytest.mark.parametrize("bid", [1, 10**12])
def test_what_others_put_around_a_click_id_is_not_read(spelled: str, bid: int) -> None:
    click = SealedClick(bytes(range(16)), 1_800_000_000_000_000, _listing(bid))
    text = click_id(click, 1, KEYS[1])
    assert open_click(spelled.format(text), KEYS) == click
    hexed = "".join(f"%{ord(char):02x}" if char in "-_" else char for char in text)
    assert open_click(spelled.format(hexed), KEYS) == click
    token = listing_token(click.listing, 1, KEYS[1])
    around = spelled.format(token).encode()
    assert token.encode() in {around, *meant(around)}


@pytest.mark.parametrize("bid", [1, 10**12])
@pytest.mark.parametrize("behind", [" hello", "\r\nhello", "_x", ""])
def test_a_broken_click_id_ends_before_the_words_behind_it(behind: str, bid: int) -> None:
    click = SealedClick(bytes(range(16)), 1_800_000_000_000_000, _listing(bid))
    text = click_id(click, 1, KEYS[1])
    assert open_click(f"{text[:40]}=\r\n{text[40:]}{behind}", KEYS) == click


@pytest.mark.parametrize("spelled", ["x{}", "{}x", "/{}", "{0}{0}", "={}"])
def test_what_belongs_to_a_click_id_is_read(spelled: str) -> None:
    text = click_id(SealedClick(bytes(16), 0, _listing(1)), 1, KEYS[1])
    with pytest.raises(ForeignToken):
        open_click(spelled.format(text), KEYS)


def _listing(bid: int) -> Listing:
    return Listing(
        client_no=1,
        campaign_no=2,
        group_no=3,
        publisher_no=4,
        job_id=bytes(16),
        bid_type="CPC",
        bid_micros=bid,
        price_micros=bid,
    )
