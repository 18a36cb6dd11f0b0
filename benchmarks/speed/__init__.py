"""What the product costs: time, memory and throughput, and its behaviour under faults."""
