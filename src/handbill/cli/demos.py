"""``demo``."""

from typing import Annotated

import typer

from handbill.cli.serving import ApiPortOption, EdgePortOption, HostOption
from handbill.cli.speaking import DataOption, JsonOption, Mistaken, configured


def demo(
    data: DataOption = None,
    stay: Annotated[bool, typer.Option("--stay", help="Keep serving afterwards.")] = False,
    days: Annotated[
        int, typer.Option(min=1, max=366, help="Number of days to play before today.")
    ] = 60,
    seed: Annotated[int, typer.Option(min=0, max=99, help="Seed of the market.")] = 1,
    host: HostOption = None,
    api_port: ApiPortOption = None,
    edge_port: EdgePortOption = None,
    json: JsonOption = False,
) -> None:
    """Fill an empty data folder with a small market, play traffic, print a report.

    The days before today are played over virtual time, today's through the running
    server. Exit status 1 if the results are not consistent.
    """
    from handbill.config import BadSettings
    from handbill.demo.calls import DemoFailed
    from handbill.demo.play import play
    from handbill.host.outside import of_this_machine
    from handbill.supervise import with_ports

    chosen = configured(data=data, host=host, api_port=api_port, edge_port=edge_port)
    settings = chosen.settings
    try:
        settings = with_ports(settings)
    except BadSettings:
        if "default" not in {chosen.sources["api_port"], chosen.sources["edge_port"]}:
            raise
        # Nobody has asked for these ports: the demo takes what is free, and says so in the end.
        import msgspec

        settings = with_ports(msgspec.structs.replace(settings, api_port=0, edge_port=0))
    try:
        status = play(settings, of_this_machine(settings), seed, days, stay=stay, as_json=json)
    except DemoFailed as failed:
        raise Mistaken(str(failed)) from failed
    raise typer.Exit(status)
