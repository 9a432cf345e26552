"""What tables say: sentences with their verdicts, figures as plain values, provenance; all that a page is made of."""
