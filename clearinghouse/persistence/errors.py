"""What can go wrong between the program and its database."""

from __future__ import annotations

from clearinghouse.domain.errors import ClearinghouseError


class StoreUnreachable(ClearinghouseError):  # noqa: N818
    """The database cannot be reached, or refuses the log-in."""


class SchemaOutdated(ClearinghouseError):  # noqa: N818
    """The database's schema is not the one that this program was written for."""


class EmbeddedFailed(ClearinghouseError):  # noqa: N818
    """The embedded PostgreSQL did not start."""


class WrongKey(ClearinghouseError):  # noqa: N818
    """The database holds a secret that none of the configured keys can open."""
