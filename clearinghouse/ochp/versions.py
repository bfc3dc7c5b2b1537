"""The dialects: each OCHP version with the OCHP-direct version that goes with it."""

from __future__ import annotations

from enum import Enum
from functools import total_ordering


@total_ordering
class Version(Enum):
    """A dialect; ordered from the oldest to the newest."""

    V1_3 = "1.3"
    V1_4 = "1.4"
    V1_4_1 = "1.4.1"

    @property
    def namespace(self) -> str:
        """The XML namespace of every OCHP and OCHP-direct element in this dialect."""
        return f"http://ochp.eu/{self.value}"

    @property
    def direct(self) -> str:
        """The OCHP-direct version that this dialect carries."""
        return "0.1" if self is V1_3 else "0.2"

    @property
    def path(self) -> str:
        """The last segment of a service path, for example `v1.4`."""
        return f"v{self.value}"

    def __lt__(self, other: Version) -> bool:
        return ORDER.index(self) < ORDER.index(other)


V1_3, V1_4, V1_4_1 = Version
ORDER = (V1_3, V1_4, V1_4_1)
OLDEST, NEWEST = ORDER[0], ORDER[-1]
BY_NAMESPACE = {version.namespace: version for version in ORDER}
