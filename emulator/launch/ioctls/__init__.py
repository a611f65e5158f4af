"""The interface ioctls: SIOCGIF*, SIOCSIF* and SIOCETHTOOL (dev_ioctl.c, devinet.c, net/ethtool/ioctl.c).

They are the older door to what rtnetlink and ethtool's netlink answer: the same model, the same verbs, and what they
change is announced the same. `calls` is where a program's ioctl() arrives; `caller` says what the rest knows of a
program: its namespace, its memory, what it may do. So whoever has those three can ask, traced or not.
"""
