"""A pair becomes the text a model reads, in training and serving alike."""
