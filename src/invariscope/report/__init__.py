"""What a person reads: figures and one self-contained page, from a run directory alone."""
