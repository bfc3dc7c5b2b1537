"""The composition root: the only place that builds and wires. Heavy imports happen where they are needed."""
