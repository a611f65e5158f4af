"""AF_XDP: sockets of programs that take the packets of a queue, or a leased one, into memory of their own."""
