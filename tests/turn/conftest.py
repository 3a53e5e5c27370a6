"""The stand-ins of the nodes' tests."""

from tests.nodes.conftest import parts  # noqa: F401
