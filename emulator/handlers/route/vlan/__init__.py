"""RTM_*VLAN."""
