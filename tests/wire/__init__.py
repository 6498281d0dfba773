"""Foreign programs against the server, over sockets of this machine."""
