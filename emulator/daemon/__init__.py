"""The edge: trio, Unix sockets, the control socket."""
