"""The files that a program under `nlemu run` sees: /sys, /proc, namespaces."""
