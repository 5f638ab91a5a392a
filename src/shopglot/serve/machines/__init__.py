"""The machines of a Ray cluster score files together."""
