"""Networks in the seen/unseen-transformed paradigm."""
