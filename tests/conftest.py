"""How much Hypothesis tries: little in `make test`, much in `make fuzz`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# No deadline: machines that run tests are shared, and a slow example is not a wrong one.
settings.register_profile("default", deadline=None, derandomize=True, max_examples=100, database=None)
settings.register_profile(
    "fuzz", deadline=None, max_examples=20_000, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
