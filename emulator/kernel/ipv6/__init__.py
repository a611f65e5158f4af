"""IPv6: its part of a device, addresses, groups, routes, neighbour discovery."""
