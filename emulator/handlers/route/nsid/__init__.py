"""RTM_*NSID."""
