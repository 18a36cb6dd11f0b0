"""Processes of one machine: the home folder, supervision, discovery of Ray Serve, streams and telemetry."""
