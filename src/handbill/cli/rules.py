"""``rules list``, ``rules runs``, ``rules preview``, ``rules backtest``, ``rules undo``, and the
commands that change rules.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from handbill.cli.rule_changes import (
    NOT_ITS,
    BodyOption,
    ClientOption,
    RuleId,
    control_rules,
    create_rule,
    delete_rule,
    enable_rules,
    lift_hold,
    list_holds,
    order_rules,
    pause_rules,
    show_rule,
    update_rule,
)
from handbill.cli.speaking import (
    DataOption,
    JsonOption,
    body_in,
    read_body,
    say,
    say_lines,
    say_rows,
    told_of,
)
from handbill.cli.standing import (
    client_named,
    client_to_change,
    missing_told,
    opened_standing,
    tools_standing,
    writing,
)
from handbill.kit.jsons import encode

rules = typer.Typer(no_args_is_help=True, help="Rules of a client.")

rules.command("show")(show_rule)
rules.command("create")(create_rule)
rules.command("update")(update_rule)
rules.command("pause")(pause_rules)
rules.command("enable")(enable_rules)
rules.command("delete")(delete_rule)
rules.command("order")(order_rules)
rules.command("control")(control_rules)
rules.command("holds")(list_holds)
rules.command("lift")(lift_hold)
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")]
_MOST = 1_000


@rules.command("list")
def list_rules(client_id: ClientOption, data: DataOption = None) -> None:
    """Print the client's rules in their order, one JSON object per line."""
    from handbill.contract.rules.telling import rules_told
    from handbill.rules.service import rules_of
    from handbill.wire.models import spelled

    with opened_standing(data) as stores, stores.records.read() as tx:
        every = rules_of(tx, client_named(tx, client_id))
    say_lines(encode(spelled(one)) for one in rules_told(every, client_id, every))


@rules.command("runs")
def list_runs(
    rule_id: RuleId,
    client_id: ClientOption,
    last: Annotated[int, typer.Option(min=1, max=_MOST, help="Number of runs.")] = 50,
    data: DataOption = None,
) -> None:
    """Print what a rule saw and did, newest first, one JSON object per line."""
    from handbill.contract.rules.runs import run_told
    from handbill.rules import history
    from handbill.rules.service import rule_of
    from handbill.wire.models import spelled

    with opened_standing(data) as stores, stores.records.read() as tx:
        with missing_told(NOT_ITS.format(what="rule")):
            rule = rule_of(tx, client_named(tx, client_id), rule_id)
        runs, _ = history.page(tx, rule.no, 0, last)
    say_lines(encode(spelled(run_told(one))) for one in runs)


@rules.command("preview")
def preview_rule(
    client_id: ClientOption,
    json_body: BodyOption,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Print what a rule would do now. Nothing is saved or changed."""
    from handbill.contract.rules.models import NewRule
    from handbill.contract.rules.runs import preview_told
    from handbill.control import ruling
    from handbill.rules.service import checked
    from handbill.stats.answering import Answering, Within
    from handbill.wire.models import spelled

    new = read_body(NewRule, body_in(json_body), "The rule was not evaluated")
    tools = tools_standing(data)
    now = tools.clock.now()
    with tools.records.read() as tx, told_of(new):
        answering = Answering(Within(tx), tools.blobs, tools.ids, tools.scratch)
        client = client_named(tx, client_id)
        with missing_told(NOT_ITS.format(what="campaign, job group or entity")):
            body = checked(tx, now, client, new.noun(), new.client_id)
        run = ruling.preview(tx, answering, client, now, body)
        answer = preview_told(tx, client, body, run)
    _say_seen(spelled(answer), ("evaluated", "matched"), "entities", as_json=json)


@rules.command("backtest")
def backtest_rule(
    rule_id: RuleId, client_id: ClientOption, data: DataOption = None, json: JsonOption = False
) -> None:
    """Print what a rule would have done in the last 30 days. Nothing is saved or changed."""
    from handbill.contract.rules.runs import backtest_told
    from handbill.control.backtesting import backtest
    from handbill.rules.service import rule_of
    from handbill.stats.answering import Answering, Within
    from handbill.wire.models import spelled

    tools = tools_standing(data)
    with tools.records.read() as tx:
        answering = Answering(Within(tx), tools.blobs, tools.ids, tools.scratch)
        client = client_named(tx, client_id)
        with missing_told(NOT_ITS.format(what="rule")):
            body = rule_of(tx, client, rule_id).body
        back_test = backtest(tx, answering, client, tools.clock.now(), body)
    names = ("from", "until", "runs", "evaluated", "count", "complete")
    _say_seen(spelled(backtest_told(body, back_test)), names, "firings", as_json=json)


@rules.command("undo")
def undo_run(
    rule_id: RuleId,
    run_id: RunId,
    client_id: ClientOption,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Undo a run: lift its holds and restore what was not changed since."""
    from handbill.contract.rules.runs import undone_told
    from handbill.rules.undoing import undo
    from handbill.wire.models import spelled

    with writing(data) as (tx, stores):
        client = client_to_change(tx, client_id)
        with missing_told(NOT_ITS.format(what="rule or run")):
            undone = undo(tx, stores.clock.now(), client, rule_id, run_id)
    if json:
        say(spelled(undone_told(undone)), as_json=True)
        return
    say_lines(one.words.encode() for one in undone)


def _say_seen(told: Any, names: Sequence[str], rows: str, *, as_json: bool) -> None:
    """Print what a rule would do, or would have done: these sums, and a line per entity."""
    if as_json:
        say(told, as_json=True)
        return
    say({name: told[name] for name in names}, as_json=False)
    lines = [
        {
            "ranOn": one.get("ranOn"),
            "level": one["level"],
            "name": one["name"],
            "seen": ", ".join(map(str, one["seen"])),
            "acts": "; ".join(map(_act_told, one["acts"])) or one["skip"],
        }
        for one in told[rows]
    ]
    heads = ("level", "name", "seen", "acts")
    say_rows(lines, ("ranOn", *heads) if rows == "firings" else heads, as_json=False)


def _act_told(act: Mapping[str, Any]) -> str:
    at = f" at {act['publisherId']}" if "publisherId" in act else ""
    unit = f" {act['currency']}" if "currency" in act else ""
    amount = f" {act['before']} to {act['after']}{unit}" if "after" in act else ""
    return (
        f"{act['action']} {act['name']}{at}{amount}{': ' if act['skip'] else ''}{act['skip'] or ''}"
    )
