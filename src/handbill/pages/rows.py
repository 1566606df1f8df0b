"""A row of the table of pages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.visitors import Whom


@dataclass(frozen=True)
class PageRow:
    """A page. ``path``: beneath /app. ``name``: as logs and metrics name it.

    ``link``: its title in the navigation, if it is there. ``tab``: its title among the pages of a
    client, whose path begins with /clients/{client_id}. ``is_public``: shown to who is not signed
    in. ``by_link``: the address proves who may send its form, which other sites and programs may
    send too. ``for_whom``: who is shown links to it; the API refuses it to others.
    ``of_employers``, ``of_publishers``: what these see instead.
    """

    name: str
    path: str
    view: Callable[[Request], Awaitable[Response]]
    verbs: tuple[str, ...] = ("GET",)
    link: str = ""
    tab: str = ""
    is_public: bool = False
    by_link: bool = False
    for_whom: Whom = "agency"
    of_employers: Callable[[Request], Awaitable[Response]] | None = None
    of_publishers: Callable[[Request], Awaitable[Response]] | None = None

    def view_for(self, role: str) -> Callable[[Request], Awaitable[Response]]:
        """What a visitor with this role sees; empty: a program."""
        own = {"EMPLOYER": self.of_employers, "PUBLISHER": self.of_publishers}.get(role)
        return own or self.view
