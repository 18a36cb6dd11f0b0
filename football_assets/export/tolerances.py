"""Tolerances between an export and its network, for the export, its checks and their descriptions."""

PARITY_TOLERANCE = 1e-5  # largest difference of a probability between PyTorch and ONNX
INT8_TOLERANCE = 0.001  # largest change of the test log loss by quantisation
