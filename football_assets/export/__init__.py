"""The trained network as ONNX files, with proof that they answer as the network does."""
