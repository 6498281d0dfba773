"""Phones on an MQTT broker: topics, payloads, commands and what is due to the broker."""
