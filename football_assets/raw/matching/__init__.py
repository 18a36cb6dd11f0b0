"""Merge the entries of all sources into matches: canonical club names, legs, scores and match ids."""
