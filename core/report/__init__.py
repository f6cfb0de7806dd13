"""The report: one page about a capture or stream, with plots. Needs the extra `report`: matplotlib and Jinja."""
