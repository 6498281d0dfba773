"""What a subscriber and a phone see, over Home Assistant's side and the bridge's."""
