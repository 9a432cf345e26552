"""One number per unit from pairs of responses."""
