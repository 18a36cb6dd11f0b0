"""Measure time, memory and throughput of the product, and its behaviour under faults."""
