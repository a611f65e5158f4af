"""A kernel with netlink: its families, groups and ports, sockets without I/O, dispatch, faults."""
