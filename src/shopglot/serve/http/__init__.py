"""A model answers clients and people over HTTP."""
