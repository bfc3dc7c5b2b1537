"""What can go wrong, by name; each error carries the result code that the partner is told."""

from __future__ import annotations

from clearinghouse.ochp.results import DirectResultCode, ResultCode


class ClearinghouseError(Exception):
    """Something the caller should know about."""

    code: ResultCode = ResultCode.SERVER
    direct_code: DirectResultCode = DirectResultCode.SERVER


class NotAuthenticated(ClearinghouseError):  # noqa: N818
    """The security token could not be authenticated or authorized"""

    code = ResultCode.NOT_AUTHORIZED


class Busy(ClearinghouseError):  # noqa: N818
    """Too much is under way at this time: try again in some seconds."""


class NotAuthorized(ClearinghouseError):  # noqa: N818
    """The caller is known, but this operation is not for it."""

    code = ResultCode.NOT_AUTHORIZED
    direct_code = DirectResultCode.NOT_SUPPORTED


class NotConnected(ClearinghouseError):  # noqa: N818
    """No roaming connection: ask the clearing house to set one up."""

    code = ResultCode.ROAMING


class Malformed(ClearinghouseError):  # noqa: N818
    """The message is well-formed XML but not what the contract says; the text tells what and where."""

    code = ResultCode.FORMAT


class UnknownId(ClearinghouseError):  # noqa: N818
    """An identifier that is unknown, expired, or not the caller's."""

    code = ResultCode.INVALID_ID
    direct_code = DirectResultCode.INVALID_ID


class Conflict(ClearinghouseError):  # noqa: N818
    """Something of this name or number exists already."""

    code = ResultCode.INVALID_ID


class NotFound(ClearinghouseError):  # noqa: N818
    """The EVSE is not known to the operator."""

    code = ResultCode.INVALID_ID
    direct_code = DirectResultCode.NOT_FOUND


class NotSupported(ClearinghouseError):  # noqa: N818
    """The EVSE or the operation is known, but OCHP-direct is not offered for it."""

    direct_code = DirectResultCode.NOT_SUPPORTED


class EvseUnavailable(ClearinghouseError):  # noqa: N818
    """The EVSE is occupied, reserved or out of order: OCHP has no code for it, so the text starts with a word."""

    def __init__(self, why: str) -> None:
        super().__init__(f"evse-unavailable: {why}")


class PartnerFailed(ClearinghouseError):  # noqa: N818
    """A call to a partner had no usable outcome; whether it took effect there may be unknown."""


class PartnerUnreachable(PartnerFailed):
    """The partner could not be reached: no connection, or no trust in its certificate."""


class PartnerTimedOut(PartnerFailed):
    """The partner did not answer in time."""


class PartnerAnsweredNonsense(PartnerFailed):
    """The partner answered something that is no answer to the call."""


class PartnerRefused(PartnerFailed):
    """The partner answered with a fault or did not accept the credentials (HTTP 401)."""


class RefusedByPartner(ClearinghouseError):  # noqa: N818
    """The partner understood the call and said no."""

    def __init__(self, code: DirectResultCode, description: str) -> None:
        super().__init__(description)
        self.direct_code = code
        self.description = description


class UnknownSession(ClearinghouseError):  # noqa: N818
    """No message can be built about a session that never was: the caller gets a fault."""
