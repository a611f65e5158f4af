"""Faults on demand: what a kernel does when memory is short, a race is lost or a reader is slow, when a test wants it.

A fault waits for requests or for notifications (`fault`), and strikes those that it is for (`aim`): every one of them
or the nth, once or a number of times, always or by chance. It strikes where the kernel would fail: after a request was
let in and before anything is changed, so that a refusal leaves no trace in the state.

Of requests (`requests`): refused, with an errno and a text; dumps, besides, interrupted (NLM_F_DUMP_INTR), ended in the
middle, cut into small datagrams, or met by a change of the machine between two of their parts. Of notifications
(`notices`): lost, told twice, told late, told in the wrong order. Of sockets: the one that asks is closed from our
side, or all of them with the machine, as when a daemon is restarted. What programs ask by ioctl under `nlemu run` can
be refused too; an ioctl is called by the kernel's constant, which for SIOCETHTOOL is the command's:
ETHTOOL_SRXCLSRLINS, SIOCSIFMTU.

Where nothing waits, nothing is paid but a look.
"""
