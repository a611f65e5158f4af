"""What a message weighs in a receive buffer: not its bytes, but the memory the kernel takes for it (skb->truesize).

The numbers are those of x86-64; /proc/net/netlink of the recorded machine tells the sums (Rmem), and trace c11 what
comes of them. A head is as large as the allocator makes it: one small size, or a power of two. What was allocated for
more is cut back by netlink_trim(), but only where that saves half: a message between that and its own size weighs
less here than there.
"""

from __future__ import annotations

SHARED_INFO = 320  # SKB_DATA_ALIGN(sizeof(struct skb_shared_info)): stands behind the data of every skb
SK_BUFF = 256  # SKB_DATA_ALIGN(sizeof(struct sk_buff))
SMALL_HEAD = 640  # SKB_SMALL_HEAD_CACHE_SIZE (net/core/skbuff.c)


def truesize(size: int) -> int:
    """Of a message of so many bytes."""
    head = (size + 63 & ~63) + SHARED_INFO
    return SK_BUFF + (SMALL_HEAD if head <= SMALL_HEAD else 1 << (head - 1).bit_length())


SMALL = truesize(0)
SMALL_SIZE = SMALL_HEAD - SHARED_INFO  # the longest message that weighs no more
