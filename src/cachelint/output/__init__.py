"""Report formats: one module for each, and one table of them."""
