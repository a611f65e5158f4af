"""RTM_*RULE."""
