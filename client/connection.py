"""Connecting to Temporal, the same way everywhere."""

from __future__ import annotations

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError

SEARCH_ATTRIBUTES = ("OnwardStatus", "OnwardReason", "OnwardSequence", "OnwardContact", "OnwardMailbox")


async def connect(address: str, namespace: str = "default") -> Client:
    """A client for `address` (host:port). TLS, API key and metadata come from Temporal's own environment configuration
    (TEMPORAL_TLS*, TEMPORAL_API_KEY, TEMPORAL_PROFILE, ...). Raises RuntimeError when the server cannot be reached."""
    config = ClientConfig.load_client_connect_config()
    config["target_host"] = address
    config.setdefault("namespace", namespace)
    return await Client.connect(**config, data_converter=pydantic_data_converter)


async def ensure_search_attributes(client: Client) -> None:
    """Register our search attributes where that is allowed; Temporal Cloud wants them made by an admin beforehand."""
    try:
        present = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
        missing = [name for name in SEARCH_ATTRIBUTES if name not in present.custom_attributes]
        if missing:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(
                    namespace=client.namespace,
                    search_attributes=dict.fromkeys(missing, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD),
                )
            )
    except RPCError as error:
        if error.status.name not in ("ALREADY_EXISTS", "PERMISSION_DENIED", "UNIMPLEMENTED"):
            raise
