"""The types of options that many rules have."""

from typing import Annotated

from pydantic import Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Decay = Annotated[float, Field(ge=0, lt=1)]  # the part of a running average that stays at a step
Dims = Annotated[int, Field(ge=0)]  # of a projection; 0: none, the layer's activity itself
Count = Annotated[int, Field(ge=1)]
