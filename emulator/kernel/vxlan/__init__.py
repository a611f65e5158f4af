"""VXLANs: drivers/net/vxlan."""
