"""The trained network as ONNX files, with parity checks against PyTorch."""
