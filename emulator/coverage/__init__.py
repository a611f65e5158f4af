"""What a suite has exercised of netlink, and what it never met: operations, attributes, notifications, refusals."""
