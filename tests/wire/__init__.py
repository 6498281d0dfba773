"""Real programs against us, over a socket of this machine."""
