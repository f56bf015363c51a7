"""Photos and documents: judged by content, stripped of where they were taken, made small, served safely."""

import errno
import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from PIL import Image

from weilu.matters import services
from weilu.records.attachments import MAX_BYTES, BadFile, _open_photo, attach, path_of
from weilu.records.models import Attachment


def image(size=(40, 30), kind="JPEG", **options) -> bytes:
    out = io.BytesIO()
    picture = Image.new("RGB", size, "white")
    picture.paste("red", (0, 0, size[0] // 2, size[1] // 2))  # red at the top left
    picture.save(out, kind, **options)
    return out.getvalue()


def exif(orientation: int = 1) -> Image.Exif:
    data = Image.Exif()
    data[0x010F] = "Telephone maker"
    data[0x0112] = orientation
    data[0x8825] = {1: "N", 2: (31.0, 44.0, 1.0), 3: "E", 4: (105.0, 56.0, 2.0)}
    return data


def archive(members: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, text in members.items():
            file.writestr(name, text)
    return out.getvalue()


DOCX = archive({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"})
XLSX = archive({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<x/>"})
WITH_MACROS = {
    "letter.docx": {"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>", "word/vbaProject.bin": "x"},
    "list.xlsx": {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<x/>", "xl/sub/VBAPROJECT.BIN": "x"},
    "talk.pptx": {"[Content_Types].xml": "<Types/>", "ppt/presentation.xml": "<p/>", "ppt/vbaProject.bin": "x"},
    "hidden.docx": {"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>", "custom\\vbaProject.bin": "x"},
}
PDF = b"%PDF-1.7\n%%EOF\n"


@pytest.fixture
def keep(world):
    matter = world.matter()

    def upload(name: str, content: bytes, **options) -> Attachment:
        given = {"jurisdiction": world.jurisdiction, "record_kind": "matter", "record_id": matter.pk} | options
        return attach(SimpleUploadedFile(name, content), **given)

    return upload


def test_where_and_with_what_a_photo_was_taken_is_removed(keep):
    content = image(exif=exif())
    assert Image.open(io.BytesIO(content)).getexif().get_ifd(0x8825), "the test's photo has a position"
    file = keep("a.jpg", content)
    for small in (False, True):
        kept = Image.open(path_of(file.sha256, small))
        assert not kept.getexif()
        assert "exif" not in kept.info
        assert b"Telephone" not in path_of(file.sha256, small).read_bytes()


def test_a_comment_or_a_text_in_a_photo_is_removed(keep):
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("Location", "31.7,105.9 home")
    for content in (image(comment=b"31.7,105.9 home"), image(kind="PNG", pnginfo=texts)):
        assert b"home" not in path_of(keep("a.jpg", content).sha256).read_bytes()


def test_a_photo_is_turned_upright(keep):
    file = keep("a.jpg", image(exif=exif(orientation=6)))  # 6: the telephone was held upright
    kept = Image.open(path_of(file.sha256))
    assert kept.size == (30, 40)
    assert (file.width, file.height) == (30, 40)
    red = kept.getpixel((25, 5))
    assert red[0] > 200 > 100 > red[1], "what was top left lies top right after the turn"


def test_a_large_photo_is_made_small_and_a_small_one_is_not_blown_up(keep):
    large = keep("a.jpg", image((2400, 1200)))
    assert (large.width, large.height) == (1600, 800)
    assert Image.open(path_of(large.sha256, True)).size == (320, 160)
    tall = keep("a.jpg", image((100, 4000)))
    assert tall.height == 1600
    assert (keep("a.jpg", image((40, 30))).width) == 40


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_photos_of_all_telephones_become_jpeg(keep, kind):
    file = keep(f"a.{kind.lower()}", image(kind=kind))
    assert (file.kind, file.content_type) == ("photo", "image/jpeg")
    assert Image.open(path_of(file.sha256)).format == "JPEG"


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "CMYK", "I;16", "LA"])
def test_a_photo_in_any_colours_is_kept(keep, mode):
    out = io.BytesIO()
    Image.new(mode, (8, 8)).save(out, "JPEG" if mode == "CMYK" else "PNG")
    assert keep("a.png", out.getvalue()).width == 8


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, extra: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", zlib.compress(b"\x00" * 100)) + chunk(b"IEND", b"")


BOMB_TEXT = chunk(b"zTXt", b"c\x00\x00" + zlib.compress(b"\x00" * 3_000_000))
REFUSED = {
    "a text": b"just some words",
    "nothing": b"",
    "an SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "a page": b"<!doctype html><script>alert(1)</script>",
    "a GIF": image(kind="GIF"),
    "a BMP": image(kind="BMP"),
    "a TIFF": image(kind="TIFF"),
    "half a photo": image((400, 300), quality=95)[:500],
    "a photo's head": image()[:20],
    "a PNG of nothing": b"\x89PNG\r\n\x1a\n" + b"\x00" * 50,
    "a decompression bomb": png_of(8000, 8000),
    "a giant": png_of(50_000, 50_000),
    "a program": b"MZ\x90\x00" + b"\x00" * 60,
    "a zip": archive({"a.txt": "x"}),
    "a zip of pages": archive({"word/document.xml": "<w/>"}),
    "half a zip": DOCX[:60],
    "an old Word file": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600,
    "a PDF after something": b"x" + PDF,
}


@pytest.mark.filterwarnings("ignore:Image size")
@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("name", ["photo.jpg", "letter.docx", "a.pdf"])
def test_what_is_neither_photo_nor_document_is_refused_whatever_its_name_says(keep, what, name):
    with pytest.raises(BadFile) as caught:
        keep(name, REFUSED[what])
    assert name in str(caught.value), "the message names the file"
    assert not Attachment.objects.exists()


def test_a_png_with_a_text_that_unpacks_to_megabytes_is_refused(keep):
    with pytest.raises(BadFile):
        keep("a.png", png_of(8, 8, BOMB_TEXT))


def broken_zip(extract_version: int = 20, flags: int = 0, name: bytes = b"word/document.xml") -> bytes:
    """Return a zip whose directory is written by hand, to put in what a library may stumble over."""
    local = b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", extract_version, flags, 0, 0, 0, 0, 0, 0, len(name), 0) + name
    entry = b"PK\x01\x02" + struct.pack(
        "<HHHHHHIIIHHHHHII", 20, extract_version, flags, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0
    )
    entry += name
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local), 0)
    return local + entry + end


@pytest.mark.parametrize(
    "content",
    [broken_zip(flags=0x800, name=b"word/\xff\xfe"), broken_zip(extract_version=99)],
    ids=["a name that is no UTF-8", "a version of the future"],
)
def test_a_damaged_archive_is_refused_in_words(keep, content):
    with pytest.raises(BadFile):
        keep("letter.docx", content)


def test_documents_are_known_by_their_content(keep):
    assert keep("a.pdf", PDF).content_type == "application/pdf"
    assert keep("renamed.bin", DOCX).content_type.endswith("wordprocessingml.document")
    assert keep("renamed.jpg", XLSX).content_type.endswith("spreadsheetml.sheet")
    assert set(Attachment.objects.values_list("kind", flat=True)) == {"document"}


@pytest.mark.parametrize("name", WITH_MACROS)
def test_a_document_with_macros_is_refused_and_told_why(keep, name):
    with translation.override("en"), pytest.raises(BadFile, match=f"{name}.*macros"):
        keep(name, archive(WITH_MACROS[name]))
    assert not Attachment.objects.exists()


@pytest.mark.parametrize("content", [PDF, DOCX, XLSX], ids=["pdf", "docx", "xlsx"])
def test_residents_send_photos_only(keep, content):
    with pytest.raises(BadFile):
        keep("photo.jpg", content, photo_only=True)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(keep):
    with pytest.raises(BadFile, match="12"):
        keep("a.jpg", b"\xff" * (MAX_BYTES + 1))


def test_a_name_is_only_a_name(keep):
    file = keep("../../etc/" + "名" * 300 + ".jpg", image())
    assert "/" not in file.name
    assert len(file.name) <= 120


def test_a_full_disk_is_told_in_words_and_not_filled_further(keep, monkeypatch, settings, tmp_path):
    settings.FILES = tmp_path

    def half(path: Path, content: bytes) -> None:
        with open(path, "wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with translation.override("en"), pytest.raises(BadFile, match="disk"):
        keep("a.jpg", image())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert not Attachment.objects.exists()


@pytest.fixture
def files(world, keep, sign_in):
    matter = services.dispatch(world.matter(), to=world.office, by=world.clerk, version=1)
    own = {"record_id": matter.pk, "event_id": matter.event.pk}
    return matter, keep("照片.jpg", image(), **own), keep('报告 "x"\r\n.pdf', PDF, **own), sign_in(world.clerk)


def test_a_document_is_saved_and_never_opened_in_the_page(files):
    matter, _photo, document, client = files
    answer = client.get(f"/matters/{matter.number}/files/{document.pk}/")
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "\n" not in answer["Content-Disposition"]
    assert b"".join(answer) == PDF


def test_a_photo_is_shown_and_its_kind_is_not_guessed(files):
    matter, photo, _document, client = files
    for query in ("", "?small"):
        answer = client.get(f"/matters/{matter.number}/files/{photo.pk}/{query}")
        assert answer["Content-Type"] == "image/jpeg"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "private" in answer["Cache-Control"]
        assert b"".join(answer).startswith(b"\xff\xd8")


def test_the_file_of_another_matter_is_not_found(world, files, keep):
    matter, _photo, _document, client = files
    other = keep("b.jpg", image((9, 9)), record_id=world.matter().pk)
    draft = keep("c.jpg", image((7, 7)), record_kind="draft")
    for file in (other, draft):
        assert client.get(f"/matters/{matter.number}/files/{file.pk}/").status_code == 404


def test_a_file_that_was_lost_from_the_disk_is_not_found(files):
    matter, photo, _document, client = files
    path_of(photo.sha256).unlink()
    client.raise_request_exception = False
    assert client.get(f"/matters/{matter.number}/files/{photo.pk}/").status_code == 404


def test_the_same_photo_twice_lies_on_the_disk_once(keep):
    assert keep("a.jpg", image()).sha256 == keep("b.jpg", image()).sha256


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "显示不了"),
        (b"\xff\xd8\xff\xe0 and no more", "可能已损坏"),
        (b"\x89PNG\r\n\x1a\n and no more", "可能已损坏"),
    ],
)
def test_what_is_wrong_with_a_photo_is_said_as_it_is(content, words):
    with pytest.raises(BadFile, match=words):
        _open_photo("a.jpg", content)


def test_a_photo_of_too_many_pixels_is_too_large_not_damaged():
    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    content = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    content += struct.pack(">I", 9) + b"IDAT" + bytes(13)
    with pytest.raises(BadFile, match="尺寸太大"):
        _open_photo("a.png", content)
