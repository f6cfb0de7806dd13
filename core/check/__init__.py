"""Rules over events, each with an id, a severity, a reason and a source."""
