"""netdevsim: the bus, its devices and their ports, as drivers/net/netdevsim of the kernel has them."""
