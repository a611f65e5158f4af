"""What tunnels of all kinds have in common: net/ipv4/ip_tunnel*.c, udp_tunnel*.c."""
