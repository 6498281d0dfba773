"""Tests of MQTT, with a real Mosquitto."""
