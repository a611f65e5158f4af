"""Worlds: what there is on a machine's network, as data.

A world can be written down (a TOML file that people edit), observed (from the messages in which a machine tells of
itself: a live one, a capture of one, or ours) and performed (made to be, on an emulated machine). What stands in it
are the words of the kernel's specifications, so there is nothing to translate between the three but names of devices
for their indices, and a world can hold whatever a message can.

Rules: a world is plain data and knows no machine. Performing goes through netlink requests, as a user's would, so that
a world can be no other than what could have been made; only what no request makes (NICs, counters) is done to the
model directly. What cannot be made is refused with the line and the key that asks for it, or, where a copy of
something real is wanted as far as it goes, listed.
"""
