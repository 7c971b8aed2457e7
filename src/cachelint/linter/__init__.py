"""From bytes to findings: a page, a tag, a catalog, a change."""
