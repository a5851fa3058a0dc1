"""What a SavedModel may contain: the operations of a text VAE, on a CPU, and no others.

A SavedModel is a program. TensorFlow's own scanner looks for two operations, and not
inside loops; this gate names what is allowed, and walks through every function. It
needs no TensorFlow but its protocol messages, and loads nothing.

It does not protect from what allowed operations can do: wrong answers, endless loops,
more memory than there is. The loader's own save and restore operations read and write
files; they are allowed where the loader alone runs them.
"""

import os
import pathlib

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

ALLOWED = frozenset(
    # Numbers
    "Abs Acos AddV2 All Any ArgMax BiasAdd Cast Conv2D Conv2DBackpropInput Cumsum "
    "Equal Exp Expm1 FloorDiv FloorMod Greater GreaterEqual IsFinite Less LessEqual "
    "Log LogSoftmax LogicalAnd LogicalNot LogicalOr MatMul Max Maximum Mean Min "
    "Minimum Mul Neg NotEqual Prod RealDiv Relu Rsqrt Select SelectV2 Sigmoid Sin "
    "Softmax Softplus Sqrt Square SquaredDifference Sub Sum Tanh TopKV2 ZerosLike "
    "StatelessRandomGetKeyCounter StatelessRandomNormalV2 StatelessRandomUniformV2 "
    # Shapes and parts
    "BroadcastArgs BroadcastTo ConcatV2 Const EnsureShape ExpandDims Fill GatherV2 "
    "Pack Pad PadV2 RaggedGather RaggedRange RaggedTensorToTensor Range Reshape "
    "ReverseV2 Shape Slice Split SplitV Squeeze StridedSlice TensorScatterUpdate Tile "
    "Transpose Where TensorListFromTensor TensorListGetItem TensorListReserve "
    "TensorListSetItem TensorListStack "
    # Text
    "StaticRegexFullMatch StaticRegexReplace StringJoin StringLength StringLower "
    "StringStrip UnicodeDecodeWithOffsets UnicodeEncode UnicodeTranscode "
    "UnsortedSegmentJoin "
    "SentencepieceOp SentencepieceTokenizeOp "
    "TFText>ByteSplitWithOffsets TFText>WhitespaceTokenizeWithOffsetsV2 "
    "HashTableV2 LookupTableFindV2 LookupTableImportV2 "
    # Control, weights
    "Assert AssignVariableOp BatchFunction DisableCopyOnRead Identity IdentityN If "
    "NoOp PartitionedCall Placeholder PlaceholderWithDefault ReadVariableOp "
    "StatefulPartitionedCall StatelessIf StatelessWhile StopGradient VarHandleOp "
    "While".split()
)
OF_THE_LOADER = frozenset("MergeV2Checkpoints RestoreV2 SaveV2 ShardedFilename".split())


def faults(directory: str | os.PathLike) -> list[str]:
    """Returns a line for each thing that a SavedModel must not contain.

    Raises:
        FileNotFoundError: if there is no SavedModel.
        ValueError: if its file cannot be read.
    """
    meta_graph = read(directory)
    graph = meta_graph.graph_def
    functions = {f.signature.name: f for f in graph.library.function}
    of_the_loader = _nodes_behind(_saver(meta_graph), graph, functions)
    others = _nodes_behind(_signatures(meta_graph), graph, functions)
    every = [*graph.node, *(node for f in functions.values() for node in f.node_def)]
    loading = {id(node) for node in of_the_loader} - {id(node) for node in others}
    bad_ops = {
        node.op
        for node in every
        if node.op not in ALLOWED
        and not (node.op in OF_THE_LOADER and id(node) in loading)
    }
    devices = {node.device for node in every if not _is_cpu(node.device)}
    compiled = {
        name
        for name, attributes in [
            *((name, f.attr) for name, f in functions.items()),
            *((node.name, node.attr) for node in every),
        ]
        if attributes["_XlaMustCompile"].b
    }
    return [
        *(f"operation {op} is not allowed" for op in sorted(bad_ops)),
        *(f"device {device} is not the CPU" for device in sorted(devices)),
        *(f"{name} must be compiled by XLA" for name in sorted(compiled)),
    ]


def read(directory: str | os.PathLike):
    """Returns the first MetaGraphDef of a SavedModel.

    Raises:
        FileNotFoundError: if there is no SavedModel.
        ValueError: if its file cannot be read.
    """
    path = pathlib.Path(directory) / "saved_model.pb"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there.")
    saved_model = saved_model_pb2.SavedModel()
    try:
        saved_model.ParseFromString(path.read_bytes())
    except DecodeError:
        saved_model.Clear()
    if not saved_model.meta_graphs:
        raise ValueError(f"{path} holds no SavedModel.")
    return saved_model.meta_graphs[0]


def _saver(meta_graph):
    """Returns the nodes by which the loader saves and restores."""
    saver = meta_graph.saver_def
    return [
        name.partition(":")[0]
        for name in (
            saver.save_tensor_name,
            saver.restore_op_name,
            saver.filename_tensor_name,
        )
    ]


def _signatures(meta_graph):
    """Returns the nodes that requests run, and the loader beside restoring."""
    return [
        info.name.partition(":")[0]
        for signature in meta_graph.signature_def.values()
        for info in signature.outputs.values()
    ]


def _nodes_behind(names, graph, functions):
    """Returns all nodes that the named ones need, in called functions too."""
    nodes = {node.name: node for node in graph.node}
    waiting, seen, called, reached = [*names], set(), set(), []
    while waiting:
        name = waiting.pop()
        if name in seen or name not in nodes:
            continue
        seen.add(name)
        reached.append(nodes[name])
        waiting += [i.removeprefix("^").partition(":")[0] for i in nodes[name].input]
    unread = [*reached]
    while unread:
        for attribute in unread.pop().attr.values():
            for function in [attribute.func, *attribute.list.func]:
                if function.name in functions and function.name not in called:
                    called.add(function.name)
                    body = [*functions[function.name].node_def]
                    reached += body
                    unread += body
    return reached


def _is_cpu(device):
    return not device or "/device:CPU:" in device
