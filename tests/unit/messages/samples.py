"""Messages whose bytes others have computed, and hypothesis strategies for all the rest.

G1 to G6 are the golden vectors of the reference sheet, encoded by two independent libraries with
the public modules of 2019-07-24. The real frames come from the examples that are published with
these modules (zyjohn0822/asn1-uper-v2x): another encoder, on content that we did not choose.
"""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from v2x.messages.coding.structure import Choice, ListOf, RecordType
from v2x.messages.coding.symbols import Boolean, ChineseText, Enumerated, Flags, Ia5Text, Octets
from v2x.messages.coding.uper import BitReader, BitWriter
from v2x.messages.coding.wire import (
    Code,
    Integer,
    Scaled,
    Steps,
    WireType,
    bits_for,
)
from v2x.messages.csae.frame import FRAME
from v2x.messages.csae.offsets import _Forms

GOLDEN = {
    "G1": "00002626466686a6c6e7000c98e87bb6155981ebe345086407081f69f41fdfffc04b41c23c0500",
    "G2": "00202626466686a6c6e7000c98e87bb6155981ebe345086407081f69f41fdfffc04b41c23c05200200",
    "G3": "2015253553030303031c743ddb0aacc0f5f1a280006000e607d0507d0f830a02583e80640640",
    "G4": "4502007d0a4a6aa60606060638e87bb6155981ebe345000804004404e000080000e138884e200190",
    "G5": "30020080fa000a02000008260000000258",
    "G6": (
        "02a02626466686a6c6e7000c88e87bb6155981ebe2828000086407081f9f69f41fdffff82085a0e1"
        "01427fff6400"
    ),
}
#: A participant at absolute coordinates, sizes not known.
REAL_RSM = "20131323334350000004ce3d680b06e03ff00040002664ccd569f9f811d71d944010269e80000000"
#: A junction of three roads with lanes and connections.
REAL_MAP = (
    "1403a1a10060002012a8cc8cf555d43533e33e00020128251a110000226046aea1a01a8cc995c26aea1a1d88cc96"
    "22a6aea1a4138cc923746aea1a6868cc8e5262c0004110c070001009602c0004111c0c0b40444c70017000104438"
    "0a0000f0001009680c0001700010447809000188d5d43403519932b84d5d4343b11992c454d5d434827199246e8d"
    "5d434d0d1991ca4cf8000804b0946844000089811aba86cd26332012b9aba86c74a3320e261aba86bfca3321e479"
    "aba86b46e3322e0e0b0001044709c000402502b000104430b02d011131c005c0004111e0280003c0004025203000"
    "05c0004110e0240006235750d9a4c664025735750d8e946641c4c35750d7f946643c8f35750d68dc6645c1c3e000"
    "20886251a110000145046aea2001b8cc8da906aea1e2268cc8d8dc6aea1cc508cc8d80a6aea1b78e8cc8d79e2c00"
    "040258170001044706c000402501c0b40428a700170001009680a0002f0001044780c0003700010094809000388d"
    "5d4400371991b520d5d43c44d1991b1b8d5d4398a11991b014d5d436f1d1991af3cf800082238946844000051411"
    "aba8533e233230a29aba85a26a332316c9aba861582332326c1aba8670ee332332d0b000100940dc0004110c3b00"
    "0100960f02d010a29c005c00040252028001bc0004110e030001dc0004025a024001e235750a67c4664614535750"
    "b44d466462d935750c2b0466464d835750ce1dc664665a"
)
#: Eight phases with three states each.
REAL_SPAT = (
    "3660dfcbe28ec00807f80048200390925060000003c003c003c9c1800f000f001e00002306003c003c0078000046"
    "49418000000f000f000f2706003c003c007800008c1800f000f001e00001492306000003980398039894180e600e"
    "601cc0000270603980398073000005648c18000001e001e001e25060078007800f000009c1801e001e003c000018"
    "925060000003c003c003c9c1800f000f001e00002306003c003c007800006649418000000f000f000f2706003c00"
    "3c007800008c1800f000f001e00001c92306000003980398039894180e600e601cc0000270603980398073000007"
    "648c18000001e001e001e25060078007800f000009c1801e001e003c000000"
)
#: An event with a path; the priority octet has a reserved bit set.
REAL_RSI = (
    "4224626466686a0000018cc8e5275d434d0c2000198f64d5c110010002001f40081f5750d0aa4664b8adc2001d5d"
    "4343b11992c457080075750d209c66491bac2001d5d434d0d1991ca4f080000640"
)


def wire_numbers(wire: WireType, n_bits: int, number: int) -> Any:
    """Return what a type reads from a whole number of `n_bits`."""
    writer = BitWriter()
    writer.write(number, n_bits)
    return wire.decode(BitReader(writer.to_bytes()))


def values(wire: WireType, *, between: bool = False) -> st.SearchStrategy[Any]:
    """Return all values that a type can send, with those between steps or without."""

    def inner(part: WireType) -> st.SearchStrategy[Any]:
        return values(part, between=between)

    if isinstance(wire, RecordType):
        fields = {
            item.name: st.none() | inner(item.wire) if item.presence else inner(item.wire)
            for item in wire.fields
        }
        return st.builds(wire.kind, **fields)
    if isinstance(wire, Choice):
        return st.one_of(*(inner(part) for part in wire.alternatives.values()))
    if isinstance(wire, ListOf):
        low, high = wire.length.low, wire.length.high
        return st.lists(inner(wire.item), min_size=low, max_size=min(high, low + 2)).map(tuple)
    if isinstance(wire, Scaled) and between:
        return st.floats(*wire.limits) | st.sampled_from([wire.limits[0], *wire.codes.values()])
    if isinstance(wire, Scaled):
        numbers = st.integers(0, wire.high - wire.low)
        return numbers.map(
            lambda number: wire_numbers(wire, bits_for(wire.high - wire.low + 1), number)
        )
    if isinstance(wire, Integer):
        return st.integers(wire.low, wire.high)
    if isinstance(wire, Steps):
        return st.sampled_from(list(wire.values))
    if isinstance(wire, Boolean):
        return st.booleans()
    if isinstance(wire, Enumerated):
        return st.sampled_from(list(wire.kind))
    if isinstance(wire, Flags):
        return st.integers(0, (1 << wire.n_bits) - 1).map(wire.kind)
    if isinstance(wire, ChineseText):
        return st.binary(min_size=wire.low, max_size=20)
    if isinstance(wire, Octets):
        return st.binary(min_size=wire.low, max_size=wire.high)
    if isinstance(wire, Ia5Text):
        signs = st.characters(max_codepoint=127)
        return st.text(signs, min_size=wire.low, max_size=min(wire.high, 20))
    assert isinstance(wire, _Forms)
    return st.sampled_from(wire.widths).flatmap(
        lambda bits: st.tuples(*(inner(form) for form in wire.forms[bits])).map(
            lambda parts: wire.kind(*parts, bits)
        )
    )


def messages(name: str | None = None, *, between: bool = False) -> st.SearchStrategy[Any]:
    """Return all messages, or those of one kind."""
    return values(FRAME if name is None else FRAME.alternatives[name], between=between)


def steps_apart(wire: WireType, one: Any, other: Any) -> float:
    """Return by how many steps of the wire two values differ at most; infinite if in kind."""
    if type(one) is not type(other) and not isinstance(wire, Scaled):
        return math.inf
    if one is None or one == other:
        return 0.0
    if isinstance(wire, RecordType):
        return max(
            steps_apart(item.wire, getattr(one, item.name), getattr(other, item.name))
            for item in wire.fields
        )
    if isinstance(wire, Choice):
        part = wire.alternatives[wire.name_of(one)]
        return steps_apart(part, one, other)
    if isinstance(wire, ListOf):
        if len(one) != len(other):
            return math.inf
        return max(steps_apart(wire.item, a, b) for a, b in zip(one, other, strict=True))
    if isinstance(wire, _Forms):
        if one.bits != other.bits:
            return math.inf
        pairs = zip(wire.forms[one.bits], one, other, strict=False)
        return max(steps_apart(form, a, b) for form, a, b in pairs)
    if isinstance(wire, Scaled) and not isinstance(one, Code) and not isinstance(other, Code):
        return abs(one - other) * wire.step[1] / wire.step[0]
    return math.inf


def record_types() -> list[RecordType]:
    """Return every kind of record that occurs in a message."""
    found: dict[str, RecordType] = {}

    def visit(wire: WireType) -> None:
        if isinstance(wire, RecordType):
            if wire.kind.__name__ not in found:
                found[wire.kind.__name__] = wire
                for item in wire.fields:
                    visit(item.wire)
        elif isinstance(wire, ListOf):
            visit(wire.item)
        elif isinstance(wire, Choice):
            for part in wire.alternatives.values():
                visit(part)

    visit(FRAME)
    return list(found.values())
