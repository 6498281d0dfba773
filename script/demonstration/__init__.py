"""The demo of `script/demo`: a throw-away Home Assistant with this integration, and a phone.

It does what a user would: it signs up, adds the integration and four phones in their
dialogues and registers one of the phones, but by Home Assistant's API instead of clicks.
"""
