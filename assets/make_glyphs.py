#!/usr/bin/env python3
"""Makes assets/glyphs.bin, the letters that charts are labelled with: ASCII, GB 2312 level 1 and every character of the shipped names,
drawn from Noto Sans CJK SC (SIL Open Font License 1.1, which allows this). Needs Pillow and Debian's fonts-noto-cjk.

Format, zlib-compressed: u8 height, u16 count (big endian), then count * (u32 code point, u8 width), ascending; then the pictures in
that order, row by row, four grey levels, four pixels a byte (high bits first), each row padded to a byte."""
import re
import struct
import zlib
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
SIZE, HEIGHT, ASCENT_SHIFT = 18, 24, -3

chars = {chr(code) for code in range(0x20, 0x7F)} | set("（）、，。：；·…—“”〔〕％")
for high in range(0xB0, 0xD8):
    for low in range(0xA1, 0xFF):
        try:
            chars.add(bytes([high, low]).decode("gb2312"))
        except UnicodeDecodeError:
            pass
for name in ["divisions.toml", "submitters.toml"]:
    chars |= set(re.findall(r"[\u3400-\u9fff]", (ROOT / "config" / name).read_text(encoding="utf-8")))

font = ImageFont.truetype(FONT, SIZE, index=2)
table, pictures = b"", b""
for char in sorted(chars):
    width = max(1, round(font.getlength(char)))
    image = Image.new("L", (width, HEIGHT), 0)
    ImageDraw.Draw(image).text((0, ASCENT_SHIFT), char, fill=255, font=font)
    table += struct.pack(">IB", ord(char), width)
    for y in range(HEIGHT):
        row = [min(3, (image.getpixel((x, y)) + 42) // 85) for x in range(width)]
        row += [0] * (-len(row) % 4)
        pictures += bytes(row[i] << 6 | row[i + 1] << 4 | row[i + 2] << 2 | row[i + 3] for i in range(0, len(row), 4))
data = struct.pack(">BH", HEIGHT, len(chars)) + table + pictures
target = ROOT / "assets" / "glyphs.bin"
target.parent.mkdir(exist_ok=True)
target.write_bytes(zlib.compress(data, 9))
print(len(chars), "characters,", target.stat().st_size, "bytes")
