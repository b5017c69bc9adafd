"""Prints the version of SGLang that a folder's ai-dynamo asks for."""

import glob
import re
import sys

with open(glob.glob(sys.argv[1] + "/ai_dynamo-*.dist-info/METADATA")[0]) as f:
    print(re.search(r"^Requires-Dist: sglang\S*?==([\w.]+)", f.read(), re.M)[1])
