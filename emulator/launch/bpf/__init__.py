"""bpf(): programs on emulated devices, and what may not be attached to real ones."""
