"""Run an exported forecaster in ONNX Runtime, without torch: for parity, forecasts and serving."""

from pathlib import Path

import numpy as np

from football_assets.errors import ExportError

INPUTS = ("home_history", "away_history", "context")
OUTPUTS = ("probabilities", "expected_goals")
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OnnxForecaster:
    """Forecast encoded fixtures, in raw units, with one ONNX file.

    Parameters
    ----------
    model
        File `model.onnx` or `model.int8.onnx`, or its content.
    threads
        Threads of one call.
    provider
        `cpu`, `cuda`, or `auto`: CUDA if ONNX Runtime is built for it and finds a device.

    Raises
    ------
    ExportError
        The file is missing or no forecaster of this project, or the provider is not available.

    Example
    -------
    >>> probabilities, expected_goals = OnnxForecaster(bundle / "model.onnx").predict(home, away, context)
    """

    def __init__(self, model: Path | bytes, threads: int = 1, provider: str = "cpu") -> None:
        import onnxruntime

        place = "The content" if isinstance(model, bytes) else str(model)
        if provider not in (*PROVIDERS, "auto"):
            raise ExportError(f"There is no provider {provider!r}: use auto, {' or '.join(PROVIDERS)}.")
        cuda = PROVIDERS["cuda"] in onnxruntime.get_available_providers()
        if provider == "cuda" and not cuda:
            raise ExportError(
                "This ONNX Runtime has no CUDA provider: install onnxruntime-gpu, or use the provider cpu."
            )
        wanted = [PROVIDERS["cpu"]]
        if cuda and provider != "cpu":
            wanted.insert(0, PROVIDERS["cuda"])
            onnxruntime.preload_dlls()  # else it does not find those of pip's packages, and runs on the CPU

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        try:
            self._session = onnxruntime.InferenceSession(
                model if isinstance(model, bytes) else str(model), options, providers=wanted
            )
        except Exception as error:  # onnxruntime's errors share no base class but Exception
            reason = str(error).splitlines()[0]
            raise ExportError(
                f"{place} is not an ONNX model that can be loaded ({reason}): export it again."
            ) from error
        if provider == "cuda" and self.provider != PROVIDERS["cuda"]:
            raise ExportError(f"{place} runs on {self.provider}: ONNX Runtime could not use the CUDA device.")
        inputs = tuple(item.name for item in self._session.get_inputs())
        outputs = tuple(item.name for item in self._session.get_outputs())
        if inputs != INPUTS or outputs != OUTPUTS:
            raise ExportError(
                f"{place} takes {inputs} and gives {outputs}, not {INPUTS} and {OUTPUTS}: export it again."
            )

    @property
    def provider(self) -> str:
        """Name of the execution provider that the model runs on."""
        return str(self._session.get_providers()[0])

    def predict(
        self, home_history: np.ndarray, away_history: np.ndarray, context: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Forecast fixtures.

        Parameters
        ----------
        home_history, away_history
            `[n, history, history features]` float32, most recent match last, left-padded.
        context
            `[n, context features]` float32; NaN where a value is unknown.

        Returns
        -------
        tuple
            Probabilities of home win, draw, away win `[n, 3]`, and expected goals of both sides `[n, 2]`.
        """
        if len(context) == 0:  # ONNX Runtime's LSTM aborts the process on an empty batch
            return np.zeros((0, 3), dtype=np.float32), np.zeros((0, 2), dtype=np.float32)
        feed = {
            name: np.ascontiguousarray(values, dtype=np.float32)
            for name, values in zip(INPUTS, (home_history, away_history, context), strict=True)
        }
        probabilities, expected_goals = self._session.run(list(OUTPUTS), feed)
        return probabilities, expected_goals
