"""Texts of others as they are compared: by what people read, not by how a program wrote it."""

from unicodedata import normalize

_UNSEEN = dict.fromkeys((0x00AD, 0x200B, 0x2060, 0xFEFF))  # characters that nobody sees


def folded(text: str) -> str:
    """A text as it is compared: without case, with one plain space for blanks of any kind and none
    around it, and each letter in one of the ways in which it can be written: with its accent, in
    any width, and the Turkish İ as an i. **Source**: Unicode, NFKC and case folding.
    """
    if text.isascii():
        return " ".join(text.split()).casefold()
    seen = normalize("NFKC", text.translate(_UNSEEN)).casefold().replace("i\u0307", "i")
    return " ".join(normalize("NFKC", seen).split())
