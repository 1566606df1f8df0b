"""``rules show``, ``rules create``, ``rules update``, ``rules pause``, ``rules enable``,
``rules delete``, ``rules order``, ``rules control``, ``rules holds``, ``rules lift``: what the
API's operations on rules do, by command.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from handbill.cli.speaking import DataOption, JsonOption, body_in, read_body, say, say_rows, told_of
from handbill.cli.standing import (
    client_named,
    client_to_change,
    missing_told,
    opened_standing,
    writing,
)

if TYPE_CHECKING:
    from handbill.core.nouns import Client
    from handbill.store.records import Tx

NOT_ITS = "the client has no such {what}; `handbill rules list --client C` shows its rules"
ClientOption = Annotated[str, typer.Option("--client", metavar="C", help="The client's id.")]
RuleId = Annotated[str, typer.Argument(metavar="ID", help="The rule's id.")]
RuleIds = Annotated[list[str], typer.Argument(metavar="ID...", help="The rules' ids.")]
BodyOption = Annotated[
    str,
    typer.Option(
        "--json-body",
        metavar="FILE",
        help="The body of POST /rules as JSON; - reads standard input.",
    ),
]
_NOT_UPDATED = "The rule was not updated"
_NOT_A_RULE = NOT_ITS.format(what="rule")
_NOT_IN_IT = NOT_ITS.format(what="rule, campaign, job group or entity")


def show_rule(
    rule_id: RuleId, client_id: ClientOption, data: DataOption = None, json: JsonOption = False
) -> None:
    """Print a rule."""
    from handbill.contract.rules.telling import rules_told
    from handbill.rules.service import rule_of, rules_of
    from handbill.wire.models import spelled

    with opened_standing(data) as stores, stores.records.read() as tx:
        client = client_named(tx, client_id)
        with missing_told(_NOT_A_RULE):
            rule = rule_of(tx, client, rule_id)
        (answer,) = rules_told([rule], client_id, rules_of(tx, client))
    say(spelled(answer), as_json=json)


def create_rule(
    client_id: ClientOption,
    json_body: BodyOption,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Create a rule, last in the client's order; print its id and conflicting rules."""
    from handbill.contract.rules.models import NewRule
    from handbill.rules import service

    new: NewRule = read_body(NewRule, body_in(json_body), "The rule was not created")
    with writing(data) as (tx, stores), told_of(new), missing_told(_NOT_IN_IT):
        client, now = client_to_change(tx, client_id), stores.clock.now()
        rule_id = service.create(tx, stores.ids, now, client, new.noun(), new.client_id)
        answer = _saved_rule(tx, client, rule_id)
    say(answer, as_json=json)


def update_rule(
    rule_id: RuleId,
    client_id: ClientOption,
    json_body: BodyOption,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Change a rule; absent fields, its position, status and holds stay. Print conflicting
    rules.
    """
    from handbill.contract.rules.changing import RuleChange, changed_rule
    from handbill.rules import service

    change = read_body(RuleChange, body_in(json_body), _NOT_UPDATED)
    with writing(data) as (tx, stores), told_of(change), missing_told(_NOT_IN_IT):
        client, now = client_to_change(tx, client_id), stores.clock.now()
        stands = service.rule_of(tx, client, rule_id)
        new = changed_rule(stands, client.id, change, _NOT_UPDATED)
        service.update(tx, now, client, rule_id, new.noun(), new.client_id)
        answer = _saved_rule(tx, client, rule_id)
    say(answer, as_json=json)


def pause_rules(
    rule_ids: RuleIds, client_id: ClientOption, data: DataOption = None, json: JsonOption = False
) -> None:
    """Pause rules. Their positions and holds are kept."""
    _switch(data, client_id, rule_ids, "P")
    say({"ids": rule_ids, "status": "P"}, as_json=json)


def enable_rules(
    rule_ids: RuleIds, client_id: ClientOption, data: DataOption = None, json: JsonOption = False
) -> None:
    """Enable paused rules."""
    _switch(data, client_id, rule_ids, "A")
    say({"ids": rule_ids, "status": "A"}, as_json=json)


def delete_rule(
    rule_id: RuleId, client_id: ClientOption, data: DataOption = None, json: JsonOption = False
) -> None:
    """Delete a rule, and lift its holds."""
    from handbill.rules import service

    with writing(data) as (tx, stores), missing_told(_NOT_A_RULE):
        service.delete(tx, stores.clock.now(), client_to_change(tx, client_id), rule_id)
    say({"id": rule_id, "deleted": True}, as_json=json)


def order_rules(
    rule_ids: RuleIds, client_id: ClientOption, data: DataOption = None, json: JsonOption = False
) -> None:
    """Set the order of all rules of the client."""
    from handbill.rules import service

    with writing(data) as (tx, stores), missing_told(_NOT_A_RULE):
        service.order(tx, stores.clock.now(), client_to_change(tx, client_id), rule_ids)
    say({"ids": rule_ids}, as_json=json)


def list_holds(client_id: ClientOption, data: DataOption = None, json: JsonOption = False) -> None:
    """List what the client's rules keep from being listed, oldest first."""
    from handbill.contract.rules.holds import holds_told
    from handbill.rules.holding import holds_of
    from handbill.wire.models import spelled

    with opened_standing(data) as stores, stores.records.read() as tx:
        client = client_named(tx, client_id)
        holds = spelled(holds_told(tx, client, holds_of(tx, client.no)))["data"]
    rows = holds if json else [{"publisherId": None} | one for one in holds]
    names = ("id", "since", "level", "name", "publisherId", "ruleName")
    say_rows(rows, names, as_json=json)


def lift_hold(
    hold_id: Annotated[
        str, typer.Argument(metavar="HOLD", help="The hold's id, as `rules holds` shows it.")
    ],
    client_id: ClientOption,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Lift a hold of a rule. Its rule can hold the same again only after its conditions have
    stopped being met and are met again.
    """
    from handbill.rules.holding import lift_one

    missing = missing_told("the client has no such hold; `handbill rules holds --client C` lists")
    with writing(data) as (tx, stores), missing:
        lift_one(tx, stores.clock.now(), client_to_change(tx, client_id), hold_id)
    say({"id": hold_id, "lifted": True}, as_json=json)


def control_rules(
    mode: Annotated[
        Literal["OFF", "ADVISE", "ACT"] | None,
        typer.Argument(metavar="MODE", help="What they may do from now on. Absent: only print it."),
    ] = None,
    *,
    client_id: ClientOption,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Set or print what the client's rules may do: nothing (OFF), advise, or act."""
    from handbill.clients import service as clients
    from handbill.control.rule_ticks import mode_of

    with writing(data) as (tx, stores):
        client = client_to_change(tx, client_id)
        if mode is not None:
            clients.update(tx, stores.clock.now(), client, {"control": mode})
            client = client_to_change(tx, client_id)
        effective = mode_of(client, stores.settings.rules_mode)
    say({"control": client.body.control, "effective": effective}, as_json=json)


def _saved_rule(tx: "Tx", client: "Client", rule_id: str) -> dict[str, Any]:
    """What was saved, which rules may act in the opposite way, and what has no effect."""
    from handbill.contract.rules.conflicts import conflicts_told, warnings_told
    from handbill.rules.service import rule_of, rules_of
    from handbill.wire.models import spelled

    body = rule_of(tx, client, rule_id).body
    conflicts = conflicts_told(rules_of(tx, client), body, rule_id)
    answer = {"id": rule_id, "conflicts": [spelled(one) for one in conflicts]}
    warnings = [spelled(one) for one in warnings_told(tx, client, body)]
    return answer | {"warnings": warnings} if warnings else answer


def _switch(
    data: str | None, client_id: str, rule_ids: list[str], status: Literal["A", "P"]
) -> None:
    from handbill.rules import service

    with writing(data) as (tx, stores), missing_told(_NOT_A_RULE):
        service.switch(tx, stores.clock.now(), client_to_change(tx, client_id), rule_ids, status)
