"""What Handbill is made of: nothing that it does not use, and a list of all of it."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from house.sources import ROOT, nodes_of, sources

NOT_IMPORTED = {"tzdata"}  # read by the standard library's zoneinfo


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = project["project"]["dependencies"]
    return {_canonical(re.split(r"[\[>=<]", line)[0]) for line in lines}


@cache
def _imported() -> set[str]:
    """The distributions that the package imports, wherever in a file."""
    of = packages_distributions()
    found: set[str] = set()
    for path in sources():
        for node in nodes_of(path):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            for name in names:
                top = name.partition(".")[0]
                if top == "arro3":  # two distributions share the name
                    found.add("-".join(name.split(".")[:2]))
                elif top not in sys.stdlib_module_names and top != "handbill":
                    assert top in of, f"{path} imports {top}, which nothing here provides"
                    found |= {_canonical(dist) for dist in of[top]}
    return found


def test_each_dependency_is_imported_and_each_import_declared() -> None:
    assert _declared() - _imported() == NOT_IMPORTED
    assert _imported() - _declared() == set()


def test_the_bill_of_materials_lists_what_is_locked(tmp_path: Path) -> None:
    at = tmp_path / "sbom.json"
    here = f"BIN={Path(sys.executable).parent}"
    made = subprocess.run(
        ["make", "-s", "--assume-old=dev", "sbom", f"SBOM={at}", here],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    bill = json.loads(at.read_bytes())
    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "handbill")
    locked = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==([^\s;]+)", locked, re.M)
    listed = {(_canonical(one["name"]), one["version"]) for one in bill["components"]}
    assert listed == {(_canonical(name), version) for name, version in pins}
    assert all(one["purl"].startswith("pkg:pypi/") for one in bill["components"])
    hashes = [ref.get("hashes") for one in bill["components"] for ref in one["externalReferences"]]
    assert all(hashes), "what is locked by its hash is listed with it"
