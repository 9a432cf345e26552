"""Engines: where the jobs of a grid are done, one file each."""
