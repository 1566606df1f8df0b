"""What the application should be, in a few plain objects: a client with what it holds."""

from dataclasses import dataclass, field

MOST_CLIENTS, MOST_EACH = 2, 5


@dataclass
class ModelJob:
    city: str
    status: str = "A"
    end_at: int | None = None
    feed: str = ""


@dataclass
class ModelGroup:
    name: str
    priority: int
    operator: str
    cities: list[str]
    days: tuple[str, str]
    status: str = "A"

    def takes(self, city: str) -> bool:
        return (city in self.cities) == (self.operator == "IN")


@dataclass
class ModelCampaign:
    name: str
    days: tuple[str, str]
    status: str = "A"
    groups: dict[str, ModelGroup] = field(default_factory=dict)


@dataclass
class ModelClient:
    """``switches``: what was last done to each reference: a feed that brings it back keeps it.

    ``carried``: what each feed had at its last import, oldest feed first. ``deleted``: references
    that were deleted while a feed carries them, and which feed keeps them so.
    """

    name: str
    status: str = "A"
    campaigns: dict[str, ModelCampaign] = field(default_factory=dict)
    jobs: dict[str, ModelJob] = field(default_factory=dict)
    feeds: dict[str, str] = field(default_factory=dict)
    switches: dict[str, str] = field(default_factory=dict)
    carried: dict[str, set[str]] = field(default_factory=dict)
    deleted: dict[str, str] = field(default_factory=dict)

    def heir_of(self, ref: str, *, but: str = "") -> str:
        """The oldest other feed that carries a reference; empty: none does."""
        return next((id_ for id_, refs in self.carried.items() if ref in refs and id_ != but), "")

    def drop(self, feed: str, refs: set[str]) -> None:
        """A feed no longer carries these: each passes to its heir, leaves, or is free again."""
        for ref in sorted(refs):
            heir = self.heir_of(ref, but=feed)
            stands = self.jobs.get(ref)
            if stands is not None and stands.feed == feed:
                stands.feed = heir
                if not heir:
                    self.switches[ref] = self.jobs.pop(ref).status
            if self.deleted.get(ref) == feed:
                del self.deleted[ref]
                self.deleted |= {ref: heir} if heir else {}

    def group_of(self, city: str, today: str) -> str | None:
        """Best priority, then oldest; None: no group but the default one."""
        ranked = [
            (group.priority, place, id_)
            for campaign in self.campaigns.values()
            for id_, group in campaign.groups.items()
            for place in [self.ages.index(id_)]
            if group.status == campaign.status == "A"
            and all(first <= today <= last for first, last in (group.days, campaign.days))
            and group.takes(city)
        ]
        return min(ranked)[2] if ranked else None

    ages: list[str] = field(default_factory=list)
