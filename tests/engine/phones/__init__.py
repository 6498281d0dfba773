"""Tests of the `phones` package."""
