"""Conformance against the living kernel: the same steps on the emulator and on Linux, and every datagram compared.

`machines` are what steps can be done to: the emulator in this process, the daemon over its sockets, Linux under QEMU.
`walk` makes up sequences of steps, of what a client may say and of what no client should; `noise` knows which bytes
Linux itself would not say twice; `compare` finds what differs, and `run` the few steps that it takes.
docs/conformance.md tells how to run it, and what came of it.
"""
