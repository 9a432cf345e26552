"""Drawings that a study asks for in figures.json, one file a kind."""
