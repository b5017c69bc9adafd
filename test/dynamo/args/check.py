"""Reads the command line of every container that headway wrote, as a release does.

    check.py RELEASE FOLDER

Every YAML file below FOLDER is read; of each DynamoGraphDeployment in it the main
container of every service is given to the parser of the module that it starts, from
the release's wheel, which is on the path. Then the same once more with a flag that no
release has, which has to be refused: a check that takes everything would be none.
"""

import asyncio
import contextlib
import importlib
import io
import json
import logging
import os
import pathlib
import shlex
import sys
import tempfile
import warnings

import stand_ins
import yaml

stand_ins.install(
    """vllm torch tensorrt_llm transformers aisimulate aisimulate_core huggingface_hub PIL nixl blake3 librosa cupy
    requests triton orjson tqdm sglang redis zstandard filelock pmdarima prophet filterpy pandas plotly
    prometheus_api_client grpc google uvicorn matplotlib sklearn tomli psutil""".split()
)
PLANTED = "no-such-flag"
MOUNT = "/workspace/profiling_results"
IS_DIR = os.path.isdir


class Fetch(Exception):
    """The parser is through, and wants the model."""


def parse_frontend(argv):
    from dynamo.frontend.main import parse_args

    return parse_args()


def parse_vllm(argv):
    from dynamo.vllm.args import parse_args

    return parse_args()


def parse_mocker(argv):
    from dynamo.mocker.args import parse_args

    return parse_args()


def parse_trtllm(argv):
    try:
        from dynamo.trtllm.args import parse_args
    except ModuleNotFoundError:  # 0.9
        from dynamo.trtllm.utils.trtllm_utils import cmd_line_args as parse_args
    config = parse_args()
    json.loads(config.override_engine_args or "{}")
    return config


def parse_sglang(argv):
    """SGLang's parser and Dynamo's; both are through when the model is fetched."""
    from dynamo.sglang import args

    def fetch(*_, **__):
        raise Fetch

    for name in ("fetch_llm", "fetch_model"):
        if hasattr(args, name):
            setattr(args, name, fetch)
    try:
        return asyncio.run(args.parse_args(argv))
    except Fetch:
        return None


def parse_old_planner(argv):
    from dynamo.planner.utils.planner_argparse import create_sla_planner_parser

    args = create_sla_planner_parser().parse_args(argv)
    agrees(vars(args), ("ttft", 300.0), ("itl", 40.0), ("environment", "kubernetes"), ("profile_results_dir", MOUNT))
    return args


def parse_planner(argv):
    """The planner's own parser, and its model, which takes unknown settings without a word."""
    config = importlib.import_module("dynamo.planner.__main__")._parse_config()
    known = set()
    for name, field in type(config).model_fields.items():
        known.add(name)
        known.update(getattr(field.validation_alias, "choices", ()))
    given = json.loads(argv[argv.index("--config") + 1])
    if unknown := set(given) - known:
        raise ValueError(f"the planner has no setting {sorted(unknown)}")
    by = vars(config)
    agrees(by, ("mode", "disagg"), ("environment", "kubernetes"), ("backend", given.get("backend", "vllm")))
    agrees(by, ("ttft_ms" if "ttft_ms" in by else "ttft", 300.0), ("itl_ms" if "itl_ms" in by else "itl", 40.0))
    if "optimization_target" in by:
        agrees(by, ("optimization_target", "sla"))
    if "profile_results_dir" in given:
        agrees(by, ("enable_throughput_scaling", True), ("profile_results_dir", MOUNT))
    for role in ("prefill", "decode") if "with_planner" in sys.argv[0] else ():
        if not by[role + "_engine_num_gpu"]:
            raise ValueError(f"the planner does not know the GPUs of a {role} worker")
    return config


def agrees(have, *wanted):
    """A planner that was there before, in disagg_config.yaml, has its own targets."""
    for name, value in wanted if "with_planner" in sys.argv[0] else ():
        if have[name] != value:
            raise ValueError(f"{name} is {have[name]!r}, and {value!r} was asked for")


PARSERS = {
    "dynamo.frontend": parse_frontend,
    "dynamo.vllm": parse_vllm,
    "dynamo.sglang": parse_sglang,
    "dynamo.trtllm": parse_trtllm,
    "dynamo.mocker": parse_mocker,
    "dynamo.planner.planner_sla": parse_old_planner,
    "dynamo.planner": parse_planner,
}


def parse(module, argv, path):
    """Why the parser refuses the arguments, which are of a file; None where it does not."""
    sys.argv = [path, *argv]
    out = io.StringIO()
    try:
        if module not in PARSERS:
            raise ValueError(f"no parser is known for {module}")
        importlib.import_module(module)  # is it there at all?
        with contextlib.redirect_stderr(out), contextlib.redirect_stdout(out):
            PARSERS[module](argv)
    except SystemExit as e:
        if e.code:
            return (out.getvalue().strip().splitlines() or [f"exit code {e.code}"])[-1]
    except Exception as e:  # noqa: BLE001: whatever it is, the container would not start
        return f"{type(e).__name__}: {e}"
    return None


def started(container):
    """The module that a container starts, and its arguments; None where the image's own command runs."""
    words = list(container.get("command") or [])
    args = container.get("args") or []
    words += [args] if isinstance(args, str) else list(args)
    words = [str(w) for w in words]
    for script in [w for w in words if "-m dynamo." in w]:
        words = shlex.split(script.replace("\\\n", " "))
    for i, w in enumerate(words):
        if w == "-m" and words[i + 1].startswith("dynamo."):
            rest = words[i + 2 :]
            ends = [n for n, r in enumerate(rest) if r in (">", ">>", "|", "2>&1", "&&", ";", "&")]
            return words[i + 1], rest[: min(ends, default=len(rest))]
    return None


def mounted(path):
    """Folders of volumes are not here, and are taken to be there in the container."""
    return path.startswith("/models") or IS_DIR(path)


def containers(deployment):
    """The name and the main container of each service, in both versions of the API."""
    spec = deployment["spec"]
    for name, s in spec.get("services", {}).items():
        yield name, s.get("extraPodSpec", {}).get("mainContainer") or {}
    for s in spec.get("components", []):
        for c in s.get("podTemplate", {}).get("spec", {}).get("containers", []):
            if c["name"] == "main":
                yield s["name"], c


def with_planted(module, argv):
    """The arguments with something that no release knows."""
    if module == "dynamo.planner":
        at = argv.index("--config") + 1
        config = json.dumps({**json.loads(argv[at]), PLANTED: 1})
        return [*argv[:at], config, *argv[at + 1 :]]
    return [*argv, "--" + PLANTED, "1"]


def read_profile(data):
    """Has the planner read the profile as it is mounted."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in data.items():
            pathlib.Path(folder, name).write_text(text)
        try:
            from dynamo.planner.monitoring import perf_metrics as planner
        except ModuleNotFoundError:  # 0.9 and 1.0
            from dynamo.planner.utils import perf_interpolation as planner

            planner.PrefillInterpolator(folder)
            planner.DecodeInterpolator(folder)
            return
        for read in (planner._convert_prefill_profiling, planner._convert_decode_profiling):
            if not read(folder):
                raise ValueError(f"{read.__name__} finds nothing in it")


def check(path, seen):
    """The faults of one file."""
    faults = []
    with open(path) as f:
        documents = [d for d in yaml.safe_load_all(f) if d]
    for d in documents:
        if d.get("kind") == "ConfigMap" and "prefill_raw_data.json" in d.get("data", {}):
            try:
                read_profile(d["data"])
                seen["profiles"] += 1
            except Exception as e:  # noqa: BLE001: any of them is a fault of the file
                faults.append(f"{d['metadata']['name']}: {type(e).__name__}: {e}")
        if d.get("kind") != "DynamoGraphDeployment":
            continue
        for name, container in containers(d):
            what = started(container)
            if what is None:
                seen["without a command"] += 1
                continue
            module, argv = what
            seen[module] = seen.get(module, 0) + 1
            if why := parse(module, argv, path):
                faults.append(f"{name}: {module} {shlex.join(argv)}\n    {why}")
            elif parse(module, with_planted(module, argv), path) is None:
                faults.append(f"{name}: {module} takes a flag that no release has: nothing is checked")
    return faults


def main(release, folder):
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    os.path.isdir = mounted
    seen, bad, files = {"profiles": 0, "without a command": 0}, 0, 0
    for top, _, names in sorted(os.walk(folder)):
        for name in sorted(n for n in names if n.endswith(".yaml")):
            path = os.path.join(top, name)
            files += 1
            for fault in check(path, seen):
                bad += 1
                print(f"{release}: {os.path.relpath(path, folder)}: {fault}")
    counts = ", ".join(f"{n} {what}" for what, n in sorted(seen.items()))
    print(f"Dynamo {release}: {files} files: {counts}; {bad} refused")
    return 1 if bad or not seen.get("dynamo.vllm") else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
