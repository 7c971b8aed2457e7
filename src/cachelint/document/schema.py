"""The JSON Schemas: load them, and turn a violation into prose.

They define what a page may contain, and jsonschema finds and names a violation.
Nearly every value is valid, though, and to learn only that, `compile_check` compiles a schema into
plain functions, some fifty times faster. It knows the keywords that the schemas use and refuses to
compile any other, so that a change in a schema cannot go unnoticed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from cachelint.document.strict_json import escape_token
from cachelint.document.yaml import Timestamp
from cachelint.model import SchemaError, SchemaErrorKind
from cachelint.text import clip, did_you_mean, nearest_name, ordinal, plural

Schema = dict[str, Any]
"""A JSON Schema, or a part of one."""

NAMES = (
    "page-current", "page-tarball", "page-legacy", "tags", "meta", "tag-page",
    "configuration", "baseline", "report", "rules", "diff",
)

FOR_EDITORS = "front-matter"
"""The name of the schema composed of those of pages; it is not a file, and checks nothing."""

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# in a wheel the schemas lie in the package, in a checkout beside `src`
_FOLDER = next(folder for folder in (f"{_PACKAGE}/schemas", f"{_PACKAGE}/../../schemas")
               if os.path.isdir(folder))


def text(name: str) -> str:
    """Return a schema as it is printed; ``name`` is one of NAMES, or FOR_EDITORS."""
    if name == FOR_EDITORS:
        return json.dumps(_for_editors(), indent=2) + "\n"
    with open(f"{_FOLDER}/{name}.schema.json", encoding="utf-8") as file:
        return file.read()


@cache
def load(name: str) -> Schema:
    """Return a schema; ``name`` is one of NAMES."""
    schema: Schema = json.loads(text(name))
    return schema


def _for_editors() -> Schema:
    """Compose one schema for every file with front matter.

    An editor knows neither a page's generation nor that the closing `---` ends it: behind that it
    sees a second document, which is empty.
    """
    kinds: list[tuple[Schema, str]] = [
        ({"anyOf": [{"required": [key]} for key in ("permalink", "tag")]}, "tag-page"),
        ({"required": ["spec_files"], "not": {"required": ["spec_details"]}}, "page-legacy"),
        ({"required": ["spec_details"],
          "properties": {"spec_details": {"contains": {"required": ["tarball"]}}}}, "page-tarball"),
    ]
    choice: Schema = {"$ref": "#/$defs/page-current"}
    for condition, name in reversed(kinds):
        choice = {"if": condition, "then": {"$ref": f"#/$defs/{name}"}, "else": choice}
    names = [*(name for _, name in kinds), "page-current"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:cachelint:schema:{FOR_EDITORS}",
        "title": "Front matter",
        "description": "A build-cache page of any generation, or the page of a tag, as an editor "
                       "sees it.",
        "if": {"type": "object"}, "then": choice, "else": {"type": "null"},
        "$defs": {name: _embedded(load(name), f"#/$defs/{name}") for name in names},
    }


def _embedded(part: Any, place: str) -> Any:
    """Return a schema as a part of another, where its references begin with ``place``."""
    if isinstance(part, list):
        return [_embedded(each, place) for each in part]
    if not isinstance(part, dict):
        return part
    return {key: place + value.removeprefix("#") if key == "$ref" else _embedded(value, place)
            for key, value in part.items() if key not in ("$schema", "$id")}


# ------------------------------------------------------------------------------ the quick yes

Check = Callable[[Any], bool]

LONGEST_KEPT = 256
"""The longest string, in characters, whose validity is remembered."""

LONGEST_LIST = 1000
"""The longest list whose items are looked up among those that are remembered."""

_IS: dict[str, Check] = {
    "object": lambda value: type(value) is dict,
    "array": lambda value: type(value) is list,
    "string": lambda value: type(value) is str,
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "boolean": lambda value: type(value) is bool,
    "null": lambda value: value is None,
}

_LAST = ("prefixItems", "items", "properties", "additionalProperties", "uniqueItems")

_ANNOTATIONS = {
    "$schema", "$id", "$defs", "title", "description", "default",
    "x-reported-as",  # the rule that reports violations of a keyword
    "x-form",  # what a pattern stands for, in words
}


@cache
def compile_check(name: str, pointer: str = "") -> Check:
    """Compile the schema ``name``, or the part of it at ``pointer``, into a test of one value.

    The test is true exactly where jsonschema finds no violation. Raises NotImplementedError for a
    keyword that it does not know.
    """
    root = load(name)
    return _compile(_resolve(root, pointer), root)


def _resolve(root: Schema, pointer: str) -> Any:
    schema: Any = root
    for token in pointer.split("/")[1:]:
        schema = schema[token]
    return schema


def _compile(schema: Schema, root: Schema) -> Check:
    """Compile one schema; each keyword tests values of its own types and lets all others pass."""
    checks: list[Check] = []
    # what looks at each part of a value comes last
    for keyword, argument in sorted(
            schema.items(), key=lambda item: item[0] in _LAST and _LAST.index(item[0]) + 1):
        if keyword in _ANNOTATIONS:
            continue
        if keyword == "$ref":
            checks.append(_compile(_resolve(root, argument.removeprefix("#")), root))
        elif keyword == "allOf":
            checks += [_compile(part, root) for part in argument]
        elif keyword == "items":
            prefix = len(schema.get("prefixItems", ()))
            checks.append(_items(prefix, _compile(argument, root)))
        elif keyword == "prefixItems":
            checks.append(_prefix_items([_compile(part, root) for part in argument]))
        elif keyword == "properties":
            checks.append(_properties({k: _compile(part, root) for k, part in argument.items()}))
        elif keyword == "additionalProperties":
            known = frozenset(schema.get("properties", ()))
            other = _compile(argument, root) if isinstance(argument, dict) else _always(argument)
            checks.append(_additional_properties(known, other))
        elif keyword in _KEYWORDS:
            checks.append(_KEYWORDS[keyword](argument))
        else:
            raise NotImplementedError(f"the keyword {keyword!r} of a schema")
    return _all(checks)


def _all(checks: list[Check]) -> Check:
    """Join tests, without a loop, which would be most of the time taken."""
    if not checks:
        return _always(True)
    if len(checks) == 1:
        return checks[0]
    if len(checks) == 2:
        first, second = checks
        return lambda value: first(value) and second(value)
    first, second, rest = checks[0], checks[1], _all(checks[2:])
    return lambda value: first(value) and second(value) and rest(value)


def _always(answer: bool) -> Check:
    return lambda _: answer


def _type(argument: str | list[str]) -> Check:
    if isinstance(argument, str):
        return _IS[argument]
    tests = [_IS[name] for name in argument]
    return lambda value: any(test(value) for test in tests)


def _pattern(argument: str) -> Check:
    search = re.compile(argument).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _items(prefix: int, check: Check) -> Check:
    # the same variants, versions and stacks return by the thousand; long ones are not kept
    known = lru_cache(maxsize=8192)(check)

    def items(value: Any) -> bool:
        if isinstance(value, list):
            if len(value) > LONGEST_LIST:
                return all(map(check, value[prefix:]))
            for item in value[prefix:] if prefix else value:
                if not (known(item) if type(item) is str and len(item) <= LONGEST_KEPT
                        else check(item)):
                    return False
        return True

    return items


def _prefix_items(checks: list[Check]) -> Check:
    return lambda value: not isinstance(value, list) or all(
        check(item) for check, item in zip(checks, value, strict=False)
    )


def _properties(checks: dict[str, Check]) -> Check:
    def properties(value: Any) -> bool:
        if isinstance(value, dict):
            for key, item in value.items():
                if key in checks and not checks[key](item):
                    return False
        return True

    return properties


def _additional_properties(known: frozenset[str], check: Check) -> Check:
    def additional_properties(value: Any) -> bool:
        if not isinstance(value, dict) or known.issuperset(value):
            return True
        items = [item for key, item in value.items() if key not in known]
        # thousands of counts, many of them alike
        return all(map(check, set(items) if set(map(type, items)) == {int} else items))

    return additional_properties


def _same(left: Any, right: Any) -> bool:
    # to Python True is 1 and 1.0 is 1; in JSON only the latter
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def _unique(value: Any) -> bool:
    if not isinstance(value, list) or len(value) < 2:
        return True
    if set(map(type, value)) == {str}:
        return len(set(value)) == len(value)
    # as they are written, which distinguishes true from 1
    return len({json.dumps(item, sort_keys=True, default=str) for item in value}) == len(value)


_KEYWORDS: dict[str, Callable[[Any], Check]] = {
    "type": _type,
    "pattern": _pattern,
    "const": lambda argument: lambda value: _same(value, argument),
    "enum": lambda argument: lambda value: any(_same(value, item) for item in argument),
    "required": lambda argument: lambda value: (
        not isinstance(value, dict) or value.keys() >= set(argument)
    ),
    "minLength": lambda argument: lambda value: (
        not isinstance(value, str) or len(value) >= argument
    ),
    "minItems": lambda argument: lambda value: (
        not isinstance(value, list) or len(value) >= argument
    ),
    "maxItems": lambda argument: lambda value: (
        not isinstance(value, list) or len(value) <= argument
    ),
    "minimum": lambda argument: lambda value: (
        type(value) not in (int, float) or value >= argument
    ),
    "maximum": lambda argument: lambda value: (
        type(value) not in (int, float) or value <= argument
    ),
    "uniqueItems": lambda argument: lambda value: not argument or _unique(value),
}


# ------------------------------------------------------------------------------ every error

MOST_ERRORS = 2000
"""So many errors of one value are listed, and problems by one rule; what follows is not sought."""


class _Validator:
    """jsonschema's validator of one schema, with keywords of its own where those are slow."""

    def __init__(self, name: str) -> None:
        """Extend the standard validator."""
        from jsonschema import validators

        self._root = load(name)
        self._checks: dict[int, Check] = {}
        standard: Any = validators.Draft202012Validator
        extend: Any = validators.extend
        checker = standard.TYPE_CHECKER.redefine_many({
            # true and 31.0 are not whole numbers, a date is not a string
            "integer": lambda _, value: type(value) is int,
            "string": lambda _, value: isinstance(value, str) and not isinstance(value, Timestamp),
        })
        self.iter_errors: Callable[[Any], Iterator[Any]] = extend(
            standard, type_checker=checker, validators={
                "items": self._items, "additionalProperties": self._additional_properties,
                "required": _required, "uniqueItems": _unique_items,
            })(self._root).iter_errors

    def _is_valid(self, part: Any, schema: Any) -> bool:
        """Pass over a valid part of a large value by the compiled test, fifty times faster."""
        if id(schema) not in self._checks:
            self._checks[id(schema)] = _compile(schema, self._root)
        return self._checks[id(schema)](part)

    def _items(self, validator: Any, schema: Any, instance: Any, parent: Any) -> Iterator[Any]:
        if isinstance(instance, list):
            for index in range(len(parent.get("prefixItems", ())), len(instance)):
                if not self._is_valid(instance[index], schema):
                    yield from validator.descend(instance[index], schema, path=index)

    def _additional_properties(
        self, validator: Any, schema: Any, instance: Any, parent: Any
    ) -> Iterator[Any]:
        if not isinstance(instance, dict):
            return
        known = parent.get("properties", ())
        others = [key for key in instance if key not in known]
        if schema is False and others:
            yield _error("unknown keys")
        elif isinstance(schema, dict):
            for key in others:
                if not self._is_valid(instance[key], schema):
                    yield from validator.descend(instance[key], schema, path=key)


def _required(_: Any, keys: Any, instance: Any, parent: Any) -> Iterator[Any]:
    del parent
    if isinstance(instance, dict) and not all(key in instance for key in keys):
        yield _error("missing keys")


def _unique_items(_: Any, wanted: Any, instance: Any, parent: Any) -> Iterator[Any]:
    del parent
    if wanted and not _unique(instance):
        yield _error("an item twice")


def _error(message: str) -> Any:
    from jsonschema import ValidationError

    return ValidationError(message)


_validator = cache(_Validator)


def validate(name: str, value: Any) -> list[SchemaError]:
    """List every error of ``value`` by the schema ``name``, in the order of the schema.

    A value that breaks several keywords has one error: of its type, else of the keyword that has a
    rule of its own, else of the first. A missing key for which an unknown one is probably meant has
    one error, at the unknown key. At most MOST_ERRORS are listed.
    """
    if compile_check(name)(value):
        return []
    whole = _WHOLE.get(name, "the front matter")
    found: dict[str, list[SchemaError]] = {}
    for error in islice(_validator(name).iter_errors(value), MOST_ERRORS):
        pointer = "".join(f"/{escape_token(str(token))}" for token in error.absolute_path)
        found.setdefault(pointer, [])
        if error.validator in ("required", "additionalProperties"):
            found[pointer] += _key_errors(error, pointer, whole)
        else:
            found[pointer].append(_value_error(error, pointer, whole))
    result: list[SchemaError] = []
    for errors in found.values():
        values = [error for error in errors if not error.key]
        values.sort(key=_weight)
        result += _match_keys([error for error in errors if error.key])
        result += values[:1]
    return result[:MOST_ERRORS]


def _weight(error: SchemaError) -> int:
    if error.kind is SchemaErrorKind.TYPE:
        return 0
    return 1 if error.reported_as else 2


_WHOLE = {"tags": "the file", "meta": "the file", "configuration": "the configuration",
          "baseline": "the file"}
"""What the value as a whole is called."""


def _key_errors(error: Any, pointer: str, whole: str) -> Iterator[SchemaError]:
    """Yield an error for each key that is missing or unknown."""
    where = _subject([str(token) for token in error.absolute_path]) or whole
    known = error.schema.get("properties", ())
    others = [key for key in error.instance if key not in known]
    if error.validator == "additionalProperties":
        for key in others[:MOST_ERRORS]:
            yield SchemaError(SchemaErrorKind.UNKNOWN_KEY, f"{pointer}/{escape_token(key)}",
                              f"unknown key {show(key)} in {where}", key)
        return
    for key in error.validator_value:
        if key in error.instance:
            continue
        # where other keys are allowed, only one that is meant for this one is an error
        is_open = error.schema.get("additionalProperties") is not False
        near = nearest_name(key, others, 1 + (len(key) > 3)) if is_open else None
        if near is None:
            yield SchemaError(SchemaErrorKind.MISSING_KEY, pointer,
                              f"missing key {show(key)} in {where}", key)
        else:
            others.remove(near)
            yield SchemaError(
                SchemaErrorKind.UNKNOWN_KEY, f"{pointer}/{escape_token(near)}",
                f"unknown key {show(near)} in {where}: did you mean {show(key)}?", near, meant=key)


_MOST_GUESSES = 100
"""Among more unknown keys of one mapping, none is taken for a missing one."""


def _match_keys(errors: list[SchemaError]) -> list[SchemaError]:
    """Take an unknown key for the missing one that is nearest, and drop the error of that."""
    missing = {error.key for error in errors if error.kind is SchemaErrorKind.MISSING_KEY}
    unknown = [error for error in errors
               if error.kind is SchemaErrorKind.UNKNOWN_KEY and not error.meant]
    if not missing or not 0 < len(unknown) <= _MOST_GUESSES:
        return errors
    meant: dict[str, str] = {}
    for error in unknown:
        near = nearest_name(error.key, missing - set(meant.values()))
        if near is not None:
            meant[error.key] = near
    return [
        error._replace(message=f'{error.message}: did you mean "{meant[error.key]}"?',
                       meant=meant[error.key])
        if error in unknown and error.key in meant else error
        for error in errors if error in unknown or error.key not in meant.values()]


def _value_error(error: Any, pointer: str, whole: str) -> SchemaError:
    """Turn one of jsonschema's errors about a value into a sentence, by its structured fields."""
    what = _subject([str(token) for token in error.absolute_path]) or whole
    value, keyword = error.instance, error.validator
    reported_as = error.schema.get("x-reported-as", {}).get(keyword, "")
    if keyword == "type" or (keyword == "const" and not isinstance(value, str)):
        return SchemaError(SchemaErrorKind.TYPE, pointer, _wrong_type(what, error, whole))
    if keyword in ("minItems", "minLength") and not value:
        message = f"{what} is empty"
    elif keyword == "uniqueItems":
        message = f"{what} has an item twice"
    else:
        message = _unexpected(what, error, whole)
    return SchemaError(SchemaErrorKind.VALUE, pointer, message, reported_as=reported_as)


def _unexpected(what: str, error: Any, whole: str) -> str:
    value, keyword, argument = error.instance, error.validator, error.validator_value
    found, hint = show(value), ""
    if keyword == "const":
        expected = json.dumps(argument)
        hint = did_you_mean(value, [argument]) if isinstance(argument, str) else ""
    elif keyword == "enum":
        *names, last = map(str, argument)
        expected = f"{', '.join(names)} or {last}" if names else last
        # the configuration has suggestions of its own
        hint = "" if whole == "the configuration" else did_you_mean(str(value), map(str, argument))
    elif keyword in ("minItems", "maxItems"):
        expected, found = plural(argument, "item"), f"{len(value):,}"
    elif keyword == "minimum":
        expected = f"at least {argument}"
    elif keyword == "maximum":
        expected = f"at most {argument}"
    else:
        expected = error.schema.get("x-form", "another form")
    ending = f"; {hint}" if hint else ""
    return f"invalid {what}: expected {expected}, found {found}{ending}"


def _wrong_type(what: str, error: Any, whole: str) -> str:
    value, argument = error.instance, error.validator_value
    names: list[str] = []
    wanted = json.dumps(argument)
    if error.validator == "type":
        names = [argument] if isinstance(argument, str) else argument
        wanted = " or ".join(_TYPES[name] for name in names)
    # in YAML, quotes distinguish a string from a number
    is_plain = ("string" in names and whole != "the configuration"
                and isinstance(value, (bool, int, float, Timestamp)))
    found = "nothing" if value is None and not error.absolute_path else describe(value)
    return f"wrong type of {what}: expected {wanted}, found {found}{' (quote it)' * is_plain}"


_TYPES = {
    "object": "a mapping", "array": "a list", "string": "a string", "integer": "a whole number",
    "number": "a number", "boolean": "true or false", "null": "null",
}


def _subject(path: list[str]) -> str:
    """Name the value at a path as a person would; empty for the whole."""
    if not path:
        return ""
    whose = ""
    if path[0] == "spec_details" and len(path) > 1 and path[1].isdigit():
        whose, path = f"the {ordinal(int(path[1]) + 1)} spec", path[2:]
    elif path[0] == "meta" and len(path) > 1:
        whose, path = "meta" if len(path) > 2 else "", path[1:]
    elif path[0].isdigit():
        whose, path = f"the {ordinal(int(path[0]) + 1)} entry", path[1:]
    names = [f"item {int(token) + 1:,}" if token.isdigit() else token for token in reversed(path)]
    return clip(" of ".join([*names, whose] if whose else names), 60)


def show(value: Any) -> str:
    """Write a value for a message: as JSON, and cut where it is long."""
    text = json.dumps(value[:61] if isinstance(value, str) else value, default=str)
    return text if len(text) <= 60 else f"{text[:59]}…"


def show_name(value: str) -> str:
    """Write a string for a message as `show` does, without its quotes."""
    return clip(json.dumps(value[:61])[1:-1], 60)


def describe(value: Any) -> str:
    """Name a value with its type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Timestamp):
        return f"the date {value}"
    if isinstance(value, str):
        return f"the string {show(value)}"
    if isinstance(value, (int, float)):
        return f"the number {show(value)}"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else f"the date {value}"  # of TOML
