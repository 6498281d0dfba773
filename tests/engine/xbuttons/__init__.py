"""Tests of the buttons document."""
