"""tiny_pb.py - the classes of proto/roost.proto for tests, made by protoc for this run."""
import importlib
import pathlib
import subprocess
import sys
import tempfile

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"


def load():
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(["protoc", f"-I{PROTO}", f"--python_out={out}", "roost.proto"], check=True)
        sys.path.insert(0, out)
        try:
            return importlib.import_module("roost_pb2")
        finally:
            sys.path.remove(out)
