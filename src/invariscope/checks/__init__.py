"""A run held to a contract, or to another run."""
