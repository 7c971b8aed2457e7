"""A whole run: from paths to a report, over several processes."""
