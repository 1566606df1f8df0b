"""``simulate``."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from handbill.cli.speaking import JsonOption, Mistaken, say, warn
from handbill.kit.figures import counted
from handbill.kit.instants import MINUTE


def simulate(
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days.")] = 30,
    publishers: Annotated[int, typer.Option(min=2, max=500, help="How many publishers.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same days.")] = 7,
    clients: Annotated[int, typer.Option(min=1, max=100, help="How many clients.")] = 2,
    clicks: Annotated[
        int, typer.Option(min=0, help="Approximate clicks per day. Default: 420 per publisher.")
    ] = 0,
    step: Annotated[
        int,
        typer.Option(min=5, max=60, help="Minutes between two checks; 60 is a multiple of it."),
    ] = 60,
    rules: Annotated[bool, typer.Option(help="Whether clients have rules.")] = True,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="An empty folder in which the data is kept. Default: none.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Run the whole system over virtual days, with a market around it; check it after each step.

    API, edges, worker and judge are the real ones, in one process. Exit status 1 if something does
    not hold: what, when, and how to run it again.
    """
    _check(step, data)
    from rich.console import Console

    from handbill.demo.progress import Showing
    from handbill.simulate.accounts import printed, told_of
    from handbill.simulate.living import Size, lived
    from handbill.simulate.truth import Broken

    again = (
        f"handbill simulate --days {days} --publishers {publishers} --seed {seed} "
        f"--clients {clients} --clicks {clicks} --step {step}{'' if rules else ' --no-rules'}"
    )
    size = Size(days, publishers, clients, clicks, step=step * MINUTE, rules=rules, purchases=True)
    showing, some = Showing(Console(stderr=True)), counted(days, "day")
    with ExitStack() as opened:
        folder = _folder(data, opened)
        opened.enter_context(showing.shown())
        done = opened.enter_context(showing.step(f"Living {some}, seed {seed}", days))
        try:
            life = lived(folder, size, seed, lambda _: done(1))
        except Broken as broken:
            raise Mistaken(f"{broken}\nTo see it again: {again}") from broken
        except BaseException:
            warn(f"This is a fault of the system. To see it again: {again}")
            raise
    if json:
        answer = {"seed": seed, "digest": life.digest, "firings": dict(life.firings)}
        answer |= {"bids": life.bids, "purchases": dict(life.purchases)}
        say(answer | {"days": [told_of(day) for day in life.days]}, as_json=True)
    else:
        printed(Console(), life)


def _check(step: int, data: str | None) -> None:
    """**Refuses** such a step, and a folder that holds something, before much is imported."""
    if 60 % step:
        raise typer.BadParameter("60 minutes must be a whole number of steps")
    if data is not None and (folder := Path(data)).exists() and any(folder.iterdir()):
        raise Mistaken(f"{folder} is not empty; name an empty folder with --data")


def _folder(data: str | None, opened: ExitStack) -> Path:
    """Where it lives: the folder that was named, or one that is gone afterwards."""
    if data is not None:
        return Path(data)
    from handbill.simulate.house import passing_folder

    return Path(opened.enter_context(passing_folder()))
