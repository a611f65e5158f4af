"""RTM_*TUNNEL."""
