"""One page or file of the catalog: read it, describe its form, write it."""
