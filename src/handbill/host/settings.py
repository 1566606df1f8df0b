"""Every setting, with its default and meaning. ``config`` fills it once; rooms are handed it."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

_MOST_PORT = 65_535
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to be told from others
_Port = Annotated[int, Meta(ge=0, le=_MOST_PORT)]
_HostPort = Annotated[str, Meta(pattern=r"^(\[[0-9a-fA-F:.]+\]|[^\s:/]+):[0-9]{1,5}$")]

_ADDRESS = r"^(https?://[^\s/]+(/[^\s]*)?)?$"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is the variable ``HANDBILL_<NAME>`` and the key ``<name>`` of handbill.toml.

    A field's description is its meaning, as ``handbill settings`` and docs/operations.md print it.
    """

    data: Annotated[str, Meta(min_length=1, description=(
        "Folder that holds everything: records, journal, blobs, the edge's index."
    ))] = "data"  # fmt: skip
    host: Annotated[str, Meta(min_length=1, description=(
        "Address that the API and the edge listen on."
    ))] = "127.0.0.1"  # fmt: skip
    api_port: Annotated[_Port, Meta(description=(
        "Port of the API. 0: any free one, told in the ready line."
    ))] = 8080  # fmt: skip
    edge_port: Annotated[_Port, Meta(description=(
        "Port of the edge: clicks, pixels, outbound feeds. 0: any free one."
    ))] = 8081  # fmt: skip
    api_url: Annotated[str, Meta(pattern=_ADDRESS, description=(
        "Public address of the API, as report links spell it. Empty: http://{host}:{api_port}."
    ))] = ""  # fmt: skip
    edge_url: Annotated[str, Meta(pattern=_ADDRESS, description=(
        "Public address of the edge, as links in outbound feeds spell it. Empty: "
        "http://{host}:{edge_port}."
    ))] = ""  # fmt: skip
    records_url: Annotated[str, Meta(description=(
        "Where records are kept: sqlite:///path or postgresql://user@host/name. Empty: SQLite at "
        "{data}/records.db."
    ))] = ""  # fmt: skip
    journal_url: Annotated[str, Meta(description=(
        "Where received events are made durable: a folder on this machine. Empty: {data}/journal."
    ))] = ""  # fmt: skip
    blobs_url: Annotated[str, Meta(description=(
        "Where files are kept (outbound feeds, reports, judged entries): a folder, or "
        "s3://bucket/prefix. Empty: {data}/blobs."
    ))] = ""  # fmt: skip
    secrets_key: Annotated[str, Meta(description=(
        "The master key, 32 bytes in base64, that passwords and our own keys are sealed under in "
        "the records; a comma list, the newest first. Empty: it is in a file."
    ))] = ""  # fmt: skip
    secrets_key_file: Annotated[str, Meta(description=(
        "The file of the master key, a key a line. Empty: {data}/secrets.key, which the first "
        "start makes. The same for every process on the same records."
    ))] = ""  # fmt: skip
    egress_allow: Annotated[tuple[_HostPort, ...], Meta(max_length=100, description=(
        "host:port pairs that feeds may be fetched from, and files delivered to, although the "
        "address is private or the port unusual; a comma list."
    ))] = ()  # fmt: skip
    egress_allow_callbacks: Annotated[tuple[_HostPort, ...], Meta(max_length=100, description=(
        "The same for callbacks, which a report's asker may send to any address; a comma list."
    ))] = ()  # fmt: skip
    workers: Annotated[int, Meta(ge=1, le=64, description=(
        "Worker processes: matching, outbound feeds, reports."
    ))] = 1  # fmt: skip
    fetchers: Annotated[int, Meta(ge=1, le=64, description=(
        "Processes that wait on others' servers: imports of feeds, callbacks, deliveries by FTP."
    ))] = 2  # fmt: skip
    edges: Annotated[int, Meta(ge=0, le=64, description=(
        "Edge processes; they share one port. 0: `serve` starts none, as they run apart by "
        "`handbill edge`."
    ))] = 1  # fmt: skip
    token_seconds: Annotated[int, Meta(ge=1, le=604_800, description=(
        "How long an access token is valid."
    ))] = 86_400  # fmt: skip
    ip_mode: Annotated[Literal["full", "truncated", "hashed"], Meta(description=(
        "What the ledger keeps of a visitor's address: full, truncated (/24, /48) or hashed."
    ))] = "truncated"  # fmt: skip
    retention_days: Annotated[int, Meta(ge=1, le=36_500, description=(
        "How long judged entries are kept. Reports reach 60 days back."
    ))] = 400  # fmt: skip
    duplicate_seconds: Annotated[int, Meta(ge=0, le=604_800, description=(
        "A further click by the same visitor on the same job within this time is a duplicate: "
        "booked, never charged. 0: no click is."
    ))] = 30  # fmt: skip
    price_hours: Annotated[int, Meta(ge=0, le=8_760, description=(
        "How long a tracked link's price is honoured after a file was published that replaced or "
        "dropped its listing. Then the lower of the link's and the file's price counts; a click on "
        "what no file lists any more is latent and free, as a click definition says or after this."
    ))] = 48  # fmt: skip
    geo_file: Annotated[str, Meta(description=(
        "A file in the MaxMind format (.mmdb) that says where addresses are, for foreign clicks "
        "and the columns country and city of IP reports. Empty: nothing is known of places."
    ))] = ""  # fmt: skip
    trusted_proxies: Annotated[tuple[str, ...], Meta(max_length=100, description=(
        "Addresses or networks of front proxies whose X-Forwarded-For is believed; a comma list."
    ))] = ()  # fmt: skip
    failures_per_minute: Annotated[int, Meta(ge=0, le=1_000_000, description=(
        "So many refused credentials (401, 403) may come from one address, or by one key's prefix, "
        "in a minute; then the API answers 429 until it may try again. 0: any number."
    ))] = 6_000  # fmt: skip
    requests_at_once: Annotated[int, Meta(ge=0, le=16_384, description=(
        "So many requests of one address may be under way in the API at once, those included whose "
        "body is still being sent; a further one is answered 429. 0: any number."
    ))] = 512  # fmt: skip
    lookups_at_once: Annotated[int, Meta(ge=1, le=64, description=(
        "Slow look-ups (previews, explanations, recent events) that the API does at once; half of "
        "them for one agency. They are done two to a process."
    ))] = 4  # fmt: skip
    lookups_waiting: Annotated[int, Meta(ge=0, le=10_000, description=(
        "Slow look-ups of one agency that may wait for their turn, and eight times as many in all; "
        "a further one, or one that has waited for 10 seconds, is answered 429."
    ))] = 16  # fmt: skip
    streams_at_once: Annotated[int, Meta(ge=1, le=64, description=(
        "Streams of reports under way at once, half of them for one agency; a further one is "
        "answered 429."
    ))] = 8  # fmt: skip
    reports_waiting: Annotated[int, Meta(ge=1, le=1_000_000, description=(
        "Reports of one agency that may wait to be made, and ten times as many in all; a further "
        "one is answered 429."
    ))] = 100  # fmt: skip
    body_bytes_at_once: Annotated[int, Meta(ge=16_000_000, le=16_000_000_000, description=(
        "So many bytes of requests' bodies the API holds at once, at most half of them of one "
        "agency or partner; a further one is answered 503. Nothing is held of a caller whose "
        "credentials are refused."
    ))] = 64_000_000  # fmt: skip
    feed_most_bytes: Annotated[int, Meta(ge=1, le=1024**4, description=(
        "The largest inbound feed, unpacked; a larger one fails its run."
    ))] = 4 * 1024**3  # fmt: skip
    feed_seconds: Annotated[int, Meta(ge=1, le=86_400, description=(
        "The longest fetch of an inbound feed; a longer one fails its run."
    ))] = 1800  # fmt: skip
    fetches: Annotated[int, Meta(ge=1, le=256, description=(
        "So many feeds each fetcher may fetch at once."
    ))] = 16  # fmt: skip
    fetches_of_agency: Annotated[int, Meta(ge=1, le=256, description=(
        "So many of them may be of one agency; further ones wait."
    ))] = 4  # fmt: skip
    fetches_of_host: Annotated[int, Meta(ge=1, le=256, description=(
        "So many of them may come from one host and port; further ones wait."
    ))] = 2  # fmt: skip
    clock_file: Annotated[str, Meta(description=(
        "For tests alone: a file that holds a number of seconds, which every process adds to its "
        "clock as soon as it is changed. Refused where a door listens beyond loopback."
    ))] = ""  # fmt: skip

    log_level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description=(
        "How much the logs tell. info: one line per request of the API; debug: the edge's too."
    ))] = "info"  # fmt: skip
    judge_lag_seconds: Annotated[int, Meta(ge=1, le=86_400, description=(
        "The API is not ready while the judge was not seen at work for so long, or the oldest "
        "event that it has not booked is older."
    ))] = 120  # fmt: skip
    schedule_late_seconds: Annotated[int, Meta(ge=1, le=604_800, description=(
        "The API is not ready while an entry of the schedule is overdue by more."
    ))] = 600  # fmt: skip
    least_free_bytes: Annotated[int, Meta(ge=0, le=1024**5, description=(
        "API and edge are not ready while the disk of the data folder has less free space."
    ))] = 64 * 1024**2  # fmt: skip
    probe_seconds: Annotated[int, Meta(ge=1, le=3_600, description=(
        "How often the supervisor looks whether each process shows a sign of life; one that shows "
        "none three times in a row is killed and started again."
    ))] = 5  # fmt: skip

    def __repr__(self) -> str:
        """Nothing of it, as a trace may show it: a setting may be a secret."""
        return f"Settings(data={self.data!r}, …)"

    @property
    def public_api(self) -> str:
        return (self.api_url or self.api_address).rstrip("/")

    @property
    def public_edge(self) -> str:
        return (self.edge_url or self.edge_address).rstrip("/")

    @property
    def api_address(self) -> str:
        """Where this machine reaches the API."""
        return f"http://{_bracketed(self.near_host)}:{self.api_port}"

    @property
    def edge_address(self) -> str:
        """Where this machine reaches the edge."""
        return f"http://{_bracketed(self.near_host)}:{self.edge_port}"

    @property
    def near_host(self) -> str:
        """The address at which this machine reaches what listens on ``host``."""
        return _ANY_ADDRESS.get(self.host, self.host)

    @property
    def is_near(self) -> bool:
        """Whether nobody beyond this machine reaches what listens on ``host``."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def data_folder(self) -> Path:
        return Path(self.data).absolute()

    @property
    def journal_folder(self) -> Path:
        named = self.journal_url.removeprefix("file://")
        return Path(named).absolute() if named else self.data_folder / "journal"

    @property
    def index_folder(self) -> Path:
        return self.data_folder / "index"

    @property
    def nearby_folder(self) -> Path:
        """Where the edge finds the folder ``feeds``: the blobs, or copies of those in S3."""
        if self.blobs_address.startswith("s3://"):
            return self.data_folder / "nearby"
        return Path(self.blobs_address)

    @property
    def scratch_folder(self) -> Path:
        """For caches and temporary files: may be deleted while nothing runs."""
        return self.data_folder / "scratch"

    @property
    def figures_folder(self) -> Path:
        """Where each process keeps its figures."""
        return self.scratch_folder / "figures"

    @property
    def beats_folder(self) -> Path:
        """Where each process notes that it is at work."""
        return self.scratch_folder / "beats"

    @property
    def records_address(self) -> str:
        return self.records_url or f"sqlite:///{self.data_folder / 'records.db'}"

    @property
    def blobs_address(self) -> str:
        """A folder, or the URL of an object store."""
        return self.blobs_url.removeprefix("file://") or str(self.data_folder / "blobs")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
