"""From standard input to standard output: a P4Info as text, to its bytes by the reference implementation."""

import sys

from google.protobuf import text_format
from p4.config.v1 import p4info_pb2

info = text_format.Parse(sys.stdin.read(), p4info_pb2.P4Info())
sys.stdout.buffer.write(info.SerializeToString(deterministic=True))
