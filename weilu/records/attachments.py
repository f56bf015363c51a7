"""Photos and documents of records: checked by content, stripped of where they were taken, made small."""

import hashlib
import io
import logging
import zipfile
from functools import partial
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from weilu.lib.ids import new_id
from weilu.orgs.models import Jurisdiction, User
from weilu.records.models import Attachment

logger = logging.getLogger(__name__)

MAX_BYTES = 12 * 1024 * 1024
MAX_PIXELS = 60_000_000
PHOTO_EDGE = 1600
THUMBNAIL_EDGE = 320
MAX_FILES = 6

PHOTO_FORMATS = {"JPEG", "PNG", "WEBP", "MPO"}  # MPO: what some telephones write as .jpg
PHOTO_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF")
OFFICE_TYPES = {
    "word/": ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "xl/": ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
MACROS = "vbaproject.bin"  # what Office keeps macros in, whatever the document is called
# Many may attach the same file at once; who deletes it waits for them, and they for who deletes it.
ATTACHING = "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))"
DELETING = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


class BadFile(ValueError):
    """A file that is not accepted; the message says which and why, in the reader's language."""


def path_of(sha256: str, thumbnail: bool = False) -> Path:
    """Return where the file with this hash lies in the data folder."""
    return settings.FILES / sha256[:2] / (f"{sha256}.small.jpg" if thumbnail else sha256)


def _write(path: Path, content: bytes) -> None:
    if path.exists():
        return
    settings.FILES.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(f".{new_id().hex}.part")
    try:
        path.parent.mkdir(exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        logger.exception("an upload could not be kept")
        part.unlink(missing_ok=True)  # half a file takes room where there is none
        raise BadFile(_("The file could not be kept: the server's disk may be full. Send it again later.")) from error


def _jpeg(image: Image.Image, edge: int) -> bytes:
    small = Image.new("RGB", image.size)
    small.paste(image)  # the pixels and nothing else: no comment, no text, no profile
    small.thumbnail((edge, edge))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=82, optimize=True)  # no exif argument: nothing of the camera's goes along
    return out.getvalue()


def _open_photo(name: str, content: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content))
        if image.format not in PHOTO_FORMATS:
            raise BadFile(
                _("“%(name)s” is not a photo of a kind we can show. Send JPEG, PNG or WebP.") % {"name": name}
            )
        if image.width * image.height > MAX_PIXELS:
            raise BadFile(_("“%(name)s” has too many pixels. Send a smaller photo.") % {"name": name})
        turned = ImageOps.exif_transpose(image)
        return turned.convert("RGB")
    except BadFile:
        raise
    except Image.DecompressionBombError as error:
        raise BadFile(_("“%(name)s” has too many pixels. Send a smaller photo.") % {"name": name}) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, UnidentifiedImageError) and not content.startswith(PHOTO_BEGINNINGS):
            raise BadFile(
                _("“%(name)s” is not a photo of a kind we can show. Send JPEG, PNG or WebP.") % {"name": name}
            ) from error
        raise BadFile(
            _("“%(name)s” cannot be read as a photo; it may be damaged. Take it again or send another.")
            % {"name": name}
        ) from error


def _document_type(name: str, content: bytes) -> str:
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if content.startswith(b"PK\x03\x04"):
        try:
            members = zipfile.ZipFile(io.BytesIO(content)).namelist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError):
            members = []
        if any(member.lower().endswith(MACROS) for member in members):
            raise BadFile(
                _("“%(name)s” holds macros. Save it without them, as docx or xlsx, and send that.") % {"name": name}
            )
        if "[Content_Types].xml" in members:
            for prefix, (_suffix, mime) in OFFICE_TYPES.items():
                if any(member.startswith(prefix) for member in members):
                    return mime
    raise BadFile(_("“%(name)s” is neither a photo nor a PDF, Word or Excel file.") % {"name": name})


def _hold(digest: str, purpose: str) -> None:
    """Hold the file with this hash until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(purpose, [f"weilu.file.{digest}"])


def _unlink_unshown(digest: str) -> None:
    """Delete a file unless an attachment shows it, one that is just being added too."""
    with transaction.atomic():
        _hold(digest, DELETING)
        if not Attachment.objects.filter(sha256=digest).exists():
            path_of(digest).unlink(missing_ok=True)
            path_of(digest, thumbnail=True).unlink(missing_ok=True)


@transaction.atomic
def remove(rows: QuerySet[Attachment]) -> None:
    """Delete attachments and, once that is committed, the files that no other attachment shows."""
    found: dict[UUID, str] = {}
    for county in set(rows.order_by().values_list("jurisdiction_id", flat=True)):
        # Locked, county by county: a form being sent keeps its photos.
        theirs = rows.filter(jurisdiction_id=county).select_for_update()
        found |= dict(theirs.values_list("pk", "sha256"))
    Attachment.objects.filter(pk__in=found).delete()
    for digest in sorted(set(found.values())):  # one at a time: holding several could lock up with who attaches them
        transaction.on_commit(partial(_unlink_unshown, digest), robust=True)


def check(upload: UploadedFile) -> bytes:
    """Return the content of ``upload`` after checking its size.

    Raises:
        BadFile: it is empty or too large.
    """
    name = upload.name or ""
    if (upload.size or 0) > MAX_BYTES:
        raise BadFile(
            _("“%(name)s” is larger than %(limit)s MB. Send a smaller one.")
            % {"name": name, "limit": MAX_BYTES // 1024 // 1024}
        )
    content = upload.read()
    if not content:
        raise BadFile(_("“%(name)s” is empty.") % {"name": name})
    return content


@transaction.atomic
def _keep(row: Attachment, content: bytes, thumbnail: bytes) -> None:
    """Write the files and the row that shows them; held from before we look for the file until the row is there."""
    _hold(row.sha256, ATTACHING)
    _write(path_of(row.sha256), content)
    if thumbnail:
        _write(path_of(row.sha256, thumbnail=True), thumbnail)
    row.save(force_insert=True)


def attach(
    upload: UploadedFile,
    *,
    jurisdiction: Jurisdiction,
    record_kind: str,
    record_id: UUID,
    by: User | None = None,
    photo_only: bool = False,
    event_id: UUID | None = None,
) -> Attachment:
    """Check ``upload``, keep it under its hash and attach it to a record.

    Photos are turned upright, made at most 1,600 pixels wide or high and rewritten, so that nothing of their EXIF
    (position, camera, time) is kept.

    Raises:
        BadFile: by content it is not what we accept, whatever its name says.
    """
    content = check(upload)
    name = Path(upload.name or "").name[-120:]
    looks_like_document = content.startswith((b"%PDF-", b"PK\x03\x04"))
    if looks_like_document and not photo_only:
        kind, mime, thumbnail = Attachment.Kind.DOCUMENT, _document_type(name, content), b""
        width = height = None
    else:
        image = _open_photo(name, content)
        content, thumbnail = _jpeg(image, PHOTO_EDGE), _jpeg(image, THUMBNAIL_EDGE)
        kind, mime = Attachment.Kind.PHOTO, "image/jpeg"
        width, height = Image.open(io.BytesIO(content)).size
    row = Attachment(
        jurisdiction=jurisdiction,
        record_kind=record_kind,
        record_id=record_id,
        event_id=event_id,
        kind=kind,
        name=name,
        content_type=mime,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        width=width,
        height=height,
        created_by=by,
    )
    _keep(row, content, thumbnail)
    return row
