"""Summaries of a stream of responses that can be merged, and the intervals that go with them."""
