"""Mutated annotation files: what a reader must survive."""

from __future__ import annotations

import random
from collections.abc import Iterator

FORM = """<annotation>
\t<folder>anno</folder>
\t<filename>a.png</filename>
\t<size>
\t\t<width>40</width>
\t\t<height>30</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>1</segmented>
\t<polygon>
\t\t<tag>person</tag>
\t\t<point>
\t\t\t<X>3</X>
\t\t\t<Y>4</Y>
\t\t</point>
\t\t<point>
\t\t\t<X>13</X>
\t\t\t<Y>14</Y>
\t\t</point>
\t</polygon>
\t<polygon>
\t\t<tag>background</tag>
\t\t<point><X>1</X><Y>2</Y></point>
\t</polygon>
</annotation>
"""
BOMB = '<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>'
PIECES = [
    *(
        "<",
        ">",
        "&",
        "&amp;",
        "&#65;",
        "&#0;",
        "]]>",
        "<![CDATA[x]]>",
        "<!-- c -->",
        "<?pi x?>",
        "\0",
        "\ufeff",
    ),
    *(
        "<annotation>",
        "</annotation>",
        "<polygon>",
        "</polygon>",
        "<point>",
        "</point>",
        "<X>",
        "</X>",
        "<Y/>",
    ),
    *(
        "nan",
        "inf",
        "-inf",
        "1e999",
        "-5",
        "99999999999",
        "1_0",
        "0x10",
        "3.5",
        "+7",
        "1e1",
        "",
        " ",
        "٣",
        "½",
    ),
    *(BOMB, '<!DOCTYPE x SYSTEM "file:///etc/passwd">', '<?xml version="1.0" encoding="utf-16"?>'),
    *(
        '<?xml version="1.0" encoding="nonsense"?>',
        "<tag>unicorn</tag>",
        "<tag/>",
        "<size/>",
        "<width>0</width>",
    ),
]


def mutations(seed: int, documents: list[bytes]) -> Iterator[bytes]:
    """Endlessly yield broken copies of documents."""
    draw = random.Random(seed)  # noqa: S311 - a test's own choices
    while True:
        data = bytearray(draw.choice(documents))
        for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
            mutate(data, draw)
        yield bytes(data)


def mutate(data: bytearray, draw: random.Random) -> None:
    """Break a document in one place."""
    at = draw.randrange(len(data) + 1)
    to = min(len(data), at + draw.choice((1, 1, 4, 30, 400)))
    kind = draw.randrange(7)
    if kind == 0:
        data[at:at] = draw.choice(PIECES).encode("utf-8", "surrogatepass")
    elif kind == 1:
        del data[at:to]
    elif kind == 2:
        data[at:to] = bytes(draw.randrange(256) for _ in range(to - at))
    elif kind == 3:
        data[at:at] = data[at:to]
    elif kind == 4:
        data[:] = data[:at]
    elif kind == 5:
        data[at:to] = draw.choice(PIECES).encode("utf-8")
    else:
        data[:] = data.replace(draw.choice((b"<X>", b"13", b"</", b"40", b"person", b"point")), b"<Y>", 1)
