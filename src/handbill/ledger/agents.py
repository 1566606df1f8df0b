"""Which user agents are programs: the crawler-user-agents list with our own additions and
exceptions (``core.agents``), and whoever names none.
"""

from functools import lru_cache

from crawleruseragents import is_crawler

from handbill.core.agents import is_program, without_people

_MOST_LOOKED_AT = 512  # characters; what comes after them tells nobody apart


@lru_cache(maxsize=131_072)
def bot_reason(agent: str) -> str:
    """Why the agent is a bot, or nothing. The lists take 0.2 ms, so each agent is asked once."""
    agent = agent.strip()
    if not agent:
        return "no_agent"
    told = without_people(agent[:_MOST_LOOKED_AT])
    if is_crawler(told):
        return "agent_list"
    return "agent_added" if is_program(told) else ""
