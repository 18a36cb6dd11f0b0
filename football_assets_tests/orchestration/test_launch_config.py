"""Pydantic models in the launchpad: every knob with its default, its text and its limits, and back again."""

from datetime import date
from typing import Any

import pytest
from dagster import Config
from pydantic import BaseModel, Field, ValidationError

from football_assets.orchestration.launch_config import launchpad_config


class Engine(BaseModel):
    """What drives."""

    power: int = Field(90, ge=1, description="Kilowatts.")


class Car(BaseModel):
    """A car."""

    name: str = Field("Beetle", description="As on the lid.")
    built: date | None = Field(None, description="Day of assembly.")
    sold: date | None = Field(date(1970, 1, 2), description="Day of the sale.")
    engine: Engine = Engine()


CarLaunchpad = launchpad_config(Car)


def launched(**values: Any) -> Car:
    return Car.model_validate(CarLaunchpad(**values).model_dump())


def test_without_values_the_launched_model_has_the_models_defaults() -> None:
    assert launched() == Car()


def test_launched_values_become_the_model_again_with_days_as_text() -> None:
    found = launched(name="Duck", built="1965-05-04", engine={"power": 12})

    assert found == Car(name="Duck", built=date(1965, 5, 4), engine=Engine(power=12))


def test_a_default_day_can_be_unset_in_the_launchpad() -> None:
    assert launched(sold=None).sold is None
    assert launched().sold == date(1970, 1, 2)


def test_the_launchpad_shows_descriptions_and_defaults_at_every_depth() -> None:
    schema = CarLaunchpad.to_config_schema().as_field().config_type.fields  # type: ignore[attr-defined]

    assert issubclass(CarLaunchpad, Config)
    assert CarLaunchpad.__doc__ == "A car."
    assert (schema["name"].description, schema["name"].default_value) == ("As on the lid.", "Beetle")
    assert (schema["sold"].description, schema["sold"].default_value) == ("Day of the sale.", "1970-01-02")
    power = schema["engine"].config_type.fields["power"]
    assert (power.description, power.default_value) == ("Kilowatts.", 90)


def test_limits_hold_in_the_launchpad_too() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        CarLaunchpad(engine={"power": 0})


def test_a_text_that_is_no_day_is_refused_when_the_model_is_made() -> None:
    with pytest.raises(ValidationError, match="built"):
        launched(built="yesterday")
