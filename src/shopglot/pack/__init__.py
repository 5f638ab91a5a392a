"""A scorer becomes a folder that can be shipped."""
