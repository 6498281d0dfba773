"""The package in which Home Assistant looks for custom integrations."""
