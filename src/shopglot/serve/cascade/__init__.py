"""Cheap models decide what they are sure of, dear ones the rest, within a budget."""
