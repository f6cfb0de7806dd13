"""The ``xenmig`` command: text and JSON over what the rest of core finds."""
