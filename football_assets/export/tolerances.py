"""How far an export may be from the network it was made of. The export, its checks and their descriptions read them."""

PARITY_TOLERANCE = 1e-5  # largest difference of a probability between PyTorch and ONNX
INT8_TOLERANCE = 0.001  # largest change of the test log loss by quantisation
