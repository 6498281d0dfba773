"""The dialogues that set up a server, its phones and its shared lines."""
