"""The commands by name, each imported when it is asked for: the list of them costs no database."""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer import _click
from typer.core import TyperGroup
from typer.main import get_group

from handbill.host.garbage import undisturbed


class Command(NamedTuple):
    """Where a command is, as ``module:name`` in this room, and what the list says of it."""

    place: str
    about: str
    is_process: bool = False


COMMANDS = {
    "serve": Command("serving:serve", "Run all processes, and restart those that end."),
    "demo": Command("demos:demo", "Play a small market in an empty data folder; print a report."),
    "simulate": Command(
        "simulations:simulate", "Run the whole system over virtual days, and check it."
    ),
    "settings": Command(
        "documents:settings", "Print all settings: default, meaning, current value."
    ),
    "migrate": Command("documents:migrate", "Upgrade the tables of the records."),
    "openapi": Command("documents:openapi", "Print, write or check the OpenAPI document."),
    "agency": Command("agencies:agency", "Agencies: the tenants of this installation."),
    "api-key": Command("keys:api_key", "API keys of agencies and publisher families."),
    "api-client": Command("keys:api_client", "API clients: programs that request access tokens."),
    "person": Command("people:person", "People who sign in, with a role; invitations."),
    "oidc": Command("providers:oidc", "Sign-in by an agency's OpenID Connect provider."),
    "keys": Command("secret_keys:keys", "The installation's own keys: list, rotate, retire."),
    "changes": Command("changes:changes", "Who changed what, and when."),
    "undo": Command("changes:undo", "Undo a change: restore the former values."),
    "client": Command("clients:client", "Clients: the employers of an agency."),
    "stage-map": Command("clients:stage_map", "Which stages a client's status texts mean."),
    "publisher": Command("publishers:publisher", "Publishers: where jobs are offered."),
    "publisher-family": Command("families:family", "Publisher families: vendors of publishers."),
    "click-definition": Command("click_definitions:definition", "What makes a click payable."),
    "feed": Command("feeds:feed", "Inbound feeds of clients."),
    "overview": Command("budgets:overview", "Figures of all clients over the last days."),
    "status": Command("budgets:status", "Which parts of a client are stopped or limited, and why."),
    "budget": Command("budgets:budget", "State and forecast of a client's caps."),
    "explain": Command("explaining:explain", "Explain a client, job group, job, cap or click."),
    "callbacks": Command("callbacks:callbacks", "Callbacks: notifications about finished reports."),
    "mail": Command("mails:mail", "Mails that wait or could not be sent."),
    "journal": Command(
        "journals:journal", "The journal: acknowledged events before they are judged."
    ),
    "ledger": Command("ledgers:ledger", "The ledger: all judged events."),
    "hosts": Command("hosts:hosts", "Which host serves these records, now and before."),
    "backup": Command("backups:backup", "Back up an installation, also while it runs."),
    "restore": Command("backups:restore", "Restore a backup into a new data folder."),
    "doctor": Command("doctor:doctor", "Find problems of an installation, and their remedies."),
    "index": Command("backups:index", "The edge's index, from which clicks are answered."),
    "rates": Command("rates:rates", "Rates of exchange, by day."),
    "rules": Command("rules:rules", "Rules of a client: what they would do, did, and undo."),
    "markup": Command("markups:markup", "Markups of an agency on its customers' spend."),
    "api": Command("serving:api", "Run an API process alone.", is_process=True),
    "edge": Command("serving:edge", "Run an edge process alone.", is_process=True),
    "judge": Command("serving:judge", "Run the judge alone.", is_process=True),
    "fetcher": Command("serving:fetcher", "Run a fetcher alone.", is_process=True),
    "worker": Command("serving:worker", "Run a worker alone.", is_process=True),
}


class Imported(MutableMapping[str, _click.Command]):
    """The commands by name; looking one up imports it."""

    def __init__(self) -> None:
        self._known: dict[str, _click.Command] = {}

    def __getitem__(self, name: str) -> _click.Command:
        if name not in self._known:
            self._known[name] = _imported(name, COMMANDS[name])
        return self._known[name]

    def __setitem__(self, name: str, command: _click.Command) -> None:
        self._known[name] = command

    def __delitem__(self, name: str) -> None:
        raise TypeError("commands are not taken away")

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class ListedCommands(TyperGroup):
    """The outermost command. Its help is written from the list alone."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.commands = Imported()

    def format_commands(self, ctx: _click.Context, formatter: _click.HelpFormatter) -> None:  # noqa: ARG002
        for title, is_process in (
            ("Commands", False),
            ("Single processes of serve", True),
        ):
            with formatter.section(title):
                formatter.write_dl(
                    [
                        (name, one.about)
                        for name, one in COMMANDS.items()
                        if one.is_process is is_process
                    ]
                )


def _imported(name: str, command: Command) -> _click.Command:
    module, _, attribute = command.place.partition(":")
    with undisturbed():
        member = getattr(import_module(f"handbill.cli.{module}"), attribute)
    holder = typer.Typer(rich_markup_mode=None)
    if isinstance(member, typer.Typer):
        holder.add_typer(member, name=name)
    else:
        holder.command(name)(member)
        holder.callback()(_nothing)  # one command alone would be the whole
    return get_group(holder).commands[name]


def _nothing() -> None:
    """Do nothing before a command."""
