"""What the bytes of netlink mean: numbers, structures, declarations, framing. No I/O, and no emulator."""
