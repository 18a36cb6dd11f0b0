"""Pydantic models as Dagster config classes, so that the launchpad shows the parameters of core functions."""

from datetime import date
from typing import Any, get_args

from dagster import Config
from pydantic import BaseModel, Field, create_model


def launchpad_config(model: type[BaseModel]) -> type[Config]:
    """Create a Dagster config class with the fields, descriptions and defaults of a Pydantic model.

    Dates are strings and nested models are nested config classes. `model.model_validate(config.model_dump())` converts
    a config back to the model.
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
            if isinstance(field.default, date):
                default = Field(str(field.default), description=field.description)
        fields[name] = (kind, default)
    return create_model(model.__name__, __base__=Config, __doc__=model.__doc__, **fields)
