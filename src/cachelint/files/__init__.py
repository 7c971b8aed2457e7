"""All file and git I/O."""
