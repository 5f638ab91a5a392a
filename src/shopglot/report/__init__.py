"""Tables and pictures people read."""
