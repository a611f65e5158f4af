"""Settings of all tests: nothing here may fail for being slow."""

from hypothesis import settings

settings.register_profile("nlemu", deadline=None, derandomize=True, database=None)
settings.load_profile("nlemu")
