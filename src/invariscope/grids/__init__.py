"""Grids: many jobs, each kept in files of its own, done here, in other processes or on a cluster."""
