"""Configuration from defaults, a TOML file and environment variables, in that order."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any


class ConfigError(Exception):
    """Raised when a configuration value is missing or has the wrong type."""


@dataclass(frozen=True)
class DatabaseConfig:
    host: str = "localhost"
    port: int = 5432
    user: str = "app"
    password: str = ""
    name: str = "app"

    @property
    def url(self) -> str:
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{self.name}"


@dataclass(frozen=True)
class Config:
    debug: bool = False
    log_level: str = "INFO"
    allowed_hosts: tuple[str, ...] = ("localhost",)
    database: DatabaseConfig = field(default_factory=DatabaseConfig)


def load_config(path: Path | None = None, prefix: str = "APP_") -> Config:
    """Load the configuration; later sources win."""
    config = Config()
    if path is not None:
        config = _from_file(config, path)
    return _from_environment(config, prefix)


def _from_file(config: Config, path: Path) -> Config:
    try:
        with path.open("rb") as file:
            data = tomllib.load(file)
    except FileNotFoundError:
        raise ConfigError(f"configuration file {path} does not exist") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error

    database = data.pop("database", {})
    if "allowed_hosts" in data:
        data["allowed_hosts"] = tuple(data["allowed_hosts"])
    _check_keys(Config, data)
    _check_keys(DatabaseConfig, database)
    return replace(config, **data, database=replace(config.database, **database))


def _check_keys(cls: type, data: dict[str, Any]) -> None:
    known = {f.name for f in fields(cls)}
    unknown = set(data) - known
    if unknown:
        raise ConfigError(f"unknown settings: {', '.join(sorted(unknown))}")


def _from_environment(config: Config, prefix: str) -> Config:
    changes: dict[str, Any] = {}
    if value := os.environ.get(prefix + "DEBUG"):
        changes["debug"] = value.lower() in ("1", "true", "yes")
    if value := os.environ.get(prefix + "LOG_LEVEL"):
        changes["log_level"] = value.upper()
    if value := os.environ.get(prefix + "DB_PORT"):
        try:
            port = int(value)
        except ValueError:
            raise ConfigError(f"{prefix}DB_PORT must be a number") from None
        changes["database"] = replace(config.database, port=port)
    return replace(config, **changes)
