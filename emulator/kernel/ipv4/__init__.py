"""IPv4: its part of a device, addresses, groups, routes."""
