"""RTM_*NETCONF."""
