"""Reads a checkpoint: our layout is the public code's, so names and shapes are its own."""
import json

import numpy


def load(path, kind=numpy.float32):
    """Tensors of a safetensors file as numbers of `kind` (bf16 widened), and its metadata."""
    kinds = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "U8": "u1"}
    with open(path, "rb") as file:
        data = file.read()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for key, entry in header.items():
        begin, end = (start + offset for offset in entry["data_offsets"])
        numbers = numpy.frombuffer(data[begin:end], kinds[entry["dtype"]])
        if entry["dtype"] == "BF16":
            numbers = (numbers.astype(numpy.uint32) << 16).view(numpy.float32)
        tensors[key] = numbers.astype(kind).reshape(entry["shape"])
    return tensors, metadata
