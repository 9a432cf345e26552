"""The figures of the page, one idea per file."""
