"""The engine as a program of its own, with an MQTT broker and without Home Assistant."""
