"""The steps of a trace: read, performed, compared; programs and NICs for them."""
