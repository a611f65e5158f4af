"""WireGuard's own: devices' keys and ports, peers, and which addresses are whose (drivers/net/wireguard)."""
