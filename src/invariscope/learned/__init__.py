"""Families of transformations that a network ignores, found by training a small module in front of it."""
