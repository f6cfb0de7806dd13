"""Copies of captures and streams without the guest's memory, fit to be shown to others."""
