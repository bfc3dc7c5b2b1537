"""Settings: one frozen value per role, read from a TOML file and from `CLEARINGHOUSE_…` variables, which win."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Any

from pydantic import AfterValidator, Field, HttpUrl, SecretStr, StringConstraints, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from clearinghouse.domain.cdr_review import RULES
from clearinghouse.domain.clock import Clock, system_clock
from clearinghouse.domain.evidence import Verdict
from clearinghouse.domain.patterns import PatternCase
from clearinghouse.domain.retention import HISTORY
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import ORDER, Version
from clearinghouse.services.partner_line import Relaying

PartyId = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}[A-Z0-9]{3}$")]


def _rule_name(name: str) -> str:
    if name not in RULE_NAMES:
        raise ValueError(f"there is no rule {name!r}, only {', '.join(sorted(RULE_NAMES))}")
    return name


RULE_NAMES = frozenset(each.name for each in RULES)
RuleName = Annotated[str, AfterValidator(_rule_name)]


class Settings(BaseSettings):
    """Everything a running role wants to know. Powers in kW, energies in kWh, times in seconds unless said."""

    model_config = SettingsConfigDict(
        env_prefix="CLEARINGHOUSE_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    role: Role
    home: Path = Path("clearinghouse-data")
    """Where the embedded database and generated keys live."""
    database_url: SecretStr | None = None
    """PostgreSQL, `postgresql://user:password@host/name`; without it the embedded server in `home` is used."""
    database_name: str = "clearinghouse"
    encryption_keys: tuple[SecretStr, ...] = ()
    """Fernet keys for tokens at rest, the newest first; without them one is made and kept in `home`."""

    host: str = "127.0.0.1"
    port: int = 8443
    public_url: HttpUrl
    """How partners reach this server, for example `https://hub.example:8443`."""
    certificate: Path | None = None
    private_key: Path | None = None
    plain_http: bool = False
    """Serve without TLS: only behind a proxy that has it."""
    trust_forwarded: bool = False
    workers: int = 1
    threads: int = 2
    max_body: int = 2 * 1024 * 1024
    max_upload: int = 4 * 1024**3
    """House only: longest upload in bytes; what is longer than `max_body` waits in a file, from known partners only."""
    body_timeout: float = 20.0

    ca_bundle: Path | None = None
    """Certificates to trust when calling partners, beside none other; without it the system's."""
    partner_timeout: float = 20.0
    allow_private_partners: bool = False
    """Call endpoints at loopback and private addresses too: for trials and closed networks."""

    relayed_calls: Annotated[int, Field(ge=1)] = 32
    """The house only: relayed calls that may wait for partners at a time, each in a thread beside `threads`."""
    relayed_of_one: Annotated[int, Field(ge=1)] = 8
    """Of these the calls of one partner, and to one partner."""

    dialects: tuple[Version, ...] = ORDER
    contract_pattern_case: PatternCase = PatternCase.LITERAL
    clock_file: Path | None = None
    """A simulated clock, for trials only: JSON with `real`, `simulated` (both ISO) and `speed`."""
    trace: Path | None = None
    """A folder for every SOAP message sent or received, secrets masked: for trials only."""
    reconcile_every: float = 60.0
    """Seconds between two looks at what the token cycle asks for; its own times of day are kept besides."""

    lost_cdr_hours: Annotated[float, Field(ge=0)] = 72.0
    """House only: a relayed session that may have charged is listed as lost when it has no CDR so many hours later."""
    status_minutes: Annotated[float, Field(ge=0)] = 5
    """House only: how long `available` is believed when the operator says no time to live; 0 is without end."""
    status_longest_hours: Annotated[float, Field(ge=0)] = 24
    """House only: how long any live status is believed at most; 0 is without end."""

    history_days: Annotated[float, Field(ge=1)] = HISTORY.days
    """How long sessions, charges and relayed sessions are kept once they are over; charge data stays for good."""

    house_url: HttpUrl | None = None
    """Partners only: the house's base URL."""
    house_username: str | None = None
    house_password: SecretStr | None = None
    relaying: Relaying = Relaying.WHEN_NEEDED
    """Partners only: when direct calls go through the house."""
    party_ids: tuple[PartyId, ...] = ()
    """Partners only: the own operator IDs or provider IDs."""
    whitelist: tuple[str, ...] = ()
    """Partners only: patterns of what the own back end answers for; everything of `party_ids` unless given."""
    blacklist: tuple[str, ...] = ()
    operators_in_wh: tuple[PartyId, ...] = ()
    """Providers only: operators whose messages carry the meter in Wh."""

    evse_file: Path | None = None
    """Operators only: the EVSEs of the simulated stations."""
    tariff_file: Path | None = None
    """Operators only: the tariffs, in JSON."""
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "EUR"
    """Operators only: the currency of a CDR where no tariff applies."""
    charge_point_upload: bool = True
    tariff_upload: bool = True
    status_upload: bool = True
    roaming_list_download: bool = True
    cdr_upload: bool = True
    """Operators only: what is exchanged with the house. Without CDRs, `finish` is told when a session closes."""
    roaming_list_minutes: Annotated[float, Field(gt=0)] = 5.0
    check_cdr_minutes: Annotated[float, Field(gt=0)] = 5.0
    """How often to ask for changes of the roaming list, and for declined CDRs."""
    status_every: Annotated[float, Field(gt=0)] = 5.0
    """Seconds between two looks at the live status."""
    token_upload: bool = True
    charge_point_download: bool = True
    tariff_download: bool = True
    status_download: bool = True
    cdr_download: bool = True
    """Providers only: what is exchanged with the house. CDRs that are downloaded are also confirmed."""
    get_update_minutes: Annotated[float, Field(gt=0)] = 15.0
    get_status_minutes: Annotated[float, Field(gt=0)] = 1.0
    get_cdr_minutes: Annotated[float, Field(gt=0)] = 5.0
    """How often to ask for changed charge points and tariffs, for live status, and for CDRs."""
    cdr_rules: dict[RuleName, Verdict] = {}
    """Providers only: what becomes of CDRs that break a rule (approve, wait, decline), where not as the table says."""
    cdr_energy_tolerance: Annotated[Decimal, Field(ge=0)] = Decimal("0.1")
    """By how many kWh a CDR may differ from what the operator told."""
    cdr_largest_total: Annotated[Decimal, Field(ge=0)] = Decimal(500)
    """A CDR that costs more breaks the rule `modest-total`, in whatever currency."""
    bulk_timeout: Annotated[float, Field(gt=0)] = 300.0
    """Seconds that the transfer of a whole list may take."""
    selection_minutes: float = 5
    longest_reservation_minutes: float = 30
    plug_in_minutes: float = 5
    session_hours: float = 24
    after_end_minutes: float = 15
    work_every: float = 1.0
    """Seconds between two rounds of station events, deadlines and deliveries."""
    meter_every: float = 10.0
    """Seconds between two readings of a charging station's meter."""
    tell_energy: Annotated[float, Field(gt=0)] = 1.0
    """What must have changed for an `info`: kWh, kW; and how often at most and at least, in minutes."""
    tell_power: Annotated[float, Field(gt=0)] = 1.0
    tell_spacing: Annotated[float, Field(ge=0)] = 15.0
    tell_silence: Annotated[float, Field(gt=0)] = 60.0

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables win over the file."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))

    @model_validator(mode="after")
    def _complete(self) -> Settings:
        """A role that lacks what it cannot work without is refused now, not at its first call."""
        missing = [name for name in NEEDED[self.role] if not getattr(self, name)]
        if not self.plain_http:
            missing += [name for name in ("certificate", "private_key") if getattr(self, name) is None]
        if missing:
            raise ValueError(f"the {self.role} needs: {', '.join(missing)}")
        return self

    @property
    def base_url(self) -> str:
        """The public URL without a trailing slash."""
        return str(self.public_url).rstrip("/")

    @cached_property
    def clock(self) -> Clock:
        """The machine's clock, or the simulated one."""
        return SimulatedClock(self.clock_file) if self.clock_file else system_clock


NEEDED: dict[Role, tuple[str, ...]] = {
    Role.HOUSE: (),
    Role.OPERATOR: ("house_url", "house_username", "house_password", "party_ids", "evse_file"),
    Role.PROVIDER: ("house_url", "house_username", "house_password", "party_ids"),
}


def load(path: Path | None, **overrides: Any) -> Settings:
    """The settings of one role from a TOML file; relative paths in it are relative to the file.

    Raises OSError, and ValueError: pydantic.ValidationError, or one that names a file that is no TOML.
    """
    if path is None:
        return Settings(**overrides)
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    try:
        found = FromFile(**overrides)
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no TOML: {error}") from error
    return _anchored(found, path.parent)


PATHS = ("home", "certificate", "private_key", "ca_bundle", "clock_file", "trace", "evse_file", "tariff_file")


def _anchored(settings: Settings, folder: Path) -> Settings:
    anchored = {name: folder / value for name in PATHS if (value := getattr(settings, name)) is not None}
    return settings.model_copy(update=anchored)


class SimulatedClock:
    """A clock that runs from a file: at `real` it shows `simulated`, and since then goes `speed` times as fast.

    The file is read again when it changes, so that all processes of a trial share one clock that can be turned.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = 0
        self._real = self._simulated = datetime.now(UTC)
        self._speed = 1.0

    def __call__(self) -> datetime:
        """The simulated instant."""
        stamp = self._path.stat().st_mtime_ns
        if stamp != self._stamp:
            stated = json.loads(self._path.read_text())
            self._real = datetime.fromisoformat(stated["real"])
            self._simulated = datetime.fromisoformat(stated["simulated"])
            self._speed = float(stated.get("speed", 1))
            self._stamp = stamp
        elapsed = (datetime.now(UTC) - self._real).total_seconds()
        return self._simulated + timedelta(seconds=elapsed * self._speed)
