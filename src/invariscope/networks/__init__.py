"""Trained networks: where they come from, what can be read inside them, and how to silence units."""
