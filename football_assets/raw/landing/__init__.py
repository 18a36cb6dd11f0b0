"""Copy files of results into the bucket as landing objects, and list these objects."""

from football_assets.raw.landing.objects import (
    RAW,
    Inventory,
    LandingObject,
    StrayObject,
    in_order,
    inventory,
    parse_object_name,
)
from football_assets.raw.landing.upload import LandedFile, LandingResult, land

__all__ = [
    "RAW",
    "Inventory",
    "LandedFile",
    "LandingObject",
    "LandingResult",
    "StrayObject",
    "in_order",
    "inventory",
    "land",
    "parse_object_name",
]
