"""The engine: SIP, buttons documents and phones. It runs without Home Assistant."""
