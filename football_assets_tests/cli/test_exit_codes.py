"""Exit codes and messages of errors."""

import errno

import click
import pytest

from football_assets.cli.exit_codes import report_error
from football_assets.errors import BucketError


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (BucketError("Bucket x\n  is gone."), 1, "football: Bucket x is gone.\n"),
        (MemoryError(), 1, "football: There is not enough memory.\n"),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "x.csv"),
            1,
            "football: x.csv: No such file or directory.\n",
        ),
        (click.UsageError("No such option: --x"), 2, "Error: No such option: --x\n"),
        (click.Abort(), 130, "football: interrupted.\n"),
        (KeyboardInterrupt(), 130, "football: interrupted.\n"),
        (BrokenPipeError(), 1, ""),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, message: str
) -> None:
    assert report_error(error) == code
    assert capsys.readouterr() == ("", message)


def test_a_fault_of_the_program_is_raised_again(capsys: pytest.CaptureFixture[str]) -> None:
    fault = ZeroDivisionError("division by zero")

    with pytest.raises(ZeroDivisionError) as caught:
        report_error(fault)

    assert caught.value is fault
    assert capsys.readouterr() == ("", "")
