"""Machine-readable reports: abuse complaints (ARF), read receipts (MDN), delivery status notifications (DSN) and Amazon's JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from domain.inbound import Bounced, Evidence, Kind, Reading
from mail.inbound.parsing import Headers, Parsed
from mail.inbound.transcript import MAX_TEXT, failures, replies, told
from mail.refusals import Refusal, judge_bounce

_FEEDBACK = {
    "opt-out": Kind.UNSUBSCRIBE,
    "opt-out-list": Kind.UNSUBSCRIBE,
    "auth-failure": Kind.OTHER_AUTOMATIC,
    "dmarc": Kind.OTHER_AUTOMATIC,
    "not-spam": Kind.OTHER_AUTOMATIC,
}
_MAX_BLOCKS = 100
_MAX_JSON = 200_000
_READ = re.compile(
    r"^(?:read|not read|gelesen|ungelesen|lu|non lu|leído|no leído|letto|lida?|gelezen|läst|læst|lest|luettu|przeczytano|přečteno|прочтено|прочитано|開封済み|已读|읽음)\s?[:：]",
    re.IGNORECASE,
)
_READ_TEXT = re.compile(
    r"(?:was|deleted without being) read\b|wurde .{0,60}gelesen|a été (?:lue?|affiché)|se leyó|fue leído|è stato (?:letto|visualizzato)|foi (?:lida|exibida)|is gelezen|(?:var|blev|ble) l(?:ä|æ|e)st|luettiin|został[ao] przeczytana|byla přečtena|прочитано|прочтено|開封|阅读|읽었",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?![\d.])")
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_FIELD = re.compile(
    r"^[ \t]{0,8}(final-recipient|original-recipient|x-actual-recipient|action|status|diagnostic-code|remote-mta)[ \t]{0,4}:[ \t]{0,8}(.{0,1000})$",
    re.IGNORECASE,
)


def read_report(parsed: Parsed) -> Reading | None:
    """Read a complaint (RFC 5965), a read receipt (RFC 8098), a DSN (RFC 3464) or an Amazon SES notification; None if the
    mail is none of them."""
    return _complaint(parsed) or _receipt(parsed) or _status(parsed) or _amazon(parsed)


def report_type(parsed: Parsed) -> str:
    """The report-type parameter (RFC 6522 3) of the whole, lower-case."""
    return next((value.strip('"').lower() for key, value in parsed.params if key.lower() == "report-type"), "")


def _complaint(parsed: Parsed) -> Reading | None:
    headers = parsed.headers
    if parsed.feedback is not None or report_type(parsed) == "feedback-report":
        kind_of = (parsed.feedback or Headers()).get("feedback-type").strip().lower() or "abuse"
        return Reading(
            kind=_FEEDBACK.get(kind_of, Kind.COMPLAINT),
            rule="arf",
            evidence=(Evidence(where="part:message/feedback-report", text=f"Feedback-Type: {kind_of}"[:200]),),
            feedback=kind_of[:60],
        )
    if headers.get("x-apple-unsubscribe").strip().lower() == "true":
        evidence = Evidence(where="header:X-Apple-Unsubscribe", text="true")
        return Reading(kind=Kind.UNSUBSCRIBE, rule="apple_unsubscribe", evidence=(evidence,))
    # Loops older than ARF: Hotmail JMRP adds a field to the mail complained of.
    subject = headers.get("subject")
    evidence = Evidence(where="subject", text=subject[:200])
    found = subject.lower().startswith("complaint about message from")
    for fields in (headers, *parsed.originals[:2]):
        if "x-hmxmroriginalrecipient" in fields:
            found = True
            evidence = Evidence(
                where="header:X-HmXmrOriginalRecipient", text=fields.get("x-hmxmroriginalrecipient")[:200]
            )
    return Reading(kind=Kind.COMPLAINT, rule="fbl", evidence=(evidence,), feedback="abuse") if found else None


def _receipt(parsed: Parsed) -> Reading | None:
    if parsed.receipt is not None or report_type(parsed) == "disposition-notification":
        text = parsed.receipt.get("disposition") if parsed.receipt else ""
        where = "part:message/disposition-notification" if parsed.receipt else "header:Content-Type"
        return Reading(kind=Kind.READ_RECEIPT, rule="mdn", evidence=(Evidence(where=where, text=text[:200]),))
    subject = parsed.headers.get("subject")
    if _READ.match(subject) and _READ_TEXT.search(parsed.text[:1000]):
        evidence = Evidence(where="subject", text=subject[:200])
        return Reading(kind=Kind.READ_RECEIPT, rule="mdn:subject", evidence=(evidence,))
    return None


def _status(parsed: Parsed) -> Reading | None:
    blocks = [block for block in parsed.status if "final-recipient" in block or "action" in block or "status" in block]
    where = "part:message/delivery-status"
    if not blocks and report_type(parsed) == "delivery-status":
        blocks, where = fields_in(parsed.text), "text"
    if not blocks:
        return None
    return of_blocks(blocks, told(parsed.text), where=where, rule="dsn")


def fields_in(text: str) -> list[Headers]:
    """The per-recipient fields (RFC 3464 2.3) that stand in a text, where a server or a relay has broken the MIME parts."""
    blocks: list[list[tuple[str, str]]] = [[]]
    for line in text[: 2 * MAX_TEXT].splitlines():
        found = _FIELD.match(line)
        if found:
            name = found[1].lower()
            if any(name == key for key, _ in blocks[-1]):
                blocks.append([])
            blocks[-1].append((name, found[2].strip()))
        elif not line.strip() and blocks[-1]:
            blocks.append([])
        elif line[:1] in " \t" and blocks[-1]:
            name, value = blocks[-1][-1]
            blocks[-1][-1] = (name, f"{value} {line.strip()}"[:1000])
    whole = [Headers(tuple(block)) for block in blocks]
    return [block for block in whole if "final-recipient" in block and ("action" in block or "status" in block)]


def of_blocks(blocks: list[Headers], human: str, *, where: str, rule: str) -> Reading:
    """The reading of per-recipient blocks: a bounce if any recipient failed, else delayed, else delivered."""
    reasons = {one.recipient: one.reason for one in failures(human, (), frozenset())}
    found = [_recipient(block, human, reasons) for block in blocks[:_MAX_BLOCKS]]
    fates = [fate for fate, _ in found]
    kind = next((kind for kind in (Kind.BOUNCE, Kind.DELAYED) if kind in fates), Kind.DELIVERED)
    shown = blocks[fates.index(kind)]
    text = "; ".join(
        f"{name}: {shown.get(name)}" for name in ("Action", "Status", "Diagnostic-Code") if shown.get(name)
    )
    return Reading(
        kind=kind,
        rule=rule,
        evidence=(Evidence(where=where, text=text[:200]),),
        bounce=tuple(one for _, one in found),
    )


def _recipient(block: Headers, human: str, reasons: dict[str, str]) -> tuple[Kind, Bounced]:
    status = _STATUS.search(block.get("status"))
    code = status.group(1) if status else ""
    # The address that the sender wrote to (RFC 3464 2.3.1); the final one may lie behind a forward.
    recipient = _address(block.get("original-recipient")) or _address(block.get("final-recipient"))
    fate = _fate(block.get("action"), code)
    diagnostic = block.get("diagnostic-code")
    diagnostic = (diagnostic.partition(";")[2] or diagnostic).strip()
    if fate is Kind.DELIVERED:
        return fate, Bounced(
            recipient=recipient, scope="contact", action="none", enhanced=code or None, diagnostic=diagnostic[:500]
        )
    # The human part tells what the fields leave out: the command that was answered, or the whole reply.
    alone = next(iter(reasons.values())) if len(reasons) == 1 else ""
    reason = reasons.get(recipient) or reasons.get(_address(block.get("final-recipient"))) or alone
    quoted = replies(reason)
    found = bounced(recipient, judge_bounce([diagnostic, quoted, reason, human], code), diagnostic or quoted)
    return fate, delayed(found) if fate is Kind.DELAYED else found


def _fate(action: str, status: str) -> Kind:
    action = action.strip().lower()
    if action.startswith(("delivered", "relayed", "expanded")):
        return Kind.DELIVERED
    if action.startswith("delayed"):
        return Kind.DELAYED
    return Kind.DELIVERED if not action.startswith("failed") and status.startswith("2") else Kind.BOUNCE


def _address(value: str) -> str:
    """The address of a typed field (`rfc822; bob@example.com`), lower-case; "" if there is none."""
    value = (value.partition(";")[2] or value).strip().strip("<>").strip()
    return value.lower()[:320] if "@" in value and " " not in value else ""


def bounced(recipient: str, refusal: Refusal, diagnostic: str = "") -> Bounced:
    """One recipient's fate, from the refusal table's answer; `diagnostic` where that is other text than the one judged."""
    shown = " ".join((diagnostic or refusal.text).split())
    code = _CODE.search(shown[:1000])
    return Bounced(
        recipient=recipient,
        cls=refusal.cls.value,
        scope=refusal.scope,
        action=refusal.action,
        hard=refusal.hard,
        code=int(code.group(1)) if code else None,
        enhanced=refusal.enhanced,
        diagnostic=shown[:500],
        source=refusal.source,
    )


def delayed(found: Bounced) -> Bounced:
    """The same while the server still tries: nothing is final."""
    cls = "expired" if found.cls == "unknown" else found.cls
    return found.model_copy(update={"cls": cls, "hard": False, "scope": "contact", "action": "defer"})


def _amazon(parsed: Parsed) -> Reading | None:
    """An Amazon SES notification that SNS sent as mail: docs.aws.amazon.com/ses "notification contents"."""
    text = parsed.text[:_MAX_JSON].lstrip()
    if not text.startswith("{") or not ("notificationType" in text or "eventType" in text):
        return None
    told_of = _object(text)
    if told_of is None:
        return None
    kind_of = told_of.get("notificationType") or told_of.get("eventType")
    evidence = Evidence(where="text", text=f"notificationType: {kind_of}"[:200])
    if kind_of == "Complaint":
        feedback = _part(told_of, "complaint").get("complaintFeedbackType") or "abuse"
        kind = _FEEDBACK.get(str(feedback).lower(), Kind.COMPLAINT)
        return Reading(kind=kind, rule="ses", evidence=(evidence,), feedback=str(feedback)[:60])
    if kind_of == "Delivery":
        fates = [
            Bounced(recipient=str(one).lower()[:320], scope="contact", action="none")
            for one in _list(_part(told_of, "delivery"), "recipients")
        ]
        return Reading(kind=Kind.DELIVERED, rule="ses", evidence=(evidence,), bounce=tuple(fates))
    if kind_of != "Bounce":
        return None
    bounce = _part(told_of, "bounce")
    why = f"{bounce.get('bounceType', '')} {bounce.get('bounceSubType', '')}"
    failed = (one for one in _list(bounce, "bouncedRecipients") if isinstance(one, dict))
    return Reading(
        kind=Kind.BOUNCE, rule="ses", evidence=(evidence,), bounce=tuple(_amazon_recipient(one, why) for one in failed)
    )


def _amazon_recipient(one: dict[str, Any], why: str) -> Bounced:
    diagnostic = str(one.get("diagnosticCode") or "").partition(";")[2].strip() or str(one.get("diagnosticCode") or "")
    status = _STATUS.search(str(one.get("status") or ""))
    refusal = judge_bounce([diagnostic, why], status.group(1) if status else "")
    return bounced(str(one.get("emailAddress") or "").lower()[:320], refusal, diagnostic or why)


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object that the text begins with, or the one in its `Message` (SNS envelope)."""
    # SNS breaks lines of mail at 1,000 characters with "!", newline, blank.
    joined = re.sub(r"!?\r?\n ?", "", text)
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(joined)
        if isinstance(found, dict) and isinstance(found.get("Message"), str):
            found = json.loads(found["Message"], strict=False)
        # An escape may stand for half a surrogate pair, which nothing could print or store.
        found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _part(of: dict[str, Any], name: str) -> dict[str, Any]:
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def _list(of: dict[str, Any], name: str) -> list[Any]:
    found = of.get(name)
    return found[:_MAX_BLOCKS] if isinstance(found, list) else []
