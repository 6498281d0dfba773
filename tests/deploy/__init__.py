"""What deploy/ starts: Kamailio, bridges, a broker; and the files that start it."""
