"""What `nlemu bench` measures: figures of this machine, each beside a yardstick that was measured in the same run.

A figure alone says little, since it is of one processor on one afternoon. So what the emulator is compared with is
measured between its own rounds: a trio server and a blocking one that send every datagram back, this machine's kernel,
the start of an interpreter. Nothing here asserts anything; `figures.py` says what a figure is, the other files measure,
one thing each.
"""
