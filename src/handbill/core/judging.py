"""What an event counts as. Clicks and conversions are classed once, by rules in a fixed order.

The order for clicks is bot, duplicate, foreign, latent (``core.click_definitions``), then room
within the caps: ``over_cap`` or ``valid``. **Source**: domain 7.4, contract 5, safety.md section 2.
"""

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final, Literal

Kind = Literal["CLICK", "VIEW", "APPLY_START", "APPLY", "HIRE", "POSTING"]
KIND_OF_ACTION: Final[dict[int, Kind]] = {1: "VIEW", 2: "APPLY_START", 3: "APPLY"}
KINDS: Final[tuple[Kind, ...]] = ("CLICK", "VIEW", "APPLY_START", "APPLY", "HIRE", "POSTING")

VALID: Final = "valid"  # a click that counts
COUNTED: Final = "counted"  # a conversion that counts
ORGANIC: Final = "organic"  # a conversion that no click of ours led to
FURTHER: Final = "further"  # another application by a click that was already charged: stored, free
OVER_CAP: Final = "over_cap"  # no room within a cap: booked, never charged
BOT: Final = "bot"
DUPLICATE: Final = "duplicate"
FOREIGN: Final = "foreign"  # a click from outside the job's area
LATENT: Final = "latent"  # a click too long after the job left the publisher's feed
LATE: Final = "late"
INVALID: Final = "invalid"
DEAD: Final = "dead"  # parked, and its click never came
PARKED: Final = "parked"  # not an entry yet: it waits for its click
ENTRY_DISPOSITIONS: Final = (
    VALID,
    COUNTED,
    ORGANIC,
    FURTHER,
    OVER_CAP,
    BOT,
    DUPLICATE,
    FOREIGN,
    LATENT,
    LATE,
    INVALID,
    DEAD,
)
"""Every disposition of a ledger entry; with PARKED, their counts add up to received."""

HEAD: Final = "head"  # reason: no page was asked for, so it is a program
TEST: Final = "test"  # reason: the link was made to be tested, and its clicks count nowhere
PREFETCH: Final = "prefetch"  # reason: a browser prefetched the page, nobody has clicked yet

TAKES_ROOM: Final = frozenset({VALID, COUNTED})
"""The dispositions whose entries count against caps."""

_IPV4: Final = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}")


def visitor_of(key: bytes, job_id: bytes, ip: str, agent: str) -> bytes:
    """Who clicked on which job: a keyed digest from which the address cannot be guessed."""
    digest = hashlib.blake2b(job_id, digest_size=16, key=key)
    digest.update(f"{ip}\0{agent}".encode("utf-8", "replace"))
    return digest.digest()


@lru_cache(maxsize=65_536)
def digest_of_agent(agent: str) -> str:
    """Eight bytes in hex: enough to count different agents, too few to restore them."""
    return hashlib.blake2b(agent.encode("utf-8", "replace"), digest_size=8).hexdigest()


@lru_cache(maxsize=65_536)
def masked_ip(ip: str, mode: str, key: bytes) -> str:
    """The address in the form that may be kept: full, its /24 or /48, or a keyed digest.

    **Source**: safety.md, IP report and logs. A text that is no address gives an empty text.
    """
    if mode == "truncated" and _IPV4.fullmatch(ip):  # most addresses: a tenth of the time
        return ip[: ip.rindex(".")] + ".0"
    try:
        address = ip_address(ip)
    except ValueError:
        return ""
    if mode == "full":
        return str(address)
    if mode == "hashed":
        return hashlib.blake2b(address.packed, digest_size=8, key=key).hexdigest()
    prefix = 24 if address.version == 4 else 48
    return str(ip_network((address, prefix), strict=False).network_address)


def balance_of(received: int, dispositions: Iterable[tuple[str, int]]) -> int:
    """Received less the sum of all dispositions: 0 when the books balance."""
    return received - sum(value for _, value in dispositions)
