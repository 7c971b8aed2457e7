"""Spack's build-cache indexes: where they are, how they are read, what a page has of them."""
