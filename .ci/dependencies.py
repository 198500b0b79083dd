#!/usr/bin/env python3
"""Checks the licences, bans and sources of all dependencies against deny.toml, where cargo-deny is not at hand.

    python3 .ci/dependencies.py

What `cargo metadata` tells of every crate in Cargo.lock is held against the tables `licenses.allow`, `bans.deny` and
`sources` of deny.toml. Ends with 1, naming each crate that breaks a rule.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


def is_allowed(expression, allowed):
    """Whether an SPDX expression can be met by the licences that are allowed; an old `MIT/Apache-2.0` means either."""
    words = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))
    text = " ".join(words).replace(" WITH ", "+WITH+")
    parts = []
    for word in text.split():
        if word in ("OR", "AND", "(", ")"):
            parts.append(word.lower())
        else:
            parts.append(str(word.replace("+WITH+", " WITH ") in allowed))
    # Nothing but True, False, and, or, and brackets is left.
    return bool(parts) and eval(" ".join(parts), {"__builtins__": {}})


def main():
    rules = tomllib.loads(Path("deny.toml").read_text())
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--all-features"]
    for target in rules["graph"]["targets"]:
        command += ["--filter-platform", target]
    packages = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["packages"]
    allowed = set(rules["licenses"]["allow"])
    banned = {ban["crate"]: ban["reason"] for ban in rules["bans"]["deny"]}
    wrong = []
    for package in packages:
        name = f"{package['name']} {package['version']}"
        if package["source"] not in (None, REGISTRY):
            wrong.append(f"{name} comes from {package['source']}")
        if package["name"] in banned:
            wrong.append(f"{name} is banned: {banned[package['name']]}")
        if not is_allowed(package["license"] or "", allowed):
            wrong.append(f"{name} has the licence {package['license']!r}, which deny.toml does not allow")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(packages)} crates: licences, bans and sources as deny.toml has them")


if __name__ == "__main__":
    main()
