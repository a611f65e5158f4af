"""The numbers of Linux 7.2.13, one module a kernel header, and nothing else.

Names are the kernel's without the prefix that C needs (NETDEV_CMD_DEV_GET is ``netdev.NetdevCmd.DEV_GET``).
The numbers of attributes are not here: each is said once, where the attribute is declared (protocol/families).
"""
