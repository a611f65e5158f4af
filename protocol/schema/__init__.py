"""The declaration language: kinds, attributes, policies, operations, families."""
