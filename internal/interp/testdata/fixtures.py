"""Writes the fixtures of this folder, with NumPy and SciPy as the oracle.

    pip install numpy scipy && python fixtures.py

types.npz      one array of each type and order that is read
spline.npz     x_N, y_N: N measured points; at_N, curve_N: places between and
               beyond them, and the cubic not-a-knot spline there
monotone.npz   the same for PchipInterpolator, with points that bend sharply
scattered.npz  random points, values, and griddata's surface at other points
profile.npz    points as a profiler measures them (axes that differ by five
               orders of magnitude, the lowest load on one line), queries over
               the whole plane, griddata's surface, NaN outside the hull, and
               the nearest point's value
linear.npz     the linear surface through the points of profile.npz
grids.npz      for each regular grid: points_G, values_G, queries_G, and griddata's
               cubic surface_G, which hangs on how Qhull divides the cells
"""
import os

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator, griddata, interp1d

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(11)


def path(name):
    return os.path.join(here, name)


small = np.arange(6).reshape(2, 3)
types = {d: small.astype(d) for d in ("f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")}
types |= {"big_f8": small.astype(">f8"), "big_i4": small.astype(">i4"), "fortran": np.asfortranarray(small * 1.5),
          "cube": np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)), "scalar": np.float64(2.5), "empty": np.zeros((0, 3)),
          "text": np.array(["a", "b"]), "complex": np.array([1j])}
np.savez_compressed(path("types.npz"), **types)

curves = {}
for n in (2, 3, 4, 5, 9, 17):
    x = np.sort(rng.uniform(100, 130000, n))
    y = 16.5 + 0.015 * x + 4.2e-7 * x**2 + rng.normal(0, 20, n)
    at = np.concatenate([x, rng.uniform(x[0], x[-1], 40), [x[0] - 50, x[-1] + 900]])
    curve = interp1d(x, y, kind="cubic", fill_value="extrapolate") if n > 3 else CubicSpline(x, y)
    curves |= {f"x_{n}": x, f"y_{n}": y, f"at_{n}": at, f"curve_{n}": curve(at)}
np.savez(path("spline.npz"), **curves)

points = rng.uniform(0, 1, (60, 2))
values = np.sin(5 * points[:, 0]) * np.cos(4 * points[:, 1])
queries = rng.uniform(0.05, 0.95, (300, 2))
np.savez(path("scattered.npz"), points=points, values=values, queries=queries,
         surface=np.nan_to_num(griddata(points, values, queries, method="cubic"), nan=-999.0))

max_kv = 200000
x, y = [], []
for i in range(100, 16384 - 500, (16384 - 500) // 8):
    most = max_kv // (i + 500)
    for n in sorted({max(1, int(most * f)) for f in (0.001, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1)}):
        x.append((i + 250) * n / max_kv)
        y.append(i + 250)
x, y = np.array(x), np.array(y, dtype=float)
z = 5.7 + 54 * x - 25 * x**2 + y / 20000 + rng.normal(0, 0.2, len(x))
queries = np.column_stack([rng.uniform(0, 1, 400), rng.uniform(0, y.max(), 400)])
np.savez(path("profile.npz"), points=np.column_stack([x, y]), values=z, queries=queries,
         surface=griddata((x, y), z, queries, method="cubic"), nearest=griddata((x, y), z, queries, method="nearest"))
np.savez(path("linear.npz"), surface=griddata((x, y), z, queries, method="linear"))

curves = {}
for n in (2, 3, 4, 9):
    x = np.sort(rng.uniform(100, 130000, n))
    y = np.where(np.arange(n) % 3 == 0, 5, rng.uniform(10, 9000, n))
    at = np.concatenate([x, rng.uniform(x[0], x[-1], 60)])
    curves |= {f"x_{n}": x, f"y_{n}": y, f"at_{n}": at, f"curve_{n}": PchipInterpolator(x, y)(at)}
np.savez(path("monotone.npz"), **curves)

grids = {}
for name, (nx, ny, longest) in {"square": (5, 5, 1), "profile": (6, 6, 16000), "fine": (9, 7, 131072)}.items():
    x, y = np.meshgrid(np.linspace(0.05, 0.95, nx), np.linspace(longest / 50, longest, ny), indexing="ij")
    p = np.column_stack([x.ravel(), y.ravel()])
    z = 5.7 + 54 * p[:, 0] - 25 * p[:, 0] ** 2 + 8 * p[:, 1] / longest + rng.normal(0, 0.2, len(p))
    q = np.column_stack([rng.uniform(0.06, 0.94, 300), rng.uniform(longest / 40, longest, 300)])
    grids |= {f"points_{name}": p, f"values_{name}": z, f"queries_{name}": q, f"surface_{name}": griddata(p, z, q, method="cubic")}
np.savez(path("grids.npz"), **grids)
