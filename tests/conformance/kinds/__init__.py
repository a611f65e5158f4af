"""Walks among every kind of link: masters and their ports, what stands on another device, tunnels.

`values.py` says how a value is thrown, `row.py` what there is to say of a kind, `masters.py`, `uppers.py` and
`tunnels.py` say it of each, `area.py` makes messages of it, and `bridging.py` those of AF_BRIDGE: forwarding tables,
groups, VLANs and VNIs.
"""
