"""Raw files become clean pairs."""
