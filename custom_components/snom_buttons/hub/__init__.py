"""One config entry while it runs."""
