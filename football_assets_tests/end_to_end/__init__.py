"""The whole graph, run as a person runs it."""
