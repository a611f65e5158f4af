"""Network namespaces of programs under `nlemu run`."""
