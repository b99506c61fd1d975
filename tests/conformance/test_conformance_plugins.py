from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "tools" / "conformance" / "plugins"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, PLUGINS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def module(name: str, **constants: Any) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(constants)
    return made


BASE = "postgres://u:p@127.0.0.1:1/"


def test_constants_that_name_a_server_are_led_to_ours() -> None:
    conftest = module(
        "tests.conftest",
        BARE="postgres://postgres:postgres@localhost:5442/",
        NAMED="postgres://postgres:postgres@localhost:5441/postgres?sslmode=disable",
        OTHER="postgres://elsewhere:1/",
        NUMBER=5442,
    )
    servers = load("conformance_servers")
    assert servers.rewrite_constants([conftest], BASE, "own")
    assert vars(conftest)["BARE"] == BASE
    assert vars(conftest)["NAMED"] == f"{BASE}own?sslmode=disable"
    assert vars(conftest)["OTHER"] == "postgres://elsewhere:1/"
    assert vars(conftest)["NUMBER"] == 5442


def test_without_a_named_database_none_is_needed() -> None:
    conftest = module("tests.conftest", URI="postgres://postgres:postgres@localhost:5442/")
    assert not load("conformance_servers").rewrite_constants([conftest], BASE, "own")


def test_modules_of_others_are_left_alone() -> None:
    uri = "postgres://postgres:postgres@localhost:5442/postgres"
    library = module("library", URI=uri)
    assert not load("conformance_servers").rewrite_constants([library], BASE, "own")
    assert vars(library)["URI"] == uri


def test_redis_clients_of_upstreams_address_are_led_to_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[dict[str, Any]] = []

    class Redis:
        def __init__(self, **kwargs: Any) -> None:
            seen.append(kwargs)

    monkeypatch.setitem(__import__("sys").modules, "redis", module("redis", Redis=Redis))
    load("conformance_servers").lead_redis_to("redis://:word@127.0.0.1:7000", 4)
    Redis(host="localhost", port=6379, db=1)
    Redis(host="nonexistent", port=9999)
    assert seen == [
        {"host": "127.0.0.1", "port": 7000, "db": 5, "password": "word"},
        {"host": "nonexistent", "port": 9999},
    ]


def test_tests_of_a_remote_server_are_skipped() -> None:
    marked: list[str] = []

    class Item:
        def __init__(self, name: str, *fixturenames: str) -> None:
            self.name, self.fixturenames = name, fixturenames

        def add_marker(self, marker: pytest.MarkDecorator) -> None:
            marked.append(f"{self.name}: {marker.name}")

    items = [Item("local", "tmp_path"), Item("remote", "remote_graph"), Item("bare")]
    load("conformance_servers").pytest_collection_modifyitems(items)
    assert marked == ["remote: skip"]
