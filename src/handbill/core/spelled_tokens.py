"""How tokens are spelled, and where one ends in a text: base64url without padding."""

from binascii import Error, a2b_base64, b2a_base64

_MOST_TEXT = 256
_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/!!!")  # "!" is no digit: the decoder refuses it
_ANY = bytes.maketrans(b"-_", b"+/")
_PADDING = (b"", b"", b"==", b"=")
# By length modulo 4, the possible last characters: their unused low bits are 0.
_LAST: tuple[frozenset[int], ...] = (
    frozenset(_DIGITS),
    frozenset(),
    frozenset(_DIGITS[::16]),
    frozenset(_DIGITS[::4]),
)


class ForeignToken(ValueError):
    """The text was not sealed by us, or was altered."""


def spell(raw: bytes) -> bytes:
    """The bytes of a token as text."""
    return b2a_base64(raw, newline=False).translate(_TO_URL).rstrip(b"=")


def decoded(spelled: bytes) -> bytes:
    """The bytes of a text. **Refuses** (ForeignToken) all but the one spelling that we emit.

    It differs from Base64's other spellings of the same bytes in its alphabet, in having no
    padding, and in the low bits of its last character.
    """
    length = len(spelled)
    rest = length % 4
    if not 2 < length <= _MOST_TEXT or spelled[-1] not in _LAST[rest]:
        raise ForeignToken
    try:
        return a2b_base64(spelled.translate(_FROM_URL) + _PADDING[rest], strict_mode=True)
    except Error as bad:
        raise ForeignToken from bad


def token_at(text: bytes, start: int) -> bytes:
    """The characters from ``start`` on that can belong to one token."""
    end = start
    while end < len(text) and end - start <= _MOST_TEXT and text[end] in _LAST[0]:
        end += 1
    return text[start:end]


def key_named(text: bytes) -> int | None:
    """The key id in a signed text, before any of it is verified."""
    try:
        start = a2b_base64(text[:4].translate(_ANY))
    except Error:
        return None
    return start[1] if len(start) == 3 else None
