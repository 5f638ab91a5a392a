"""The embedded data: a simulated marketplace, its lexicon and its generator."""
