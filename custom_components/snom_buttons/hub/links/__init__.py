"""Linked keys: each shows what an entity of Home Assistant does, and acts on it."""
