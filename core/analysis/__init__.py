"""Questions over events: iterations, timeline."""
