"""What a test may look up behind a stage's back: its partners' secrets, and a partner's own calls."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

from clearinghouse.app.store import store
from clearinghouse.cli.stage import Stage
from clearinghouse.domain.token_day import sending_day
from clearinghouse.ochp.operations import Operation
from clearinghouse.ochp.versions import V1_4, Version
from clearinghouse.services.calls_port import Login, TokenPair
from clearinghouse.settings import load
from clearinghouse.soap.client import SoapLine
from tests.stories.simulated import now


def login(stage: Stage, place: str) -> Login:
    """A partner's user name and password at the house, from its settings."""
    stated = tomllib.loads(stage.settings(place).read_text())
    return Login(stated["house_username"], stated["house_password"])


def tokens(stage: Stage, place: str) -> dict[date, str]:
    """A back end's own tokens by day."""
    settings = load(stage.settings(place), database_url=stage.database(place))
    with store(settings) as opened, opened.books() as books:
        return {each.day: each.token for each in books.own_tokens.all()}


def pair(stage: Stage, receiver: str, sender: str) -> TokenPair:
    """Today's tokens with which one back end calls another."""
    day = sending_day(now(stage))
    return TokenPair(tokens(stage, receiver)[day], tokens(stage, sender)[day])


def line(stage: Stage, timeout: float = 10) -> SoapLine:
    """A partner's line, which trusts the stage's authority."""
    return SoapLine(timeout=timeout, ca_bundle=stage.folder / "certs" / "ca.pem", allow_private=True)


def ask_house(
    stage: Stage, operation: Operation, request: Any, credentials: Login | TokenPair, version: Version = V1_4
) -> Any:
    """The house's answer."""
    return line(stage).call(
        f"{stage.url('house')}/direct/ochp/{version.path}", version, operation, request, credentials
    )
