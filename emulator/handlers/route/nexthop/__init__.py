"""RTM_*NEXTHOP."""
