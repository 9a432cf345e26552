"""How the output of a network depends on the magnitude of a transformation."""
