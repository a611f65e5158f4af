"""The machine behind the protocol: a model of the kernel, the handlers of its messages, the daemon around them."""
