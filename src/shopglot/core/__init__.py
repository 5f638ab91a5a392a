"""The words all stages share."""
