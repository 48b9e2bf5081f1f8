"""The one direction of imports, and that everything under plugins/ still loads on the managed hosts' Python 3.9."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
UTILS = PLUGINS / "module_utils"
FILES = sorted(PLUGINS.rglob("*.py"))
PURE = sorted((UTILS / "_planning").rglob("*.py"))
CLIENTS = ("_scaleio", "_mesos", "_ebs")
SHARED = "_http"  # what clients have in common; knows nobody
OUR_PREFIX = "ansible_collections.mesos_scaleio.platform.plugins."
# A planner must give the same answer for the same input, anywhere and at any time.
IMPURE = {"time", "random", "secrets", "uuid", "socket", "ssl", "http", "urllib", "subprocess", "threading", "os"}
# Names that later versions added to modules which 3.9 has too.
NEWER_THAN_39 = {
    "typing": {"TypeAlias", "ParamSpec", "Concatenate", "TypeGuard", "Self", "Never", "assert_never", "NotRequired"},
    "itertools": {"pairwise", "batched"},
    "datetime": {"UTC"},
    "enum": {"StrEnum"},
    "types": {"UnionType", "NoneType", "EllipsisType"},
}
NEWER_MODULES = {"tomllib"}
NEWER_DATACLASS_OPTIONS = {"slots", "kw_only", "weakref_slot"}

named = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PLUGINS)))


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))


def imported(path):
    """Absolute names of what a file imports, as (module, name) pairs."""
    package = ("ansible_collections.mesos_scaleio.platform.plugins", *path.relative_to(PLUGINS).parent.parts)
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                base = ".".join(package).split(".")
                base = base[: len(base) - node.level + 1]
                module = ".".join([*base, *filter(None, [node.module])])
            yield from ((module, alias.name) for alias in node.names)


def layers(path):
    """Which of our own layers a file imports from: a client's or the planners' folder, or modules."""
    for module, name in imported(path):
        if module.startswith(OUR_PREFIX):
            parts = [*module[len(OUR_PREFIX) :].split("."), name or ""]
            yield parts[1] if parts[0] == "module_utils" else parts[0]


def test_there_is_something_to_check():
    assert len(PURE) > 5
    assert {path.parent.name for path in FILES} >= {"modules", "_planning", *CLIENTS}


@named
def test_loads_on_python_39(path):
    tree = tree_of(path)
    for module, name in imported(path):
        assert module.split(".")[0] not in NEWER_MODULES
        assert name not in NEWER_THAN_39.get(module, ()), f"{module}.{name} is newer than Python 3.9"
    for node in ast.walk(tree):
        for decorator in getattr(node, "decorator_list", ()):
            options = {keyword.arg for keyword in getattr(decorator, "keywords", ())}
            assert not ("dataclass" in ast.unparse(decorator) and options & NEWER_DATACLASS_OPTIONS)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "zip":
            assert "strict" not in {keyword.arg for keyword in node.keywords}, "zip(strict=) is newer than 3.9"
    if tree.body:
        futures = {name for module, name in imported(path) if module == "__future__"}
        assert "annotations" in futures, "annotations such as X | Y need the import from __future__"


@named
def test_no_union_is_evaluated_at_run_time(path):
    """`int | None` outside annotations is evaluated when the file is loaded, and 3.9 has no such operator."""
    builtins = {"int", "str", "float", "bool", "bytes", "list", "dict", "set", "tuple", "None"}
    tree = tree_of(path)
    annotations = set()
    for node in ast.walk(tree):
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if part is not None:
                annotations.update(id(child) for child in ast.walk(part))
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and id(node) not in annotations:
            sides = {ast.unparse(node.left).split("[")[0], ast.unparse(node.right).split("[")[0]}
            assert not sides & builtins, f"line {node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.name)
def test_planners_are_pure(path):
    for module, _name in imported(path):
        top = module.split(".")[0]
        ours = module.startswith(OUR_PREFIX + "module_utils._planning")
        assert ours or top in sys.stdlib_module_names, f"{module} is neither a planner nor of the standard library"
        assert top not in IMPURE, f"{module} is not pure"
    clock_calls = {"datetime.now", "datetime.utcnow", "date.today", "datetime.datetime.now"}
    calls = {ast.unparse(node.func) for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)}
    assert not calls & (clock_calls | {"open", "print", "input"})


@pytest.mark.parametrize("client", CLIENTS)
def test_clients_know_only_themselves_and_the_planners(client):
    for path in (UTILS / client).rglob("*.py"):
        assert set(layers(path)) <= {client, SHARED, "_planning"}, path


def test_what_clients_share_knows_nobody():
    for path in (UTILS / SHARED).rglob("*.py"):
        assert set(layers(path)) <= {SHARED}, path


@named
def test_nothing_in_plugins_knows_the_lab(path):
    assert not [module for module, _name in imported(path) if module.split(".")[0] in ("lab", "tests")]


def test_nobody_imports_a_module():
    for path in FILES:
        assert "modules" not in set(layers(path)), path


def test_the_bench_loads_without_the_paths_that_pytest_adds():
    done = subprocess.run(
        [sys.executable, "-c", "import tests.bench.remediation"],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
