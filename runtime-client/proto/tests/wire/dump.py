"""Prints what the installed P4Runtime package says of the protocol, one fact a line, as tests/wire/main.rs does of ours."""

import importlib

from google.protobuf import descriptor_pb2

MODULES = [
    "google.rpc.status_pb2",
    "p4.config.v1.p4info_pb2",
    "p4.config.v1.p4types_pb2",
    "p4.v1.p4data_pb2",
    "p4.v1.p4runtime_pb2",
]


def enum(path, declared):
    for value in declared.value:
        print("value", path, value.name, value.number)


def message(path, declared):
    print("message", path)
    for field in declared.field:
        one_of = "-"
        if field.HasField("oneof_index"):
            one_of = declared.oneof_decl[field.oneof_index].name
        kind = field.type_name.lstrip(".") or descriptor_pb2.FieldDescriptorProto.Type.Name(field.type)
        label = descriptor_pb2.FieldDescriptorProto.Label.Name(field.label)
        print("field", path, field.name, field.number, kind, label, one_of)
    for inner in declared.enum_type:
        enum(f"{path}.{inner.name}", inner)
    for inner in declared.nested_type:
        message(f"{path}.{inner.name}", inner)


def main():
    for module in MODULES:
        declared = descriptor_pb2.FileDescriptorProto()
        importlib.import_module(module).DESCRIPTOR.CopyToProto(declared)
        for inner in declared.message_type:
            message(f"{declared.package}.{inner.name}", inner)
        for inner in declared.enum_type:
            enum(f"{declared.package}.{inner.name}", inner)
        for service in declared.service:
            for m in service.method:
                asks = f"{m.input_type.lstrip('.')} {m.client_streaming}"
                print("method", f"{declared.package}.{service.name}", m.name, asks, m.output_type.lstrip("."), m.server_streaming)


main()
