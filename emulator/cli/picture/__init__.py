"""Pictures of a machine: NICs with their queues, how packets reach them, who leases them, the devices of pods.

`graph` makes a graph of a state, as the control socket tells it; `dot` and `mermaid` write it down for those who lay it
out, and `tree` shows it on a terminal.
"""
