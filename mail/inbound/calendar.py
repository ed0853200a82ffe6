"""Meeting invitations and the answers to them (RFC 5545, RFC 5546): what the calendar part says."""

from __future__ import annotations

import re

from domain.inbound import Evidence, Kind, Meeting, Reading
from mail.inbound.parsing import Parsed

_LIMIT = 100_000
_METHOD = re.compile(r"^METHOD[^:\r\n]{0,100}:\s*([A-Z]{1,20})\b", re.IGNORECASE | re.MULTILINE)
_FOLD = re.compile(r"\r?\n[ \t]")
_STATUS = re.compile(r"^ATTENDEE[^\r\n]{0,1000}?;PARTSTAT=\"?([A-Z-]+)", re.IGNORECASE | re.MULTILINE)
_CANCELLED = re.compile(r"^STATUS:\s*CANCELLED", re.IGNORECASE | re.MULTILINE)
_ANSWERS: dict[str, Meeting] = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}
_METHODS: dict[str, Meeting] = {"REQUEST": "request", "ADD": "request", "COUNTER": "counter", "CANCEL": "cancelled"}
# The subjects that Outlook, Google and Apple write, where the part itself says nothing.
_SUBJECTS: dict[Meeting, str] = {
    "cancelled": r"cancel+ed|canceled event|abgesagt|annulée?|cancelad[oa]|annullat[oa]|geannuleerd|inställt|aflyst|avlyst|peruutettu|anulowan[eoy]|zrušeno|iptal edildi|törölve|отменено|キャンセル済み|已取消|취소됨",
    "accepted": r"accepted|zugesagt|angenommen|accepté|acceptée|aceptad[oa]|accettat[oa]|aceite|aceito|geaccepteerd|accepterat|accepteret|godtatt|akseptert|hyväksytty|zaakceptowano|zaakceptowane|přijato|kabul edildi|elfogadva|elfogadott|принято|承諾済み|承諾|已接受|수락됨|수락",
    "declined": r"declined|abgelehnt|refusé|refusée|décliné|rechazad[oa]|rifiutat[oa]|recusad[oa]|geweigerd|afgewezen|avböjt|avvist|avslått|afvist|hylätty|odrzucono|odrzucone|odmítnuto|reddedildi|elutasítva|отклонено|辞退|已拒绝|거절됨|거절",
    "tentative": r"tentative|tentatively accepted|mit vorbehalt|vorläufig zugesagt|provisoire|provisional|con riserva|provvisorio|provisório|voorlopig|preliminärt|foreløbig|foreløpig|alustavasti|wstępnie|nezávazně|geçici|под вопросом|仮承諾|暂定|미정",
}  # fmt: skip
_SUBJECT = {
    meeting: re.compile(rf"^\W*(?:{words})\b[^:：@]{{0,30}}[:：@]", re.IGNORECASE)
    for meeting, words in _SUBJECTS.items()
}


def read_calendar(parsed: Parsed) -> Reading | None:
    """Read an invitation or the answer to one; None if the mail is none. An invitation merely attached (PUBLISH) is not one."""
    subject = parsed.headers.get("subject")[:200]
    told = "calendarmessage" in parsed.headers.get("content-class")
    if parsed.calendar is None and parsed.content_type != "text/calendar" and not told:
        return None
    text = _FOLD.sub("", (parsed.calendar or "")[:_LIMIT])
    found = _METHOD.search(text)
    method = (found.group(1) if found else _parameter(parsed)[:20]).upper()
    by_subject = next((meeting for meeting, pattern in _SUBJECT.items() if pattern.search(subject)), None)
    meeting: Meeting | None
    if method == "REPLY":
        status = _STATUS.search(text)
        meeting = (_ANSWERS.get(status.group(1).upper()) if status else None) or by_subject
    else:
        meeting = _METHODS.get(method) or ("cancelled" if _CANCELLED.search(text) else by_subject)
        if meeting is None and parsed.content_type != "text/calendar" and not told:
            return None
    return Reading(
        kind=Kind.CALENDAR,
        rule=f"calendar:{method.lower() or 'subject'}",
        evidence=(Evidence(where="part:text/calendar", text=f"METHOD:{method}" if method else subject),),
        meeting=meeting,
    )


def _parameter(parsed: Parsed) -> str:
    """The method of the Content-Type, of the whole or of the calendar part."""
    held = [parsed.params, *(part.params for part in parsed.parts if part.content_type == "text/calendar")]
    return next((value for params in held for key, value in params if key == "method"), "")
