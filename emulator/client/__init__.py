"""What connects to a daemon: clients of its sockets, and a stand-in for `socket.socket`."""
