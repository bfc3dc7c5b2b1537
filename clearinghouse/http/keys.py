"""Bearer keys at the door of the JSON APIs (RFC 6750)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from clearinghouse.domain.api_keys import key_hash
from clearinghouse.domain.errors import NotAuthenticated
from clearinghouse.services.api_keys_port import ApiKey

FindKey = Callable[[str], ApiKey | None]
"""The living key with this hash."""

CHALLENGE = 'Bearer realm="clearinghouse"'

BEARER = HTTPBearer(auto_error=False, scheme_name="key", description="A key from `clearinghouse api-key issue`.")


def keyed(find: FindKey) -> Any:
    """A dependency that lets nobody in without a living key and tells whose it is. Raises NotAuthenticated."""

    def holder(credentials: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]) -> ApiKey:
        key = find(key_hash(credentials.credentials)) if credentials else None
        if key is None:
            raise NotAuthenticated("An Authorization header with a valid bearer key is needed.")
        return key

    return Depends(holder)
