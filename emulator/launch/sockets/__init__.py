"""The netlink sockets of programs under `nlemu run`."""
