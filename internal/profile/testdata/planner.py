"""Writes planner/: a profile and what Dynamo's planner answers from it.

    pip install numpy scipy && python planner.py

The planner is played in NumPy and SciPy: interp1d (cubic) over the prompt
length, clamped; griddata (cubic, rescale=False, nearest outside) on a fixed grid
of 100 by 100 cells, of which the nearest is read; the fullest cell of a row
whose ITL is within the target.

planner/selected_*_interpolation/raw_data.npz   the profile
planner/answers.npz                             200 random questions, one a row,
                                                and the answers
"""
import os

import numpy as np
from scipy.interpolate import griddata, interp1d

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "planner")
rng = np.random.default_rng(23)


def path(*names):
    p = os.path.join(here, *names)
    os.makedirs(os.path.dirname(p), exist_ok=True)
    return p


max_kv = 200000
isl = np.arange(100, 15872, 1971)
ttft = (16.5 + 0.015 * isl + 4.2e-7 * isl.astype(float) ** 2) * rng.normal(1, 0.01, len(isl))
thpt = isl / ttft * 1000
np.savez(path("selected_prefill_interpolation", "raw_data.npz"), prefill_isl=isl, prefill_ttft=ttft, prefill_thpt_per_gpu=thpt)

x, y, requests = [], [], []
for i in range(100, 16384 - 500, (16384 - 500) // 8):
    most = max_kv // (i + 500)
    for n in sorted({1 + int(k * (most - 1) / 7) for k in range(8)}):
        x.append((i + 250) * n / max_kv)
        y.append(i + 250)
        requests.append(n)
x, y, requests = np.array(x), np.array(y), np.array(requests)
itl = (5.7 + 54 * x - 25 * x**2 + y / 20000) * rng.normal(1, 0.01, len(x))
rate = requests / itl * 1000 * rng.normal(1, 0.01, len(x))
np.savez(path("selected_decode_interpolation", "raw_data.npz"), x_kv_usage=x, y_context_length=y, z_itl=itl,
         z_thpt_per_gpu=rate, max_kv_tokens=np.array([max_kv]))

first, speed = interp1d(isl, ttft, kind="cubic"), interp1d(isl, thpt, kind="cubic")
xi, yi = np.linspace(0, 1, 100), np.linspace(0, y.max(), 100)
gx, gy = np.meshgrid(xi, yi)


def table(z):
    cubic = griddata((x, y), z, (gx, gy), method="cubic", rescale=False)
    nearest = griddata((x, y), z, (gx, gy), method="nearest", rescale=False)
    return np.where(np.isnan(cubic), nearest, cubic)


itls, rates = table(itl), table(rate)


def cell(axis, v):
    return int(np.clip(np.round((v - axis[0]) / (axis[1] - axis[0])), 0, len(axis) - 1))


questions, answers, exact = [], [], []
for _ in range(200):
    q_isl, q_osl = rng.integers(1, 18000), rng.integers(1, 2000)
    target, requests = rng.uniform(4, 40), rng.integers(1, 60)
    at = np.clip(q_isl, isl.min(), isl.max())
    context = q_isl + q_osl // 2
    row = cell(yi, context)
    usage = requests * context / max_kv
    column = cell(xi, usage)
    best = next((k for k in range(99, -1, -1) if itls[row, k] <= target), 0)
    questions.append([q_isl, q_osl, target, usage])
    answers.append([first(at), speed(at), itls[row, column], rates[row, column], rates[row, best], itls[row, best], xi[best]])
    exact.append([griddata((x, y), z, [(usage, context)], method="cubic", rescale=False)[0] for z in (itl, rate)])
np.savez_compressed(path("answers.npz"), questions=np.array(questions, dtype=float), answers=np.array(answers), exact=np.array(exact))
