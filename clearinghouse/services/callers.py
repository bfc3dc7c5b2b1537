"""In which role a caller of the house acts: operations are for operators, for providers, or for both."""

from __future__ import annotations

from clearinghouse.domain.errors import NotAuthorized
from clearinghouse.domain.partners import Partner
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.services.calls_port import Caller
from clearinghouse.services.endpoints import as_partner

UNCONNECTED = Result.of(ResultCode.ROAMING, "No roaming connection: ask the clearing house to set one up.")


def acting_as(role: Role, caller: Caller) -> Partner:
    """The caller as a partner that has IDs of the role. Raises NotAuthorized."""
    partner = as_partner(caller)
    if not partner.ids_as(role):
        raise NotAuthorized(f"This operation is for partners with {role.value} IDs; {partner.name} has none.")
    return partner
