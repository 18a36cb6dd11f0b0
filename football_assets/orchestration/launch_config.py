"""Pydantic models as Dagster configuration, so that the launchpad shows every knob of a core function once defined."""

from datetime import date
from typing import Any, get_args

from dagster import Config
from pydantic import BaseModel, create_model


def launchpad_config(model: type[BaseModel]) -> type[Config]:
    """A Dagster config class with the model's fields, descriptions and defaults; days are text.

    The launched values become the model again by `model.model_validate(config.model_dump())`.
    """
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        kind: Any = field.annotation
        default: Any = field
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            nested = launchpad_config(kind)
            kind, default = nested, nested()
        elif date in get_args(kind):
            kind = str | None
        fields[name] = (kind, default)
    return create_model(model.__name__, __base__=Config, __doc__=model.__doc__, **fields)
