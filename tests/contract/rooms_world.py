"""What rules and the funnel add to the small world: an id for each slot of their paths."""

from contract.world import ADDITIONS, World
from handbill.funnel.routes import OPERATIONS as FUNNEL
from handbill.rules.routes import OPERATIONS as RULES


def _more(world: World) -> None:
    headers = {"x-client-id": world.ids["client_id"]}
    scope = {"clientId": "client_id", "campaignId": "campaign_id", "jobGroupId": "jobgroup_id"}
    body = RULES[0].sample | {name: world.ids[slot] for name, slot in scope.items()}
    made = world.office.ask("POST", "/rules", body, headers=headers).json
    sent = world.office.ask("POST", "/funnel", FUNNEL[0].sample, headers=headers).json
    world.ids |= {"rule_id": made["data"]["id"], "batch_id": sent["value"]}


if _more not in ADDITIONS:
    ADDITIONS.append(_more)
