"""The language: every OCHP type, message and operation, defined once, in the standard library alone."""
