"""One run, described: the schema of scenario files and their assembly."""
