"""Deliveries of hooks: from the queue to the software of professionals, by HTTPS."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from dmp.adapters.aws import client
from dmp.adapters.correlations import id_of_message
from dmp.adapters.hook_queue import HookQueue, delivered
from dmp.adapters.subscription_store import SubscriptionStore
from dmp.adapters.web_hooks import WebHooks
from dmp.composition import foundation
from dmp.domain.correlation import follow
from dmp.domain.identifiers import SERVICE, Identifier
from dmp.domain.requester import Requester, RequesterKind
from dmp.metrics import Metric
from dmp.observability import logger
from dmp.services.call import Call
from dmp.services.web_hooks import WebHooksService
from dmp.settings import Stage, queue

_BASE = foundation()
_QUEUE = HookQueue(lambda: client("sqs"), queue("HOOK_QUEUE"))
_HOOKS = WebHooksService(
    _BASE.gate,
    SubscriptionStore(_BASE.records_table),
    _BASE.ledger,
    WebHooks(may_loop_back=_BASE.settings.stage is Stage.LOCAL),
    _BASE.keyring.web_hook_secret,
)
_SENDER = Requester(
    kind=RequesterKind.SERVICE,
    identifier=Identifier(SERVICE, "web-hooks"),
    name="Notification des logiciels abonnés",
)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Deliver a batch, all of it at once: a slow receiver keeps nobody waiting. What failed alone comes again."""
    call, messages = Call(_SENDER, _BASE.clock(), context.aws_request_id), event["Records"]
    with ThreadPoolExecutor(max_workers=len(messages)) as senders:
        is_done = list(senders.map(partial(_deliver, call), messages))
    failed = [message["messageId"] for message, done in zip(messages, is_done, strict=True) if not done]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def _deliver(call: Call, message: Mapping[str, Any]) -> bool:
    """Deliver one hook; False where it is to come again."""
    follow(id_of_message(message) or call.request_id)
    try:
        taken = delivered(message)
        if _HOOKS.deliver(call, taken.hook, taken.attempt):
            logger.info("hook_delivered", extra={"event": taken.hook.event, "attempt": taken.attempt})
            return True
        logger.info("hook_failed", extra={"event": taken.hook.event, "attempt": taken.attempt})
        _BASE.metrics.count(Metric.HOOKS_FAILED)
        _QUEUE.put_off(taken)
    except Exception as failure:  # noqa: BLE001 - whatever it is, this hook is not to be lost, and the others go on
        logger.warning("hook_not_sent", extra={"sqs_message": message["messageId"], "failure": type(failure).__name__})
    return False
