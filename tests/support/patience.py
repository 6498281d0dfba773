"""How long tests wait for what must happen."""

PATIENCE = 60.0
"""Seconds. Only a test that fails waits that long, however busy the machine is."""
