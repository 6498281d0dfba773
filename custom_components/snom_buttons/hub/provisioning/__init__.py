"""Phones fetch their settings from Home Assistant."""
