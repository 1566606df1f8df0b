"""Every setting, with its default and meaning. ``config`` fills it once; rooms are handed it."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

_MOST_PORT = 65_535
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to be told from others
_Port = Annotated[int, Meta(ge=0, le=_MOST_PORT)]
_HostPort = Annotated[str, Meta(pattern=r"^(\[[0-9a-fA-F:.]+\]|[^\s:/]+):[0-9]{1,5}$")]

_ADDRESS = r"^(https?://[^\s/]+(/[^\s]*)?)?$"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is the variable ``HANDBILL_<NAME>`` and the key ``<name>`` of handbill.toml.

    The text beneath a field is its meaning, as ``handbill settings`` and the documents print it.
    """

    data: Annotated[str, Meta(min_length=1)] = "data"
    """Folder of the installation: records, journal, blobs and the edge's index."""
    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    """Address on which the API and the edge listen."""
    api_port: _Port = 8080
    """Port of the API. 0 takes any free port and prints it in the ready line."""
    edge_port: _Port = 8081
    """Port of the edge: clicks, pixels, outbound feeds. 0 takes any free port."""
    api_url: Annotated[str, Meta(pattern=_ADDRESS)] = ""
    """Public address of the API, used in report links. Empty: http://{host}:{api_port}."""
    edge_url: Annotated[str, Meta(pattern=_ADDRESS)] = ""
    """Public address of the edge, used in tracked links. Empty: http://{host}:{edge_port}."""
    records_url: str = ""
    """Database of the records: sqlite:///path or postgresql://user@host/name. Empty: SQLite at
    {data}/records.db.
    """
    journal_url: str = ""
    """Folder on this machine in which received events are stored durably. Empty: {data}/journal."""
    blobs_url: str = ""
    """Storage for outbound feeds, reports and judged entries: a folder, or s3://bucket/prefix.
    Empty: {data}/blobs.
    """
    secrets_key: str = ""
    """Master key (32 bytes, base64) that encrypts passwords and our own keys in the records.
    Several keys are separated by commas, the newest first. Empty: the key is read from a file.
    """
    secrets_key_file: str = ""
    """File with the master key, one key per line. All processes on the same records need the
    same file. Empty: {data}/secrets.key, created at the first start.
    """
    egress_allow: Annotated[tuple[_HostPort, ...], Meta(max_length=100)] = ()
    """Comma-separated host:port pairs that feeds and FTP deliveries may reach although the
    address is private or the port unusual.
    """
    egress_allow_callbacks: Annotated[tuple[_HostPort, ...], Meta(max_length=100)] = ()
    """The same for callbacks, whose addresses come from whoever requests a report."""
    smtp_url: str = ""
    """Server that takes mails (invitations, reports): smtp://user:password@host:587, or
    smtps:// for TLS from the first byte. Empty: nothing is mailed.
    """
    smtp_from: str = ""
    """Sender's mail address. Empty: handbill@ and the host of the API's public address."""
    smtp_tls: Literal["AUTO", "REQUIRED", "OFF"] = "AUTO"
    """Whether smtp:// requires TLS (STARTTLS): REQUIRED, OFF, or AUTO, which requires it unless
    the server is on this machine.
    """
    workers: Annotated[int, Meta(ge=1, le=64)] = 2
    """Number of worker processes: matching, outbound feeds, reports. Of several, no agency has
    all at once if there are others.
    """
    fetchers: Annotated[int, Meta(ge=1, le=64)] = 2
    """Number of fetcher processes: feed imports, callbacks, mails, FTP deliveries."""
    edges: Annotated[int, Meta(ge=0, le=64)] = 1
    """Number of edge processes; they share one port. 0: `serve` starts none, because they run
    separately by `handbill edge`.
    """
    rules_mode: Literal["OFF", "ADVISE", "ACT"] = "ACT"
    """The most that rules may do for any client: nothing (OFF), report what they would do
    (ADVISE), or do it (ACT). Each client also has its own setting.
    """
    token_seconds: Annotated[int, Meta(ge=1, le=604_800)] = 86_400
    """Lifetime of an access token."""
    ip_mode: Literal["full", "truncated", "hashed"] = "truncated"
    """How the ledger stores visitors' addresses: full, truncated (/24, /48) or hashed."""
    retention_days: Annotated[int, Meta(ge=1, le=36_500)] = 400
    """How long judged entries are kept. Reports reach back 60 days, or to the first whole day that
    is kept."""
    duplicate_seconds: Annotated[int, Meta(ge=0, le=604_800)] = 30
    """A repeated click by the same visitor on the same job within this time is a duplicate:
    recorded, but never charged. 0 turns this off.
    """
    price_hours: Annotated[int, Meta(ge=0, le=8_760)] = 48
    """How long the price of a tracked link stays valid after a newer file has replaced or
    dropped its listing. After this time the lower of the link's and the file's price is
    charged. A click on a job that no file lists any more is latent and free, after the time in
    the click definition or after this one.
    """
    stale_price_hours: Annotated[int, Meta(ge=0, le=8_760)] = 24
    """How long clicks at an old price are still paid after that: from when the price is no longer
    valid and the publisher has fetched a file without it. Later clicks are latent and free, with
    the reason price_too_old.
    """
    day_ceiling: Annotated[float, Meta(ge=1.0, le=2.0)] = 1.2
    """The most that one day may use of a paced monthly cap, in shares of that day; or one click or
    apply, once an even use is due another.
    """
    geo_file: str = ""
    """MaxMind database (.mmdb) used to find foreign clicks and to fill the columns country and
    city of IP reports. Empty: locations are unknown.
    """
    trusted_proxies: Annotated[tuple[str, ...], Meta(max_length=100)] = ()
    """Comma-separated addresses or networks of front proxies whose X-Forwarded-For header is
    trusted.
    """
    failures_per_minute: Annotated[int, Meta(ge=0, le=1_000_000)] = 6_000
    """Refused credentials (401, 403) allowed per minute from one address, or with one key
    prefix. Beyond this the API answers 429 for a while. 0: no limit.
    """
    requests_at_once: Annotated[int, Meta(ge=0, le=16_384)] = 512
    """Concurrent requests allowed from one address, including those still sending their body.
    Further ones are answered with 429. 0: no limit.
    """
    lookups_at_once: Annotated[int, Meta(ge=1, le=64)] = 4
    """Slow look-ups (previews, explanations, recent events) that the API runs concurrently. One
    agency may use half of them. Each process runs two.
    """
    lookups_waiting: Annotated[int, Meta(ge=0, le=10_000)] = 16
    """Slow look-ups of one agency that may wait, and eight times as many in total. Further
    ones, and those that have waited for 10 seconds, are answered with 429.
    """
    streams_at_once: Annotated[int, Meta(ge=1, le=64)] = 8
    """Concurrent report streams. One agency may use half of them. Further ones are answered
    with 429.
    """
    reports_waiting: Annotated[int, Meta(ge=1, le=1_000_000)] = 100
    """Reports of one agency that may wait, and ten times as many in total. Further ones are
    answered with 429.
    """
    body_bytes_at_once: Annotated[int, Meta(ge=16_000_000, le=16_000_000_000)] = 64_000_000
    """Memory for request bodies in the API, in bytes. One agency or partner may use half of it.
    Further requests are answered with 503. Bodies are only read after the credentials were
    accepted.
    """
    feed_most_bytes: Annotated[int, Meta(ge=1, le=1024**4)] = 4 * 1024**3
    """Largest inbound feed, uncompressed. The run of a larger one fails."""
    feed_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 1800
    """Longest download of an inbound feed. The run of a slower one fails."""
    fetches: Annotated[int, Meta(ge=1, le=256)] = 16
    """Feeds that one fetcher downloads concurrently."""
    fetches_of_agency: Annotated[int, Meta(ge=1, le=256)] = 4
    """Of these, how many may belong to one agency. Further ones wait."""
    fetches_of_host: Annotated[int, Meta(ge=1, le=256)] = 2
    """Of these, how many may come from one host and port. Further ones wait."""
    clock_file: str = ""
    """For tests only: a file with a number of seconds that every process adds to its clock.
    Refused when the API or the edge listens beyond loopback.
    """

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity of log lines. info includes one line per API request; debug also one per
    request of the edge.
    """
    judge_lag_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 120
    """The API reports not ready when the judge has shown no activity for this long, or when the
    oldest event not yet judged is older than this.
    """
    schedule_late_seconds: Annotated[int, Meta(ge=1, le=604_800)] = 600
    """The API reports not ready when a scheduled task is overdue by more than this."""
    least_free_bytes: Annotated[int, Meta(ge=0, le=1024**5)] = 64 * 1024**2
    """The API and the edge report not ready when the disk of the data folder has less free
    space than this.
    """
    probe_seconds: Annotated[int, Meta(ge=1, le=3_600)] = 5
    """How often the supervisor checks that each process responds. A process that misses three
    checks in a row is killed and restarted.
    """

    def __repr__(self) -> str:
        """Nothing of it, as a trace may show it: a setting may be a secret."""
        return f"Settings(data={self.data!r}, …)"

    @property
    def ceiling_ppm(self) -> int:
        """day_ceiling in parts per million."""
        return round(1_000_000 * self.day_ceiling)

    @property
    def public_api(self) -> str:
        return (self.api_url or self.api_address).rstrip("/")

    @property
    def mail_sender(self) -> str:
        host = urlsplit(self.public_api).hostname or ""
        is_name = host.isascii() and ":" not in host
        return self.smtp_from or f"handbill@{host if is_name else 'localhost'}"

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
