"""Pairs gain translations and relatives: translators, made pairs, negatives, labels for a shop that has none."""
