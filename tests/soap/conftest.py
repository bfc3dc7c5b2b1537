"""Makes Spyne importable for test modules that import it themselves."""

import clearinghouse.soap  # noqa: F401
