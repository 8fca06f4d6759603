"""The running product, a listener before it, and the vendors' clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import node_packages
from tests.support.clients import Client, Listener, Product

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    product = Product()
    yield product
    product.stop()


@pytest.fixture
def listener(product: Product) -> Iterator[Listener]:
    listener = Listener(product)
    yield listener
    listener.stop()


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Client:
    program, compression = request.param
    if program.endswith("cjs"):
        node_packages.need()
    return Client(program, compression)
