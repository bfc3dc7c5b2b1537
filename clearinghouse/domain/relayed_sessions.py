"""What the house learns of a session that it relays: whether it may have begun to charge, so that a CDR is owed."""

from __future__ import annotations

from clearinghouse.ochp.direct import (
    ControlEvseRequest,
    ControlEvseResponse,
    DirectMessage,
    DirectOperation,
    InformProviderMessage,
)
from clearinghouse.ochp.results import DirectResultCode

TAKEN = frozenset({DirectResultCode.OK, DirectResultCode.PARTLY})


def may_have_begun(request: ControlEvseRequest, answer: ControlEvseResponse | None) -> bool:
    """Whether a start was asked for and not refused; where no answer came, it may have been heard all the same."""
    return request.operation is DirectOperation.START and (answer is None or answer.result.result_code in TAKEN)


def tells_of_charge(message: InformProviderMessage) -> bool:
    """Whether a car was connected, or energy flows or flowed (OCHP-direct, InformProvider)."""
    return message.message is DirectMessage.START or bool(message.charged_energy) or bool(message.current_power)
