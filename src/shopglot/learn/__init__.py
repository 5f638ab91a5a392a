"""A recipe and pairs become a scorer."""
