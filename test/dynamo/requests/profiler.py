#!/usr/bin/env python3
"""What Dynamo's own profiler reads in requests, for headway's tests.

    pip download --no-deps -d wheels ai-dynamo==1.6.1
    python3 test/dynamo/requests/profiler.py wheels/ai_dynamo-1.6.1-py3-none-any.whl

It gives every specification of internal/deploy/dgdr/testdata/profiler/cases.yaml to the
model and to the checks of the wheel, and writes what they make of it, defaults included,
or their error, to read.json beside it. TestProfiler of that package holds headway's reading
against it, field by field. It is run by hand, when the cases or the release change. It
needs pydantic and PyYAML; what else the wheel imports is not called, and stubbed.
"""

import importlib.abc
import importlib.machinery
import json
import pathlib
import sys
import types
import unittest.mock
import zipfile
import tempfile

CASES = pathlib.Path(__file__).parents[3] / "internal/deploy/dgdr/testdata/profiler"


class Stub(types.ModuleType):
    """A module whose every name is there and does nothing."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return unittest.mock.MagicMock(name=name)


class Stubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds what is not installed, and the package of which a wheel has no part."""

    def find_spec(self, name, path, target=None):
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return Stub(spec.name)

    def exec_module(self, module):
        pass


def read(spec):
    """What the wheel makes of a specification, or the first line of its error."""
    from dynamo.profiler.utils import dgdr_v1beta1_types as t
    from dynamo.profiler.utils import dgdr_validate as v
    from dynamo.profiler.utils import profile_common as c
    from dynamo.profiler.utils import model_cache_paths as m

    try:
        request = t.DynamoGraphDeploymentRequestSpec.model_validate(spec)
        v.valid_dgdr_spec(request)
        v.validate_dgdr_dynamo_features(request, True)
    except ValueError as e:
        return {"error": " ".join(str(e).split())[:300]}
    made = request.model_dump(mode="json")
    (made.get("features") or {}).pop("planner", None)
    backend = "vllm" if request.backend == t.BackendType.Auto else request.backend.value
    cache = request.modelCache
    made["derived"] = {
        "workerImage": c.derive_backend_image(request.image, backend),
        "plannerImage": c.derive_planner_image(request.image),
        "planner": c.is_planner_enabled(request),
        "mocker": c.is_mocker_enabled(request),
        "kvRouter": c.is_kv_router_enabled(request),
        "tolerations": c.get_profiling_job_tolerations(request),
        "pickingMode": c.determine_picking_mode(request),
        "modelPath": m.normalize_model_cache_path(cache.pvcMountPath, cache.pvcModelPath)
        if cache and cache.pvcName
        else None,
    }
    return {"read": made}


def main():
    import yaml

    wheel = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(wheel).extractall(folder)
        sys.path.insert(0, folder)
        sys.meta_path.append(Stubs())
        cases = yaml.safe_load((CASES / "cases.yaml").read_text())
        out = {"wheel": wheel.name, "cases": {name: read(case["spec"]) for name, case in cases.items()}}
    (CASES / "read.json").write_text(json.dumps(out, indent=1, sort_keys=True) + "\n")
    print(f"{len(out['cases'])} cases, {sum('error' in c for c in out['cases'].values())} refused")


if __name__ == "__main__":
    main()
