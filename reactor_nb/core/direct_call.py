"""A command's method called from Python: a default that stands in a pydantic Field is the value that it holds."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pydantic.fields import FieldInfo

from reactor_nb.core.parameters import field_infos


def with_plain_defaults(
    function: Callable[..., Any], annotated_defaults: Callable[[], Mapping[str, FieldInfo]]
) -> Callable[..., Any]:
    """`function`, to be called as if its Field defaults were plain ones; itself where it has none.

    Args:
        annotated_defaults: asked at a call for the defaults inside Annotated[...] that stood in string annotations,
            which cannot be read before the class is made.
    """
    try:
        signature = inspect.signature(function)
    except (NameError, ValueError):
        # Annotations that cannot be read yet, or none at all: whoever reads the parameters says so.
        return function
    fields = _field_defaults(signature)
    texts = [p for p in signature.parameters.values() if isinstance(p.annotation, str) and p.default is p.empty]
    if not fields and not texts:
        return function

    @functools.wraps(function)
    def method(*args: Any, **kwargs: Any) -> Any:
        try:
            given = signature.bind_partial(*args, **kwargs).arguments
        except TypeError:
            return function(*args, **kwargs)  # raises Python's own TypeError, with its own words
        known = {**annotated_defaults(), **fields}
        absent = {name: info for name, info in known.items() if name not in given}
        missing = [repr(name) for name, info in absent.items() if info.is_required()]
        if missing:
            listed = " and ".join(filter(None, (", ".join(missing[:-1]), missing[-1])))
            plural = "s" if len(missing) > 1 else ""
            raise TypeError(f"{function.__qualname__}() missing {len(missing)} required argument{plural}: {listed}")
        for name, info in absent.items():
            kwargs[name] = info.get_default(call_default_factory=True, validated_data=dict(given))
        return function(*args, **kwargs)

    return method


def _field_defaults(signature: inspect.Signature) -> dict[str, FieldInfo]:
    found: dict[str, FieldInfo] = {}
    for param in signature.parameters.values():
        if isinstance(param.default, FieldInfo):
            # Merged, as pydantic does: Annotated[float, Field(0.5)] = Field(le=1) has a default all the same.
            is_readable = not isinstance(param.annotation, str) and param.annotation is not param.empty
            annotation = param.annotation if is_readable else Any
            found[param.name] = FieldInfo.from_annotated_attribute(annotation, param.default)
        elif param.default is param.empty:
            for info in field_infos(param.annotation):
                if not info.is_required():
                    found[param.name] = info
    return found
