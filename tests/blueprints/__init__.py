"""The blueprints do what they say, in a Home Assistant with real entities."""
