"""Fix pages and the catalog's own files."""
