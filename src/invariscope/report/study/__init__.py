"""A study's page: what its directory says, section by section."""
