"""Which user agents are programs: those of the crawler-user-agents list with our own additions and
exceptions (``core.agents``), and an empty user agent.
"""

import hashlib
from functools import lru_cache

from crawleruseragents import CRAWLER_USER_AGENTS_DATA, is_crawler

from handbill.core.agents import PEOPLE, PROGRAMS, is_program, without_people

MOST_LOOKED_AT = 512  # characters; later ones do not tell agents apart
_PATTERNS = [one["pattern"] for one in CRAWLER_USER_AGENTS_DATA]
_PATTERNS += [sign.pattern for sign in (*PEOPLE, *PROGRAMS)]
VERSION = hashlib.blake2b("\n".join(_PATTERNS).encode(), digest_size=8).hexdigest()
"""The version of the lists: different if any of their patterns differs."""


@lru_cache(maxsize=131_072)
def bot_reason(agent: str) -> str:
    """Why the agent is a bot, or an empty text. The lists take 0.2 ms; results are remembered."""
    agent = agent.strip()
    if not agent:
        return "no_agent"
    rest = without_people(agent[:MOST_LOOKED_AT])
    if is_crawler(rest):
        return "agent_list"
    return "agent_added" if is_program(rest) else ""
