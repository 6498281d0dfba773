"""Home Assistant's custom integrations live in this package: its loader imports it and looks into it."""
