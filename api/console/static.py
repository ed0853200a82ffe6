"""The console's style sheet, script and icon. Their addresses carry a version, so that browsers keep them."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from starlette.responses import FileResponse

from api.access import OPEN
from api.console.pages import HERE

router = APIRouter(prefix="/static", dependencies=[OPEN])

_TYPES = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}


@router.get("/{name}")
async def file(name: str) -> FileResponse:
    """One of the files; no other name leads anywhere."""
    if name not in _TYPES:
        raise HTTPException(404)
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return FileResponse(HERE / "static" / name, media_type=_TYPES[name], headers=headers)
