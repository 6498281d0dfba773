"""Characters that no name, label or number may have that a person types."""

FORBIDDEN = [
    *"\0\t\n\r\x1b\x7f\x80\x85\x9b",
    *"\u2028\u2029",  # ends of a line and of a paragraph
    *"\u202a\u202b\u202c\u202d\u202e",  # embeddings and overrides of the direction
    *"\u2066\u2067\u2068\u2069",  # isolates
    "\ud800",
]
