"""The embedded DynamoDB: moto's, with calls whose cost depends on the items they touch, not on all that are stored.

Moto copies every table that a transaction names, sorts a whole table to query one partition, and keeps every item that
it ever made. Here, moto's code runs on an excerpt: a table with just the items that the call can touch. The effects and
answers of a call are moto's.
"""

# mypy: disable-error-code="arg-type, assignment, attr-defined, method-assign, misc, return-value, union-attr"
# (moto has few types)

from __future__ import annotations

import base64
import contextlib
import copy
import json
import pickle
from collections import defaultdict, deque
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

from botocore import xform_name
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb import urls
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.exceptions import MockValidationException, ResourceNotFoundException
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.dynamodb.parsing.validators import ActionCountValidator, OverlappingPathsValidator
from moto.dynamodb.responses import DynamoHandler
from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_TARGET = "DynamoDB_20120810."


def answer(target: str, body: bytes, region: str) -> tuple[int, bytes] | None:
    """Answer a call of DynamoDB without moto's web server.

    Args:
        target: the operation, as the request's header `X-Amz-Target` names it.
        body: the request's body, in JSON.
        region: the region.

    Returns:
        Status and body. None where it is no call of DynamoDB, or one that fails here: nothing was changed, and the
        request has to go to moto's web server.
    """
    if not target.startswith(_TARGET):
        return None
    try:
        result = call(xform_name(target.removeprefix(_TARGET)), json.loads(body, object_hook=_with_bytes), region)
    except HTTPException as refusal:  # all errors of DynamoDB itself
        return refusal.code, str(refusal.description).encode()
    except Exception:  # noqa: BLE001  (moto's web server gets the same error, and makes an answer of it)
        return None
    return 200, json.dumps(result, default=_as_json).encode()


def call(operation: str, body: Mapping[str, Any], region: str) -> Any:  # noqa: ANN401  (the operation's own)
    """Make a call of DynamoDB without a client, which takes most of a call's time.

    Args:
        operation: as boto3 names it, such as `create_table`.
        body: its parameters.
        region: the region.

    Raises:
        HTTPException: DynamoDB refuses it.
    """
    handler = DynamoHandler()
    handler.current_account, handler.region, handler.body = DEFAULT_ACCOUNT_ID, region, body
    return getattr(handler, operation)().result


def _with_bytes(found: dict[str, Any]) -> dict[str, Any]:
    """An object of a request, with bytes in place of base64 where it is a binary value."""
    match found:
        case {"B": str(text)}:
            return {"B": base64.b64decode(text)}
        case {"BS": [*texts]}:
            return {"BS": [base64.b64decode(text) for text in texts]}
    return found


def _as_json(value: bytes | datetime) -> str | float:
    return value.timestamp() if isinstance(value, datetime) else base64.b64encode(value).decode()


def install() -> None:
    """Make moto use this backend, for every account and region of this process. May be called again."""
    if dynamodb_backends.backend is EmbeddedDynamoDB:
        return
    dynamodb_backends.backend = EmbeddedDynamoDB
    dynamodb_backends.clear()
    for kind in (Item, Table, _Excerpt):
        # Moto lists the instances of each kind, for a page that is not used here.
        kind.instances_tracked = deque(maxlen=0)
    _read_expressions_once()


def _read_expressions_once() -> None:
    """Keep the expressions that moto has parsed: that is half of a write's cost, and the product has a few dozen."""
    lex = ConditionExpressionParser._lex_one_node  # noqa: SLF001  (there is no public one)
    lexed = lru_cache(10_000)(lambda text: lex(ConditionExpressionParser(None, None, None), text))
    ConditionExpressionParser._lex_one_node = lambda _, text: lexed(text)  # noqa: SLF001
    UpdateExpressionParser.make = lru_cache(10_000)(UpdateExpressionParser.make)
    # Moto copies an expression at each use; pickle copies a tree of some hundred nodes quickly.
    Node.__deepcopy__ = lambda node, _: pickle.loads(pickle.dumps(node, pickle.HIGHEST_PROTOCOL))  # noqa: S301
    DepthFirstTraverser.traverse = _traverse
    for validator in (ActionCountValidator, OverlappingPathsValidator):
        # These check a whole expression; moto would call them for each part of it as well.
        validator.traverse = validator.process


def _traverse(traverser: DepthFirstTraverser, root: Node) -> Node:
    """Do what moto's own method does, and ask only once for each type of node whether it is to be processed."""
    processed = traverser.nodes_to_be_processed()
    is_processed = lru_cache(None)(lambda kind: issubclass(kind, processed))

    def visit(node: Node, position: int) -> Node:
        parent = node.parent
        for number, child in enumerate(node.children or ()):
            traverser.pre_processing_of_child(node, number)
            if isinstance(child, Node):
                visit(child, number)
        if is_processed(type(node)):
            node = traverser.process(node)
            node.parent = parent
            if parent:
                parent.children[position] = node
        return node

    return visit(root, -1)


class EmbeddedDynamoDB(DynamoDBBackend):
    """DynamoDB in one account and region."""

    _url_module = urls  # moto would look for it beside this module

    def transact_write_items(self, transact_items: list[dict[str, Any]]) -> None:
        """Make all of the writes, or none."""
        operations = [operation for part in transact_items for operation in part.values()]
        tables = {operation.get("TableName"): self._find(operation.get("TableName")) for operation in operations}
        excerpts = {table.name: _Excerpt.of(table, ()) for table in tables.values() if table is not None}
        if any(excerpt.stream_shard is not None for excerpt in excerpts.values()):
            super().transact_write_items(transact_items)  # undoes records of the stream as well
            return
        touched = list(self._touched(tables, operations))
        for table, key in touched:
            item = table.get_item(*key)
            if item is not None:
                _store(excerpts[table.name], copy.deepcopy(item))  # an update changes an item in place
        self._only(excerpts.values()).transact_write_items(transact_items)
        for table, key in touched:
            item = excerpts[table.name].get_item(*key)
            if item is None:
                table.delete_item(*key)
            else:
                _store(table, item)

    def query(
        self,
        table_name: str,
        hash_key_dict: dict[str, Any] | None,
        *arguments: Any,  # noqa: ANN401  (moto's own)
        index_name: str | None = None,
        **options: Any,  # noqa: ANN401  (moto's own)
    ) -> tuple[list[Item], int, dict[str, Any] | None]:
        """Read items of one partition of a table or of an index."""
        table = self.get_table(table_name)
        backend: DynamoDBBackend = self
        if hash_key_dict is not None:
            partition = _partition(table, index_name, DynamoType(hash_key_dict))
            backend = self._only([_Excerpt.of(table, partition)])
        return DynamoDBBackend.query(backend, table.name, hash_key_dict, *arguments, index_name=index_name, **options)

    def _find(self, name: str | None) -> Table | None:
        try:
            return self.get_table(name)
        except ResourceNotFoundException:
            return None

    def _touched(
        self, tables: Mapping[str | None, Table | None], operations: Iterable[dict[str, Any]]
    ) -> Iterator[tuple[Table, tuple[DynamoType, DynamoType | None]]]:
        """The table and the key of each write. A write without them is left out, and moto refuses it."""
        for operation in operations:
            table = tables[operation.get("TableName")]
            attributes = operation.get("Item", operation.get("Key"))
            if table is not None and attributes is not None:
                with contextlib.suppress(MockValidationException):
                    yield table, self.get_keys_value(table, attributes)

    def _only(self, tables: Iterable[Table]) -> DynamoDBBackend:
        """A backend of moto's with these tables only."""
        backend = DynamoDBBackend(self.region_name, self.account_id)
        backend.tables.update((table.name, table) for table in tables)
        return backend


class _Excerpt(Table):
    """Some items of a table, under the name and the keys of that table."""

    @classmethod
    def of(cls, table: Table, items: Iterable[Item]) -> Self:
        excerpt = cls.__new__(cls)
        excerpt.__dict__ |= table.__dict__ | {"items": defaultdict(dict)}
        for item in items:
            _store(excerpt, item)
        return excerpt

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        """Return itself: moto copies the tables of a transaction for undoing it, but an excerpt is used only once."""
        return self


def _partition(table: Table, index_name: str | None, value: DynamoType) -> Iterable[Item]:
    """The items whose hash key, in a table or in one of its indexes, has a value."""
    if index_name is None:
        found = table.items.get(value)
        return () if not found else found.values() if table.has_range_key else (found,)
    attribute = table.get_index(index_name, error_if_not=True).schema[0]["AttributeName"]
    return (item for item in _items(table) if attribute in item.attrs and item.attrs[attribute] == value)


def _items(table: Table) -> Iterator[Item]:
    for found in table.items.values():
        yield from found.values() if table.has_range_key else (found,)


def _store(table: Table, item: Item) -> None:
    if item.range_key is None:
        table.items[item.hash_key] = item
    else:
        table.items[item.hash_key][item.range_key] = item
