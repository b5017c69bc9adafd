"""Writes the fixtures of profile_test.go, with NumPy and SciPy as the oracle.

    pip install numpy scipy && python fixtures.py

mocker.npz       measured step times in the mocker's layout
profile/         a profiler's results, on the grid of contexts and loads that it
                 measures, as NPZ; profile-json/ the same as JSON
resampled.npz    what SciPy makes of them: the cubic curve on 100 points, and
                 every seventh row and column of the 100 x 100 grid
"""
import json
import os

import numpy as np
from scipy.interpolate import griddata, interp1d

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(7)


def path(*names):
    p = os.path.join(here, *names)
    os.makedirs(os.path.dirname(p), exist_ok=True)
    return p


def itl(usage, context):
    return 5.7 + 54 * usage - 25 * usage**2 + context / 20000 + 3 * usage * context / 131072


isl = np.array([100, 1000, 4000, 8192])
kv = np.array([0, 100000, 500000, 1048576])
ctx = np.array([100.0, 10000.0, 100000.0])
np.savez(path("mocker.npz"), prefill_isl=isl, prefill_ttft_ms=np.array([20.0, 32.5, 81.0, 170.0]),
         decode_active_kv_tokens=kv, decode_context_length=ctx,
         decode_itl=itl(kv[:, None] / 1048576, ctx[None, :]))

# The grids of the profiler for a context of 131072 tokens.
max_kv = 917504
p_isl = np.arange(100, 130560, 8153)
p_ttft = 16.5 + 0.015 * p_isl + 4.2e-7 * p_isl.astype(float) ** 2 + rng.normal(0, 3, len(p_isl))
x, y = [], []
for i in range(100, 131072 - 500, 21762):
    most = max_kv // (i + 500)
    for n in sorted({max(1, int(most * f)) for f in (0.01, 0.11, 0.27, 0.52, 0.73, 1)}):
        x.append((i + 250) * n / max_kv)
        y.append(i + 250)
x, y = np.array(x), np.array(y)
z = itl(x, y) + rng.normal(0, 0.2, len(x))
np.savez(path("profile", "selected_prefill_interpolation", "raw_data.npz"),
         prefill_isl=p_isl, prefill_ttft=p_ttft, prefill_thpt_per_gpu=p_isl / p_ttft)
np.savez(path("profile", "selected_decode_interpolation", "raw_data.npz"),
         x_kv_usage=x, y_context_length=y, z_itl=z, z_thpt_per_gpu=1 / z, max_kv_tokens=np.array([max_kv]))
with open(path("profile-json", "prefill_raw_data.json"), "w") as f:
    json.dump({"prefill_isl": p_isl.tolist(), "prefill_ttft": p_ttft.tolist(), "prefill_thpt_per_gpu": (p_isl / p_ttft).tolist()}, f)
with open(path("profile-json", "decode_raw_data.json"), "w") as f:
    json.dump({"x_kv_usage": x.tolist(), "y_context_length": y.tolist(), "z_itl": z.tolist(),
               "z_thpt_per_gpu": (1 / z).tolist(), "max_kv_tokens": max_kv}, f)

at = np.linspace(p_isl.min(), p_isl.max(), 100)
gx, gy = np.meshgrid(np.linspace(0, 1, 100), np.linspace(0, y.max(), 100))
cubic = griddata((x, y), z, (gx, gy), method="cubic")
nearest = griddata((x, y), z, (gx, gy), method="nearest")
surface = np.where(np.isnan(cubic), nearest, cubic)
np.savez(path("resampled.npz"), isl=at, ttft=interp1d(p_isl, p_ttft, kind="cubic")(at), max_kv=np.array([max_kv]),
         context=np.linspace(0, y.max(), 100)[::7], itl=surface[::7, ::7], inside=(~np.isnan(cubic))[::7, ::7].astype("u1"))
