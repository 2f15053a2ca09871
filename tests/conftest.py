"""One hypothesis profile for all tests, so that a run is the same everywhere and a slow machine fails nothing."""

from hypothesis import HealthCheck
from hypothesis import settings

settings.register_profile(
    "fixed", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("fixed")
