"""What the daemon costs, measured beside a trio server that only echoes. `python -m tests.bench` prints a table."""
