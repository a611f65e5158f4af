"""A fuzzer for the kernel: whatever is sent to it, in whatever order, it answers, and what it holds together holds.

    python -m tests.fuzz SECONDS SEED              at random
    python -m tests.fuzz SECONDS SEED --guided     led by what code a case reaches (atheris)

A case is bytes. case.py reads them as a list of things to do; kernel.py does these on a machine that is put back before
each case; invariants.py says what has to be so afterwards. A case is made as short as finds something still, and told
deed by deed, so that it becomes a test of what it found; kept as bytes it would mean something else when traces are
added.
"""
