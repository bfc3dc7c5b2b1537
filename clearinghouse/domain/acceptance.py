"""Endpoints at the clearing house: which uploads are accepted, and what of them a partner is shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import SplitResult, urlsplit

from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.partners import Partner
from clearinghouse.domain.patterns import WILDCARD, is_valid_pattern, party_of, role_of
from clearinghouse.domain.token_day import ONE_DAY, is_static, sending_day, valid_until
from clearinghouse.ochp.direct import AddServiceEndpointsRequest, OperatorEndpoint, ProviderEndpoint
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.versions import BY_NAMESPACE, V1_3, Version

Record = ProviderEndpoint | OperatorEndpoint

DAYS_AHEAD = 7
"""How many days ahead a token may be given."""

HTTPS_PORT = 443
MAX_NAMED, LONGEST_NAMED = 3, 60


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why an endpoint is not stored: one sentence that names it and says what to do."""

    code: ResultCode
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One uploaded record with everything it is judged by."""

    record: Record
    role: Role
    version: Version
    partner: Partner
    now: datetime
    holders_of_token: Collection[str]
    house_url: str

    @property
    def dialect(self) -> Version | None:
        """The version that the endpoint speaks, or None where its namespace is unknown."""
        namespace = self.record.namespace_url
        if namespace is None:
            return V1_3 if self.version is V1_3 else None
        return BY_NAMESPACE.get(namespace.strip().rstrip("/"))

    @property
    def is_static(self) -> bool:
        """Whether the token is one of 0.1 that outlives its day."""
        return is_static(self.record.valid_date, self.record.valid_until, self.now)

    @property
    def name(self) -> str:
        """The record, for the uploader to find it: URL (without credentials), role and day."""
        scheme, _, rest = " ".join(self.record.url.split()).partition("://")
        place = "…@" + rest.rpartition("@")[2] if "@" in rest else rest
        return f"{self.role} endpoint {scheme}://{place} for {self.record.valid_date}"


def _listed(patterns: Iterable[str]) -> str:
    all_of_them = tuple(patterns)
    more = len(all_of_them) - MAX_NAMED
    named = ", ".join(each[:LONGEST_NAMED] for each in all_of_them[:MAX_NAMED])
    return named + (f" and {more} more" if more > 0 else "")


def _split(url: str) -> SplitResult | None:
    """The parts of a URL, or None where it has no host or an impossible port."""
    try:
        parts = urlsplit(url)
        has_place = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if has_place else None


def _place(parts: SplitResult) -> tuple[str | None, int]:
    return parts.hostname, parts.port or HTTPS_PORT


def _url_fault(upload: Upload) -> str | None:
    parts = _split(upload.record.url)
    if parts is None or parts.scheme != "https" or not upload.record.url.isprintable():
        return "its URL is no https address; give one that starts with https:// and a host name"
    if "@" in parts.netloc:
        return "its URL contains credentials; leave them out, the access token is enough"
    house = _split(upload.house_url)
    if house is not None and _place(parts) == _place(house):
        return "its URL is the clearing house's own; give the address of your own system"
    return None


def _dialect_fault(upload: Upload) -> str | None:
    if upload.dialect is not None:
        return None
    return f"its namespaceUrl is not known; give one of {', '.join(BY_NAMESPACE)}"


def _token_fault(upload: Upload) -> str | None:
    token = upload.record.access_token
    if not token.strip():
        return "its access token is empty; make a new one"
    if not token.isprintable():
        return "its access token contains control characters; make a new one of letters and digits"
    if set(upload.holders_of_token) - {upload.partner.name}:
        return "its access token is not unique; make a new one and upload again"
    return None


def _day_fault(upload: Upload) -> str | None:
    day, today = upload.record.valid_date, sending_day(upload.now)
    if upload.is_static:
        return None
    if day > today + timedelta(days=DAYS_AHEAD):
        return f"its day is too far ahead; give one until {today + timedelta(days=DAYS_AHEAD)}"
    ends_at = upload.record.valid_until or valid_until(max(day, today - ONE_DAY))
    if day < today - ONE_DAY or ends_at < upload.now:
        return f"its time is over; upload the tokens of {today} and {today + ONE_DAY}"
    return None


def _pattern_fault(upload: Upload) -> str | None:
    record = upload.record
    if not record.whitelist:
        return "its whitelist is empty; name at least one pattern"
    bad = [each for each in (*record.whitelist, *record.blacklist) if not is_valid_pattern(each, upload.role)]
    if bad:
        letter, ids = ("E", "EVSE-IDs") if upload.role is Role.OPERATOR else ("C", "Contract-IDs")
        return (
            f"{_listed(bad)} is no pattern of {ids}; write country, party and {letter} without separators, "
            "and one % at the end at most"
        )
    return None


def _owner_fault(upload: Upload) -> str | None:
    own = upload.partner.ids_as(upload.role)
    foreign = [each for each in upload.record.whitelist if party_of(each) not in own]
    if not foreign:
        return None
    ids = ", ".join(sorted(own)) or "none is registered"
    return f"{_listed(foreign)} is not of your {upload.role} IDs; use patterns of your own IDs only ({ids})"


CHECKS: tuple[tuple[Callable[[Upload], str | None], ResultCode], ...] = (
    (_url_fault, ResultCode.FORMAT),
    (_dialect_fault, ResultCode.FORMAT),
    (_token_fault, ResultCode.FORMAT),
    (_day_fault, ResultCode.FORMAT),
    (_pattern_fault, ResultCode.INVALID_ID),
    (_owner_fault, ResultCode.INVALID_ID),
)
"""What a record must pass, in this order; the first fault is told."""


def shape_of(record: Record, role: Role) -> Role:
    """The role that all patterns are of: what counts where a record was uploaded in the wrong array."""
    roles = {role_of(each) for each in record.whitelist}
    if len(roles) == 1 and (only := roles.pop()) is not None:
        return only
    return role


def judge_endpoint(
    endpoint_record: Record,
    role: Role,
    version: Version,
    partner: Partner,
    now: datetime,
    holders_of_token: Collection[str],
    house_url: str,
) -> Refusal | Endpoint:
    """The endpoint to store, or why not.

    `version` is the dialect of the request, `holders_of_token` the partners that ever used the record's token.
    """
    upload = Upload(
        record=endpoint_record,
        role=shape_of(endpoint_record, role),
        version=version,
        partner=partner,
        now=now,
        holders_of_token=holders_of_token,
        house_url=house_url,
    )
    for check, code in CHECKS:
        if (fault := check(upload)) is not None:
            return Refusal(code=code, text=f"{upload.name} refused: {fault}.")
    return _accepted(upload)


def _accepted(upload: Upload) -> Endpoint:
    record = upload.record
    return Endpoint(
        partner=upload.partner.name,
        role=upload.role,
        url=record.url,
        version=upload.dialect or upload.version,
        access_token=record.access_token,
        day=record.valid_date,
        whitelist=record.whitelist,
        blacklist=record.blacklist,
        uploaded_at=upload.now,
        valid_until=record.valid_until if upload.is_static else None,
    )


def judge(
    request: AddServiceEndpointsRequest,
    version: Version,
    partner: Partner,
    now: datetime,
    holders: Callable[[str], Collection[str]],
    house_url: str,
) -> tuple[tuple[Endpoint, ...], tuple[Refusal, ...]]:
    """The endpoints to store and the refused ones. Where one request repeats an endpoint and day, the first holds.

    `holders` tells which partners ever used a token.
    """
    accepted: dict[tuple[Role, str, date], Endpoint] = {}
    refused: list[Refusal] = []
    records: list[tuple[Role, Record]] = [
        *((Role.PROVIDER, each) for each in request.provider_endpoint_array),
        *((Role.OPERATOR, each) for each in request.operator_endpoint_array),
    ]
    for role, record in records:
        verdict = judge_endpoint(record, role, version, partner, now, holders(record.access_token), house_url)
        if isinstance(verdict, Refusal):
            refused.append(verdict)
        elif (key := (verdict.role, verdict.url, verdict.day)) in accepted:
            text = (
                f"{key[0]} endpoint {key[1]} for {key[2]} refused: it is given twice; put all patterns into one record."
            )
            refused.append(Refusal(code=ResultCode.FORMAT, text=text))
        else:
            accepted[key] = verdict
    return tuple(accepted.values()), tuple(refused)


def visible(endpoint: Endpoint, viewer_connected_ids: Collection[str], now: datetime) -> Endpoint | None:
    """The endpoint with the patterns of those parties only that the viewer is connected to.

    None where that leaves nothing to answer for, or the endpoint's time is over.
    """
    if now > endpoint.ends_at:
        return None
    whitelist, blacklist = (
        tuple(each for each in patterns if party_of(each) in viewer_connected_ids)
        for patterns in (endpoint.whitelist, endpoint.blacklist)
    )
    return dataclasses.replace(endpoint, whitelist=whitelist, blacklist=blacklist) if whitelist else None


def days_shown(endpoint: Endpoint, now: datetime) -> tuple[date, ...]:
    """The days for which a reader of 0.2 is told this endpoint: today and tomorrow for a static token of 0.1."""
    if endpoint.valid_until is None:
        return (endpoint.day,)
    today = sending_day(now)
    return tuple(day for day in (today, today + ONE_DAY) if day <= endpoint.day)


def merged(endpoints: Sequence[Endpoint]) -> Endpoint:
    """The first endpoint, made to answer for whatever any of these answers for.

    An exception of one that another one may cover is none any more: the endpoints themselves decide in the end.
    """
    whitelist = tuple(dict.fromkeys(pattern for each in endpoints for pattern in each.whitelist))
    blacklist = tuple(
        exception
        for each in endpoints
        for exception in each.blacklist
        if not any(_is_covered(exception, other) for other in endpoints if other is not each)
    )
    return dataclasses.replace(endpoints[0], whitelist=whitelist, blacklist=blacklist)


def _is_covered(exception: str, endpoint: Endpoint) -> bool:
    """Whether an identifier could match both the exception and one of the endpoint's patterns."""
    literal = exception.removesuffix(WILDCARD)
    others = [each.removesuffix(WILDCARD) for each in endpoint.whitelist]
    return any(each.startswith(literal) or literal.startswith(each) for each in others)
