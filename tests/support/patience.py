"""How long tests wait for an event that must occur."""

PATIENCE = 60.0
"""Seconds. Only a test that fails waits that long, however busy the machine is."""
