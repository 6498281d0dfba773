"""Tests of the software snom phone."""
