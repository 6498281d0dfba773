"""The words of users: the fields of a key, effects and colours."""
