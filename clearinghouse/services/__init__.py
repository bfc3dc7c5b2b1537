"""The use cases: one function each, one transaction each; `ports` says what they need of the world."""
