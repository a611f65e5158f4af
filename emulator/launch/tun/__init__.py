"""/dev/net/tun: what a program that opens it has in hand, and the calls that it makes on that."""
