"""Reads the files of a profile with NumPy and checks names, shapes and types.

    python check.py [FOLDER]    default: written/ beside this script
"""
import json
import os
import sys

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "written")

p = np.load(os.path.join(folder, "selected_prefill_interpolation", "raw_data.npz"))
assert sorted(p.files) == ["prefill_isl", "prefill_thpt_per_gpu", "prefill_ttft"], p.files
assert p["prefill_isl"].tolist() == [100, 971, 1842, 2713, 3584] and p["prefill_isl"].dtype == np.int64
for name in p.files:
    assert p[name].shape == (5,), (name, p[name].shape)
assert p["prefill_ttft"].dtype == np.float64
isl = p["prefill_isl"].astype(float)
assert np.allclose(p["prefill_ttft"], 16.5 + 0.015 * isl + 4.2e-7 * isl**2)
assert np.allclose(p["prefill_thpt_per_gpu"], isl / p["prefill_ttft"] * 1000)

d = np.load(os.path.join(folder, "selected_decode_interpolation", "raw_data.npz"))
assert sorted(d.files) == ["front_end_bound", "max_kv_tokens", "x_kv_usage", "y_context_length", "z_itl", "z_thpt_per_gpu"], d.files
assert d["max_kv_tokens"].shape == (1,) and int(d["max_kv_tokens"][0]) == 65536
n = len(d["x_kv_usage"])
assert n == 16 and all(d[k].shape == (n,) for k in d.files if k != "max_kv_tokens")
assert not d["front_end_bound"].any() and d["front_end_bound"].dtype == np.int64
x = d["x_kv_usage"]
assert np.allclose(d["z_itl"], 5.74 + 54.01 * x - 25.74 * x**2) and x.max() <= 1

for half, arrays in (("prefill", p), ("decode", d)):
    with open(os.path.join(folder, half + "_raw_data.json")) as f:
        lists = json.load(f)
    assert sorted(lists) == sorted(arrays.files), lists.keys()
    for name, values in lists.items():
        assert np.array_equal(np.atleast_1d(values), arrays[name]), name
assert isinstance(lists["max_kv_tokens"], int)
print("read", n, "decode and 5 prefill points")
