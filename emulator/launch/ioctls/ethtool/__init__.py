"""SIOCETHTOOL: the older door to what the ethtool family answers by netlink (net/ethtool/ioctl.c).

The model is the same, and so are a driver's methods; what differs is what stands before them. By netlink a request
names what it changes; here a whole structure comes, so all of it is set, even to what it was, and that is announced.
There are no texts, only errnos, and they come in an order of their own: a method that the driver lacks is found out
before the structure is read, or after it, command by command.

`door` is where it comes in; `commands` is the table: which function answers a command, and whether everybody may ask.
`request` is what such a function has in hand; the rest is a file a subject.
"""
