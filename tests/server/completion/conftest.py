"""A real type checker for the tests of a module."""

import pytest

from environments import make_environment
from surefill.oracle.service import OracleService
from surefill.settings import OracleSettings


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    environment = make_environment(tmp_path_factory.mktemp("environment") / "env")
    service = OracleService()
    service.configure(OracleSettings(python=str(environment)), [tmp_path_factory.mktemp("work")])
    yield service
    service.close(10)
