"""A roaming clearing house for EV charging: OCHP and OCHP-direct in three dialects, three roles."""

__version__ = "0.1.0"
