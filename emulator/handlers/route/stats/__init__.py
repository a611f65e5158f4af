"""RTM_*STATS."""
