"""How long the model tests go on, and with which seeds: `FUZZ_SECONDS` (a few unless set) and `FUZZ_SEED`."""

import os
import random
import time

SECONDS = float(os.environ.get("FUZZ_SECONDS", "6"))
FIRST_SEED = int(os.environ.get("FUZZ_SEED", random.SystemRandom().randrange(10**9)))


def seeds():
    """One seed after the other until the time is over, at least one; each is printed."""
    until = time.monotonic() + SECONDS
    seed = FIRST_SEED
    while seed == FIRST_SEED or time.monotonic() < until:
        print(f"FUZZ_SEED={seed}", flush=True)
        yield seed
        seed += 1
