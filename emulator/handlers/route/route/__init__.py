"""RTM_*ROUTE."""
