"""Stand-ins for what Dynamo's modules import and this check does without.

A module that is not installed is replaced by one whose attributes are all of
class Anything. vLLM, whose wheel is 400 MB, has an argument parser here with
the flags below; of SGLang the real package is installed, and only what it
imports is replaced.
"""

import argparse
import importlib.abc
import importlib.machinery
import json
import os
import sys
import types

# Flags of vLLM itself that a deployment may have, by their documentation. Dynamo's own
# parser leaves them to vLLM's, which is not installed here: that these names, and no
# other of vLLM's, stand in a command line is checked, and not what vLLM makes of them.
VLLM_VALUES = """--model --served-model-name --tensor-parallel-size -tp --pipeline-parallel-size -pp
--data-parallel-size -dp --data-parallel-size-local -dpl --max-num-seqs --max-num-batched-tokens
--max-model-len --block-size --gpu-memory-utilization --kv-cache-dtype --kv-transfer-config
--kv-events-config --load-format --dtype --quantization""".split()
VLLM_SWITCHES = """--enable-prefix-caching --enable-expert-parallel --enforce-eager --trust-remote-code
--data-parallel-hybrid-lb --enable-chunked-prefill""".split()


class Meta(type):
    """Makes classes of which every attribute is a class like them."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return anything(name)

    def __iter__(cls):
        return iter(())

    def __len__(cls):
        return 0

    def __or__(cls, other):
        return cls

    __ror__ = __or__

    def __add__(cls, other):
        return other

    __radd__ = __add__

    def __contains__(cls, item):
        return True

    def __getitem__(cls, item):
        return cls


class Anything(metaclass=Meta):
    """Takes any call, and gives itself."""

    def __init__(self, *args, **kwargs):
        pass

    def __init_subclass__(cls, **kwargs):
        pass

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return anything(name)

    def __call__(self, *args, **kwargs):
        # A decorator gives back what it decorates.
        if len(args) == 1 and not kwargs and callable(args[0]):
            return args[0]
        return self

    def __enter__(self):
        return self

    def __exit__(self, *args):
        return False

    def __iter__(self):
        return iter(())

    def __bool__(self):
        return False

    def __getitem__(self, item):
        return self

    def __lt__(self, other):
        return False

    __le__ = __gt__ = __ge__ = __lt__


def anything(name):
    return Meta(name, (Anything,), {})


# The modules of SGLang that are its parser; they are its own, and what they import
# besides is replaced.
SGLANG_OWN = (
    "sglang.srt.server_args",
    "sglang.srt.server_args_config_parser",
    "sglang.srt.arg_groups",
    "sglang.srt.environ",
    "sglang.srt.parser.reasoning_parser_names",
    "sglang.srt.function_call.parser_names",
    "sglang.srt.model_executor.cuda_graph_config",
)


class Missing(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds every module below the given names, but for those that are own."""

    def __init__(self, names, own=(), root=None):
        self.names, self.own, self.root = set(names), own, root

    def find_spec(self, fullname, path, target=None):
        if fullname.split(".")[0] not in self.names:
            return None
        if any(fullname == o or fullname.startswith(o + ".") for o in self.own):
            return None  # as it is installed
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__path__ = []
        if self.root:  # so that modules of its own are found below it
            module.__path__ = [os.path.join(self.root, *spec.name.split("."))]
        module.__version__ = "0"
        module.__getattr__ = lambda name: _attribute(name)
        return module

    def exec_module(self, module):
        pass


def _attribute(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return anything(name)


class VllmParser(argparse.ArgumentParser):
    """vLLM's FlexibleArgumentParser takes underscores for hyphens."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)

    def parse_known_args(self, args=None, namespace=None):
        return super().parse_known_args([hyphens(a) for a in (sys.argv[1:] if args is None else args)], namespace)


def hyphens(argument):
    if not argument.startswith("--"):
        return argument
    flag, equals, value = argument.partition("=")
    return flag.replace("_", "-") + equals + value


class VllmEngineArgs(types.SimpleNamespace):
    @staticmethod
    def add_cli_args(parser, async_args_only=False):
        for flag in VLLM_VALUES:
            many = {"nargs": "+"} if flag == "--served-model-name" else {}
            parser.add_argument(flag, default=None, **many)
        for flag in VLLM_SWITCHES:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=None)
        return parser

    @classmethod
    def from_cli_args(cls, args):
        made = cls(**vars(args))
        made.tensor_parallel_size = int(args.tensor_parallel_size or 1)
        made.data_parallel_size = int(args.data_parallel_size or 1)
        made.data_parallel_rank = None
        made.stream_interval = 1
        made.distributed_executor_backend = None
        made.enable_lora = False
        if args.kv_transfer_config:
            made.kv_transfer_config = types.SimpleNamespace(**json.loads(args.kv_transfer_config))
        return made


def install(names):
    """Puts stand-ins in the place of modules that are not installed."""
    sys.meta_path.append(Missing(names))
    found = importlib.machinery.PathFinder.find_spec("sglang")
    if found:
        root = os.path.dirname(os.path.dirname(found.origin))
        sys.meta_path.insert(0, Missing(["sglang"], SGLANG_OWN, root))
    if "vllm" in names:
        import vllm.engine.arg_utils
        import vllm.utils

        vllm.engine.arg_utils.AsyncEngineArgs = VllmEngineArgs
        vllm.utils.FlexibleArgumentParser = VllmParser
