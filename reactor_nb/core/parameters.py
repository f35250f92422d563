"""The parameters of one command: read from the method's signature, described as JSON schema, validated by pydantic."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, PydanticSchemaGenerationError, ValidationError, create_model
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticUndefined

from reactor_nb.core.schema import properties_of, type_word
from reactor_nb.errors import ModelDefinitionError, ParameterError

_RULES: Final = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length")


class _NoDefault:
    def __repr__(self) -> str:
        return "NO_DEFAULT"


NO_DEFAULT: Final = _NoDefault()
"""`ParamSpec.default` of a parameter that is required, or whose default is made anew by each call."""

SENDABLE = "bool, int, float, str, Literal, Enum, list, tuple, dict, a date, Optional or a pydantic model"


@dataclass(frozen=True)
class ParamSpec:
    """One parameter. `schema` is its JSON schema in Reactor's form, without title and references.

    `default` is the author's value itself: copy it before changing it.
    """

    name: str
    annotation: Any
    is_required: bool
    default: Any
    schema: dict[str, Any]

    def hint(self) -> str:
        """`speed=<float 0..1>`, in brackets where it may be left out."""
        text = f"{self.name}=<{type_word(self.schema)}>"
        return text if self.is_required else f"[{text}]"


class Parameters:
    """What one command takes. Immutable once made.

    Threads: any.
    """

    def __init__(self, command: str, annotations: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        self._command = command
        # Not `p0`: a dataclass among the annotations takes over the alias generator, and may have a field p0.
        self._names = {f"reactor_p{number}": name for number, name in enumerate(annotations)}
        self._model, schemas = self._build(annotations, defaults)
        self.annotated_defaults = {
            name: self._model.model_fields[field]
            for field, name in self.fields
            if name not in defaults and not self._model.model_fields[field].is_required()
        }
        self.specs = tuple(self._spec(field, name, annotations[name], schemas[name]) for field, name in self.fields)

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        return tuple(self._names.items())

    def signature(self) -> str:
        """`set_speed speed=<float 0..1>`: what a person types."""
        return " ".join([self._command, *(spec.hint() for spec in self.specs)])

    def validate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The value of every parameter, defaults filled in; what is mutable in a default is copied.

        Strings such as "0.25" are accepted for a number; NaN and infinity only where the Field says so.

        Raises:
            ParameterError: names each refused parameter; pydantic's error is its cause.
        """
        if not isinstance(params, Mapping):
            raise ParameterError(
                f"{self._command} got {type(params).__name__} {_short(params)}; its parameters are sent by name, "
                f"as an object. Send: {self.signature()}"
            )
        try:
            made = self._model.model_validate({str(name): _plain(value) for name, value in params.items()})
            values = {name: getattr(made, field) for field, name in self.fields}
            self._refuse_non_finite(values)
        except ValidationError as error:
            raise self._refusal(error) from error
        except Exception as error:
            # A validator of the author's that raises what is no ValueError; JSON that is nested a thousand deep.
            raise ParameterError(
                f"{self._command} could not read its parameters: {type(error).__name__}: {first_line(error)}. "
                f"Send: {self.signature()}"
            ) from error
        return values

    def _build(
        self, annotations: Mapping[str, Any], defaults: Mapping[str, Any]
    ) -> tuple[type[BaseModel], dict[str, dict[str, Any]]]:
        """The model that validates, and the schema of each parameter."""
        # Numbered fields with the parameter's name as alias: `self.copy`, `_hidden` and `schema` are names that
        # pydantic keeps for itself.
        config = ConfigDict(
            extra="forbid", allow_inf_nan=False, alias_generator=lambda field: self._names.get(field, field)
        )
        fields: dict[str, Any] = {}
        for field, name in self.fields:
            default = defaults.get(name, Field())
            for info in (default, *field_infos(annotations[name])):
                if isinstance(info, FieldInfo) and (info.alias or info.validation_alias):
                    raise ModelDefinitionError(
                        f"command {self._command}: Field(alias=...) on parameter {name}. A parameter is sent under its "
                        "Python name; remove the alias or rename the parameter."
                    )
            fields[field] = (annotations[name], default)
        try:
            model: type[BaseModel] = create_model(self._command, __config__=config, **fields)
            schemas = properties_of(model)
        except Exception as error:  # pydantic's own, and a SchemaError, which derives from none of them
            raise ModelDefinitionError(self._unreadable(annotations, defaults, error)) from error
        for name in annotations:
            self._refuse_idle_rules(name, annotations[name], schemas.get(name))
        return model, schemas

    def _refuse_idle_rules(self, name: str, annotation: Any, schema: Mapping[str, Any] | None) -> None:
        if schema is None:
            raise ModelDefinitionError(
                f"command {self._command}: parameter {name} is {_type_name(annotation)}, which is no type of a value. "
                f"Annotate it with {SENDABLE}, for example {name}: float."
            )
        # A rule that pydantic cannot apply stands in the schema under its Python name, and fails at every call.
        idle = next((rule for rule in _RULES if rule in schema), None)
        if idle is not None:
            raise ModelDefinitionError(
                f"command {self._command}: Field({idle}={schema[idle]!r}) on parameter {name}, which is "
                f"{_type_name(annotation)} and has no such rule. Remove it, or annotate {name} with a type that has it."
            )

    def _unreadable(self, annotations: Mapping[str, Any], defaults: Mapping[str, Any], error: Exception) -> str:
        for name, annotation in annotations.items():
            try:
                properties_of(create_model("probe", p0=(annotation, defaults.get(name, Field()))))
            except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema):
                return (
                    f"command {self._command}: parameter {name} is {_type_name(annotation)}, which cannot be sent as "
                    f"JSON. Annotate it with {SENDABLE}, for example {name}: float."
                )
            except Exception as own:
                return f"command {self._command}: parameter {name} cannot be read. {_last_line(own)}"
        return f"command {self._command}: its parameters cannot be read. {_last_line(error)}"

    def _spec(self, field: str, name: str, annotation: Any, schema: dict[str, Any]) -> ParamSpec:
        info = self._model.model_fields[field]
        is_required = info.is_required()
        default = NO_DEFAULT if info.default is PydanticUndefined or info.default_factory else info.default
        if is_required:
            schema = {**schema, "required": True}
        return ParamSpec(name, annotation, is_required, default, schema)

    def _refuse_non_finite(self, values: Mapping[str, Any]) -> None:
        # allow_inf_nan of the outer model reaches neither nested models nor Any.
        lines = [
            InitErrorDetails(type="finite_number", loc=(name, *place), input=value)
            for field, name in self.fields
            for place, value in _non_finite(values[name], _allows_non_finite(self._model.model_fields[field]))
            if values[name] is not self._model.model_fields[field].default
        ]
        if lines:
            raise ValidationError.from_exception_data(self._command, lines)

    def _refusal(self, error: ValidationError) -> ParameterError:
        names = list(self._names.values())
        reasons: dict[str, list[str]] = {}
        texts: list[str] = []
        for line in error.errors(include_url=False):
            name = str(line["loc"][0]) if line["loc"] else ""
            inner = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in line["loc"][1:])
            if line["type"] == "missing" and not inner:
                reason, text = "is required", f"{name} is missing"
            elif line["type"] == "extra_forbidden" and not inner:
                near = difflib.get_close_matches(name, names, 1)
                reason = f"no such parameter; did you mean {near[0]}?" if near else "no such parameter"
                text = f"{name}: {reason}"
            else:
                reason = f"{inner.lstrip('.')}: {line['msg']}" if inner else line["msg"]
                text = f"{name}{inner}={_short(line['input'])}: {line['msg']}"
            reasons.setdefault(name, []).append(reason)
            texts.append(text)
        fields = {name: "; ".join(dict.fromkeys(parts)) for name, parts in reasons.items()}
        listed = "; ".join(texts)
        return ParameterError(
            f"{self._command} refused {listed}{'' if listed.endswith('?') else '.'} Send: {self.signature()}", fields
        )


def field_infos(annotation: Any) -> list[FieldInfo]:
    """The Fields in Annotated[...]."""
    if get_origin(annotation) is not Annotated:
        return []
    return [part for part in get_args(annotation)[1:] if isinstance(part, FieldInfo)]


def _plain(value: Any) -> Any:
    """numpy scalars, arrays and tensors as Python numbers and lists, so that Python callers may send them."""
    return value.tolist() if callable(getattr(value, "tolist", None)) else value


def _allows_non_finite(info: FieldInfo) -> bool:
    return any(getattr(part, "allow_inf_nan", None) is True for part in info.metadata)


def _non_finite(value: Any, is_allowed: bool) -> Iterator[tuple[tuple[int | str, ...], float]]:
    """Where NaN or infinity stands in a validated value, and which it is."""
    if isinstance(value, float):
        if not is_allowed and not math.isfinite(value):
            yield (), value
        return
    parts: list[tuple[int | str, Any, bool]] = []
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        parts = [(name, getattr(value, name), _allows_non_finite(fields[name])) for name in fields]
    elif isinstance(value, Mapping):
        parts = [(str(name), part, is_allowed) for name, part in value.items()]
    elif isinstance(value, (list, tuple, set, frozenset)):
        parts = [(number, part, is_allowed) for number, part in enumerate(value)]
    for name, part, is_part_allowed in parts:
        yield from (((name, *place), found) for place, found in _non_finite(part, is_part_allowed))


def _type_name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")


def _last_line(error: BaseException) -> str:
    """What went wrong: a SchemaError of pydantic's says so after everything that it was about to build."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and "errors.pydantic.dev" not in line]
    says = lines[-1] if type(error).__name__ == "SchemaError" else lines[0] if lines else type(error).__name__
    return says.split(" [type=")[0].removeprefix("SchemaError: ")


def first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0]


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:  # an integer of 5000 digits, an object of the caller's
        return f"<{type(value).__name__}>"
    return text if len(text) <= 60 else f"{text[:57]}..."
