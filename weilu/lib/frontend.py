"""Copy what the pages use from ``node_modules`` into ``weilu/static/vendor`` (ignored by git).

Third-party code is never committed: ``npm ci`` brings it by lock file, with its checksums.
"""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "node_modules"
TARGET = ROOT / "weilu" / "static" / "vendor"

FILES = {
    "tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "leaflet.css": "leaflet/dist/leaflet.css",
    "leaflet.js": "leaflet/dist/leaflet.js",
    # Bars, lines and the renderer to SVG; the full package is half as large again.
    "echarts.js": "echarts/dist/echarts.common.min.js",
    # Its style sheet names them.
    "images/layers.png": "leaflet/dist/images/layers.png",
    "images/layers-2x.png": "leaflet/dist/images/layers-2x.png",
    "images/marker-icon.png": "leaflet/dist/images/marker-icon.png",
}
SPRITE = PACKAGES / "@tabler/icons-sprite/dist/tabler-sprite.svg"

# The icons that templates name with {% icon "…" %}; a test holds the two together.
ICONS = """
    adjustments alert-triangle arrow-back-up arrow-left arrow-right bell building-community camera chart-bar
    check checklist chevron-right circle-check clipboard-list clock clock-pause device-mobile download edit eye
    file-text fingerprint
    filter flag git-merge hand-stop heart-handshake help-circle history home id inbox key language layout-dashboard
    list-search lock logout map map-pin menu-2 message-circle message-plus message-question messages mood-smile
    notes paperclip phone photo player-play plus qrcode refresh search send settings speakerphone star
    star-filled text-size thumb-up upload user users walk x calendar-event printer
""".split()  # noqa: SIM905  one name after the other reads best


def small_sprite(source: str, names: list[str]) -> str:
    """Return a sprite with only ``names`` out of Tabler's sprite of 5,000 icons (2 MB).

    Raises:
        KeyError: a name is not in the sprite.
    """
    symbols = dict(re.findall(r'(?s)<symbol id="tabler-([a-z0-9-]+)"(.*?)</symbol>', source))
    body = "".join(f'<symbol id="{name}"{symbols[name]}</symbol>' for name in names)
    return f'<svg xmlns="http://www.w3.org/2000/svg">{body}</svg>'


def main() -> None:
    """Fill the vendor folder anew."""
    shutil.rmtree(TARGET, ignore_errors=True)
    (TARGET / "images").mkdir(parents=True)
    for name, source in FILES.items():
        shutil.copyfile(PACKAGES / source, TARGET / name)
    text = SPRITE.read_text()
    filled = SPRITE.with_name("tabler-sprite-filled.svg").read_text().replace("tabler-filled-", "tabler-")
    star = re.search(r'(?s)<symbol id="tabler-star".*?</symbol>', filled)
    if star:
        text += star.group().replace("tabler-star", "tabler-star-filled")
    (TARGET / "icons.svg").write_text(small_sprite(text, ICONS))
    # Their source maps are not shipped; browsers would ask for them.
    for name in ("tabler.min.css", "leaflet.js", "echarts.js"):
        text = (TARGET / name).read_text()
        (TARGET / name).write_text(re.sub(r"/\*# sourceMappingURL=.*?\*/|//# sourceMappingURL=.*", "", text))


if __name__ == "__main__":
    main()
