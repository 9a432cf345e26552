"""The ground floor: errors, registries, seeded numbers and files; it knows nothing of images."""
