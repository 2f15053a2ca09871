"""Damage of files: of their bytes, and of what they mean, with all checksums right, so that it gets further inside."""

import ast
import gzip
import io
import json
import re
import struct
import zipfile

import numpy as np

# Bytes

LENGTHS = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)


def flip_bits(content, draw):
    changed = bytearray(content)
    for place in draw.integers(0, len(changed), draw.integers(1, 9)):
        changed[place] ^= 1 << int(draw.integers(8))
    return bytes(changed)


def set_length(content, draw):
    """Write a number where a length may stand."""
    n_bytes, end = int(draw.choice([1, 2, 4, 8])), str(draw.choice(["little", "big"]))
    place = int(draw.integers(0, len(content)))
    number = LENGTHS[draw.integers(len(LENGTHS))] % 2 ** (8 * n_bytes)
    return content[:place] + number.to_bytes(n_bytes, end) + content[place + n_bytes :]


def cut(content, draw):
    return content[: draw.integers(0, len(content))]


def take_out(content, draw):
    first, last = sorted(draw.integers(0, len(content) + 1, 2))
    return content[:first] + content[min(last, first + 64) :]


def repeat(content, draw):
    first, last = sorted(draw.integers(0, len(content) + 1, 2))
    return content[:last] + content[first:last] * int(draw.choice([1, 1, 2, 40])) + content[last:]


def insert(content, draw):
    place = int(draw.integers(0, len(content) + 1))
    return content[:place] + draw.bytes(int(draw.choice([1, 2, 8, 300]))) + content[place:]


def swap(content, draw):
    a, b, c = sorted(draw.integers(0, len(content) + 1, 3))
    return content[:a] + content[b:c] + content[a:b] + content[c:]


BYTES = (flip_bits, set_length, cut, take_out, repeat, insert, swap)


def of_bytes(content, draw):
    return BYTES[draw.integers(len(BYTES))](content, draw) if content else draw.bytes(8)


# JSON

VALUES = (
    *("null", "true", "false", "0", "-1", "1", "2", "0.5", "-0.0", "1e-320", "1e300", "1e999", "-1e999", "NaN"),
    *("Infinity", "2147483648", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1" + "0" * 400),
    *('""', '"a"', '"0"', '"\\ud800"', '"\\u0000"', '"\\u001b[31m\\n"', '"../../x"', '"' + "x" * 3000 + '"'),
    *("[]", "[[]]", "{}", '{"a": 1}', '{"": null}', "[1, 2]", "[null]", '["x", 1]', "[0.5, 0.5, 0.5, 0.5, 0.5, 0.5]"),
    *("[" * 200 + "]" * 200, '{"a":' * 200 + "0" + "}" * 200, "[" * 100_000),
)
TAKEN = "\ue000"  # where a value goes in that JSON's writer would not write


def places_in(value, place=()):
    """Yield the paths of all values in a JSON value."""
    yield place
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places_in(item, (*place, key))


def at(value, place):
    for key in place:
        value = value[key]
    return value


def json_value(text, draw):
    """Replace a value, which may be the whole."""
    value = json.loads(text)
    places = list(places_in(value))
    place = places[draw.integers(len(places))]
    new = VALUES[draw.integers(len(VALUES))]
    if not place:
        return new
    at(value, place[:-1])[place[-1]] = TAKEN
    return json.dumps(value).replace(json.dumps(TAKEN), new)


def json_number(text, draw):
    """Change a number a little or much, so that it stays one."""
    numbers = list(re.finditer(r"-?\d+(\.\d+)?(e-?\d+)?", text))
    if not numbers:
        return json_value(text, draw)
    number = numbers[draw.integers(len(numbers))]
    old = float(number[0])
    new = draw.choice([old + 1, old - 1, -old, old * 2, old / 2, 0, old * 1e6, old + 0.5])
    new = int(new) if float(new).is_integer() and abs(new) < 1e18 and draw.random() < 0.8 else float(new)
    return text[: number.start()] + json.dumps(new) + text[number.end() :]


def json_members(text, draw):
    """Take a member out of an object or list, double it, rename it, or give it another's value."""
    value = json.loads(text)
    holders = [place for place in places_in(value) if isinstance(at(value, place), dict | list) and at(value, place)]
    if not holders:
        return json_value(text, draw)
    holder = at(value, holders[draw.integers(len(holders))])
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    key, other = (keys[number] for number in draw.integers(0, len(keys), 2))
    way = draw.integers(4)
    if way == 0:
        del holder[key]
    elif way == 1:
        holder[key] = holder[other]
    elif isinstance(holder, list):
        holder.insert(key, holder[other])
    elif way == 2:  # once more under another name
        holder[str(draw.choice([f"{key}x", "", "a\nb", "\x1b[2J", "\ud800", str(key).upper()]))] = holder[key]
    else:  # twice by the same name
        item = holder.pop(key)
        holder["\ue001"] = item
        holder["\ue002"] = item
        return re.sub(r'"\\ue00[12]"', lambda _: json.dumps(key), json.dumps(value))
    return json.dumps(value)


JSON = (json_value, json_number, json_members)


def of_json(content, draw):
    return JSON[draw.integers(len(JSON))](content.decode(), draw).encode("utf-8", "surrogatepass")


def of_json_lines(content, draw):
    """Damage, double, lose or exchange a line."""
    lines = content.split(b"\n")
    a, b = draw.integers(0, max(1, len(lines) - 1), 2)
    way = draw.integers(5)
    if way == 0:
        del lines[a]
    elif way == 1:
        lines.insert(b, lines[a])
    elif way == 2:
        lines[a], lines[b] = lines[b], lines[a]
    else:
        lines[a] = of_json(lines[a], draw)
    return b"\n".join(lines)


# Arrays

TYPES = (
    "<f4",
    "<f8",
    "<f2",
    ">f4",
    "<i4",
    ">i4",
    "<i8",
    "<u8",
    "|u1",
    "|i1",
    "|b1",
    "<i2",
    "<c8",
    "|O",
    "|V4",
    "<M8[s]",
)
TYPES += ("<U1", "|S1", "<U0", "|S0", [("a", "<i4")], "<f16", "garbage")
SPECIAL = (0, 1, -1, 2, 0.5, 1e-45, 1e30, 3.5e38, np.nan, np.inf, -np.inf, 127, 255, 32767, 2**31 - 1, -(2**31), 2**62)


def npy_parts(content):
    """Return version, header and bytes of the elements of a ``.npy`` file."""
    version = content[6]
    form, start = ("<H", 10) if version == 1 else ("<I", 12)
    (length,) = struct.unpack_from(form, content, 8)
    return ast.literal_eval(content[start : start + length].decode("latin-1")), content[start + length :]


def npy_file(header, data):
    text = repr(header).encode("latin-1")
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def npy_type(content, draw):
    header, data = npy_parts(content)
    header["descr"] = TYPES[draw.integers(len(TYPES))]
    return npy_file(header, data)


def npy_shape(content, draw):
    header, data = npy_parts(content)
    shape = list(header["shape"])
    way = draw.integers(5)
    number = int(draw.choice([0, 1, 2, 3, -1, 2**31, 2**62, *(length + 1 for length in shape)]))
    if way == 0 or not shape:
        shape.insert(int(draw.integers(0, len(shape) + 1)), number)
    elif way == 1:
        shape[draw.integers(len(shape))] = number
    elif way == 2:
        del shape[draw.integers(len(shape))]
    elif way == 3:
        shape.reverse()
    else:
        header["fortran_order"] = True
    header["shape"] = tuple(shape)
    return npy_file(header, data)


def npy_length(content, draw):
    """Take elements away or add some, and say so."""
    header, data = npy_parts(content)
    if not header["shape"] or not isinstance(header["descr"], str) or "O" in header["descr"]:
        return npy_values(content, draw)
    array = np.frombuffer(data, header["descr"]).reshape(header["shape"])
    rows = draw.integers(0, len(array) + 1, int(draw.choice([0, 1, 2, len(array), len(array) + 1])))
    array = array[np.sort(rows[rows < len(array)])]
    return npy_file(header | {"shape": array.shape}, array.tobytes())


def npy_values(content, draw):
    """Put a few special values among the elements, or exchange some."""
    header, data = npy_parts(content)
    if not isinstance(header["descr"], str) or header["descr"][1] not in "fiub" or not data:
        return npy_file(header, of_bytes(data, draw))
    array = np.frombuffer(data, header["descr"]).copy()
    places = draw.integers(0, len(array), int(draw.integers(1, 4)))
    with np.errstate(all="ignore"):
        if draw.random() < 0.3:
            array[places] = array[draw.permutation(places)[::-1]]
        elif draw.random() < 0.5:
            array[places] = array[places] + np.array(draw.choice([1, -1])).astype(array.dtype)
        else:
            array[places] = np.array(SPECIAL[draw.integers(len(SPECIAL))]).astype(array.dtype)
    return npy_file(header, array.tobytes())


def npy_text(content, draw):
    """Damage the JSON that is the text of an array."""
    header, data = npy_parts(content)
    text = of_json(data.decode("utf-32-le").encode(), draw).decode("utf-8", "surrogatepass")
    return npy_file(header | {"descr": f"<U{len(text)}"}, text.encode("utf-32-le", "surrogatepass"))


NPY = (npy_type, npy_shape, npy_length, npy_values, npy_values, npy_values)


def of_npy(content, draw):
    header, data = npy_parts(content)
    if header["shape"] == () and str(header["descr"]).startswith("<U") and data[:4] == b"{\0\0\0":
        return npy_text(content, draw)
    return NPY[draw.integers(len(NPY))](content, draw)


# Archives


def members_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(info.filename, archive.read(info)) for info in archive.infolist()]


def zipped(members, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members:
            if archive.namelist().count(name):
                archive.NameToInfo.pop(name)  # and no warning
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return file.getvalue()


def zip_member(content, draw):
    """Damage the array of a member; the checksum is right."""
    members = members_of(content)
    number = int(draw.integers(len(members)))
    name, data = members[number]
    members[number] = name, of_npy(data, draw)
    return zipped(members)


def zip_members(content, draw):
    """Lose a member, have it twice, call it otherwise, exchange two, or add one."""
    members = members_of(content)
    a, b = draw.integers(0, len(members), 2)
    way = draw.integers(5)
    if way == 0:
        del members[a]
    elif way == 1:
        members.insert(b, members[a])
    elif way == 2:
        members[a], members[b] = (members[a][0], members[b][1]), (members[b][0], members[a][1])
    elif way == 3:
        name = str(draw.choice(["x.npy", "", "../x.npy", "\x1b[2J.npy", "a\nb.npy", members[b][0].upper()]))
        members[a] = name, members[a][1]
    else:
        members.append(("more.npy", members[b][1]))
    return zipped(members)


def zip_compression(content, draw):
    return zipped(members_of(content), int(draw.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])))


def zip_directory(content, draw):
    """Damage the directory, the headers of members, or the end, where sizes and places stand."""
    signs = [match.start() for match in re.finditer(rb"PK(\x01\x02|\x03\x04|\x05\x06|\x06\x06)", content)]
    place = signs[draw.integers(len(signs))] + 4
    return content[:place] + of_bytes(content[place : place + 60], draw) + content[place + 60 :]


ZIP = (zip_member, zip_member, zip_member, zip_member, zip_members, zip_compression, zip_directory)


def of_npz(content, draw):
    return ZIP[draw.integers(len(ZIP))](content, draw)


# Text and packed files

CELLS = (
    "",
    " ",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "-1",
    "1e-400",
    "x",
    '"',
    '"a\nb"',
    "0x10",
    "1_000",
    "\N{ARABIC-INDIC DIGIT ONE}",
    "\0",
    "\x1b[2J",
)
CELLS += ("9" * 400, "1,5", "1;5", "None", "true", "é", "=1+1", "y" * 200_000)


def of_table(content, draw):
    """Damage a cell, a line, or the way in which all of it is written."""
    lines = content.decode("utf-8").split("\n")
    a, b = draw.integers(0, len(lines), 2)
    way = draw.integers(8)
    if way == 0:
        del lines[a]
    elif way == 1:
        lines.insert(b, lines[a])
    elif way == 2:
        lines = [line.replace(",", str(draw.choice([";", "\t", " ", "|", ""]))) for line in lines]
    elif way == 3:
        return "\n".join(lines).encode(str(draw.choice(["utf-16", "utf-8-sig", "utf-32", "utf-16-be"])))
    else:
        cells = lines[a].split(",")
        number = draw.integers(len(cells))
        if draw.random() < 0.2:
            del cells[number]
        else:
            cells[number] = CELLS[draw.integers(len(CELLS))]
        lines[a] = ",".join(cells)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def inside_gzip(mutator):
    """Return what damages the contents of a packed file."""

    def of_gzip(content, draw):
        return gzip.compress(mutator(gzip.decompress(content), draw), 1, mtime=0)

    return of_gzip


def mutated(content, draw, mutators):
    """Return a file with one to three kinds of damage; the last of them may be to bytes."""
    for _ in range(int(draw.choice([1, 1, 1, 2, 3]))):
        if draw.random() < 0.25:
            return of_bytes(content, draw)
        mutator = mutators[draw.integers(len(mutators))]
        try:
            content = mutator(content, draw)
        except Exception:  # of whatever kind: what was damaged before means nothing any more
            return of_bytes(content, draw)
    return content
