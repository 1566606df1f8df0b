"""Which user agents are programs: the crawler-user-agents list, and whoever names none."""

from functools import lru_cache

from crawleruseragents import is_crawler

_MOST_LOOKED_AT = 512  # characters; what comes after them tells nobody apart


@lru_cache(maxsize=131_072)
def bot_reason(agent: str) -> str:
    """Why the agent is a bot, or nothing. The list takes 0.2 ms, so each agent is asked once."""
    agent = agent.strip()
    if not agent:
        return "no_agent"
    return "agent_list" if is_crawler(agent[:_MOST_LOOKED_AT]) else ""
