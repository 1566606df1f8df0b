"""Pausing and enabling: two operations of every noun that can be switched."""

from collections.abc import Callable

from handbill.contract.envelopes import Done, Status, done
from handbill.http.operations import Call, ClientHeader, Operation


def switches(
    name: str,
    path: str,
    switch: Callable[[Call, Status], object],
    *,
    pause: str,
    enable: str,
    number: int | None = None,
    word: str = "",
    client_header: ClientHeader = "",
) -> list[Operation]:
    """PUT …/pause and PUT …/enable. ``pause``, ``enable``: what each does; ``number``: the
    contract's of the first; ``word``: how the noun is called, if not by its name.
    """

    def row(verb: str, status: Status, about: str, at: int) -> Operation:
        message = f"{name.capitalize()} {verb}d"

        def work(call: Call) -> Done:
            switch(call, status)
            return done(message)

        return Operation(
            name=f"{verb}_{name}",
            number=None if number is None else number + at,
            verb="PUT",
            path=f"{path}/{verb}",
            title=f"{verb.capitalize()} a {word or name}.",
            about=about,
            work=work,
            client_header=client_header,
            answer=Done,
            sample_answer={"result": True, "message": message},
        )

    return [row("pause", "P", pause, 0), row("enable", "A", enable, 1)]
