"""The Sparkplug B payload as a protobuf message, made at run time: no generated code and no compiler.

Only what the feed reads is described. Metadata, properties, data sets and templates stay unknown fields, which protobuf skips.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto

# Name, number and type, as in sparkplug_b.proto of the specification 3.0 (proto2, all optional).
_PAYLOAD = (
    ("timestamp", 1, _Field.TYPE_UINT64),
    ("metrics", 2, _Field.TYPE_MESSAGE),
    ("seq", 3, _Field.TYPE_UINT64),
)
_METRIC = (
    ("name", 1, _Field.TYPE_STRING),
    ("alias", 2, _Field.TYPE_UINT64),
    ("timestamp", 3, _Field.TYPE_UINT64),
    ("datatype", 4, _Field.TYPE_UINT32),
    ("is_historical", 5, _Field.TYPE_BOOL),
    ("is_null", 7, _Field.TYPE_BOOL),
)
_VALUE = (
    ("int_value", 10, _Field.TYPE_UINT32),
    ("long_value", 11, _Field.TYPE_UINT64),
    ("float_value", 12, _Field.TYPE_FLOAT),
    ("double_value", 13, _Field.TYPE_DOUBLE),
    ("boolean_value", 14, _Field.TYPE_BOOL),
    ("string_value", 15, _Field.TYPE_STRING),
)

SIGNED_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
"""Data types Int8 to Int64, which travel as the unsigned integer of the same bits, and their size."""


def _message() -> Any:  # noqa: ANN401 - protobuf's classes are made at run time
    file = descriptor_pb2.FileDescriptorProto(name="subak/sparkplug_b.proto", package="subak.sparkplug", syntax="proto2")
    payload = file.message_type.add(name="Payload")
    metric = payload.nested_type.add(name="Metric")
    metric.oneof_decl.add(name="value")
    for owner, fields, oneof in ((payload, _PAYLOAD, None), (metric, _METRIC, None), (metric, _VALUE, 0)):
        for name, number, kind in fields:
            repeated = kind == _Field.TYPE_MESSAGE
            owner.field.add(
                name=name,
                number=number,
                type=kind,
                label=_Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL,
                type_name=".subak.sparkplug.Payload.Metric" if repeated else None,
                oneof_index=oneof,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("subak.sparkplug.Payload"))


Payload = _message()
"""Class of the message; `Payload.FromString(payload)`."""
