"""The decoder, the checks and the command: standard library only."""
