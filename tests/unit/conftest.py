"""What is tried with many values may take its time: a host that stands still for a moment is no failure of it."""

from hypothesis import HealthCheck, settings

settings.register_profile("patient", settings(deadline=None, suppress_health_check=[HealthCheck.too_slow]))
settings.load_profile("patient")
