"""Tables as people have them are read as they are meant; what could be meant in two ways is refused with its place."""

import gzip

import numpy as np
import pytest

from spikenn_cy.data.columns import read_columns
from spikenn_cy.data.columns import row_counters
from spikenn_cy.data.pixeltables import is_pixel_table
from spikenn_cy.data.tables import layout_of
from spikenn_cy.data.tables import read_pairs
from spikenn_cy.data.tables import rows_of
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning

pytestmark = pytest.mark.quick


def write(folder, text, encoding="utf-8"):
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


def read(path, label="kind"):
    layout = layout_of(path, label)
    return layout, read_columns(path, layout, dict.fromkeys(layout.names), only_words=[label])


def refusal(path, **options):
    with pytest.raises(DataError) as refused:
        read(path, **options)
    assert "\n" not in str(refused.value)
    return str(refused.value).removeprefix(str(path))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_delimiter_is_found(tmp_path, delimiter, end):
    rows = [["a", "b", "kind"], ["1.5", "-2", "x"], ["2e1", "+.5", "y"]]
    layout, columns = read(write(tmp_path, end.join(map(delimiter.join, rows)) + end + end))
    assert layout.names == ("a", "b", "kind")
    assert columns.numbers["a"].tolist() == [1.5, 20]
    assert columns.numbers["b"].tolist() == [-2, 0.5]
    assert columns.words["kind"].known == ["x", "y"]
    assert columns.lines.tolist() == [2, 3]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_marks_of_byte_order_are_no_part_of_the_first_name(tmp_path, encoding):
    layout, _ = read(write(tmp_path, "größe,kind\n1,x\n", encoding))
    assert layout.names == ("größe", "kind")


def test_a_gzipped_table_is_read(tmp_path):
    path = write(tmp_path, "a,kind\n1,x\n")
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert read(path)[0].names == ("a", "kind")


def test_a_table_may_be_wide_and_a_cell_may_not(tmp_path):
    header, row = ",".join(f"a{k}" for k in range(22_000)), ",".join(["1.5"] * 22_000)
    layout, columns = read(write(tmp_path, f"{header},kind\n{row},x\n{row},y\n"))
    assert (len(layout.names), columns.words["kind"].known) == (22_001, ["x", "y"])
    long = "x" * 200_000
    assert refusal(write(tmp_path, f"a,kind\n{long},x\n")) == (
        ": must be a sound table, got 'a cell of more than 131072 characters'"
    )
    rows = "1,x\n" * 300
    assert refusal(write(tmp_path, f"a,kind\n{rows}{long},x\n")).startswith(": must be a sound table, got field larger")
    assert not is_pixel_table(write(tmp_path, long))


def test_quotes_hold_delimiters_quotes_and_line_ends(tmp_path):
    _, columns = read(write(tmp_path, 'a,kind\n"1","x, ""y""\nz"\n2,w\n'))
    assert columns.words["kind"].known == ['x, "y"\nz', "w"]


def test_decimal_commas_are_read_beside_other_delimiters_and_in_quotes(tmp_path):
    for text in ("a;kind\n1,5;x\n2;y\n-3,25;x\n", 'a,kind\n"1,5",x\n2,y\n"-3,25",x\n'):
        _, columns = read(write(tmp_path, text))
        assert columns.numbers["a"].tolist() == [1.5, 2, -3.25]


def test_what_could_be_commas_between_thousands_is_refused(tmp_path):
    rule = ": column a: must hold numbers without commas between thousands, got '1,500'"
    assert refusal(write(tmp_path, 'a,kind\n"1,500",x\n"12,000",y\n')) == rule


@pytest.mark.parametrize(
    ("text", "has_header"),
    [
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n6.1,2.0,virginica\n", False),
        ("length,width,kind\n4.9,3.0,setosa\n6.1,2.0,virginica\n", True),
        ("p,x,s\ne,x,s\np,y,t\n", False),  # words alone, which come again below
        ("kind,cap,gill\ne,x,s\np,y,t\n", True),
        ("1,2,3\n4,5,6\n", False),
        ("a,b\n", True),
    ],
)
def test_a_header_is_told_from_a_row(tmp_path, text, has_header):
    assert layout_of(write(tmp_path, text)).has_header is has_header


def test_a_name_that_the_user_gives_makes_the_first_row_a_header(tmp_path):
    assert layout_of(write(tmp_path, "x,y,kind\nx,y,e\nx,y,p\n"), "kind").has_header


def test_missing_values_are_known_by_all_their_names(tmp_path):
    names = ["", "NA", "n/a", "NaN", "null", "None", "?", "-"]
    _, columns = read(write(tmp_path, "a,b,kind\n1,w,x\n" + "".join(f"{name},{name},x\n" for name in names)))
    assert np.isnan(columns.numbers["a"]).sum() == len(names)
    assert columns.words["b"].numbers.tolist() == [0] + [-1] * len(names)


def test_a_column_of_words_is_known_after_many_rows_of_numbers(tmp_path):
    rows = "".join(f"{k % 7},{k % 3}\n" for k in range(5000))
    _, columns = read(write(tmp_path, f"a,kind\n{rows}many,0\n"))
    assert columns.words["a"].known == ["0", "1", "2", "3", "4", "5", "6", "many"]
    assert len(columns.words["a"].numbers) == 5001


def test_columns_that_count_the_rows_are_found(tmp_path):
    _, columns = read(write(tmp_path, ",Id,a,kind\n0,1,3,x\n1,2,4,y\n2,3,6,x\n"))
    assert row_counters(columns) == ["column 0", "Id"]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("", ": must be a table, got 'an empty file'"),
        ("\n \n", ": must be a table, got 'an empty file'"),
        ("a,kind\n", ": must have rows, got 'none'"),
        ("a\n1\n2\n", ": must have columns with a delimiter between them, got 'one column'"),
        ("a,b,kind\n1,2,x\n1,2\n", ": row 3 must have 3 columns as the first one, got 2"),
        ("a,b,kind\n" + "1,2,x\n" * 60 + "1,2\n", ": line 62: must have 3 columns, got 2"),
        ("a,a,kind\n1,2,x\n", ": must have columns of different names, got ['a']"),
        ("a,kind\ninf,x\n1,y\n", ": line 2, column a: must be finite, got inf"),
        (
            "a,kind\n" + "".join(f"name{k},x\n" for k in range(60)),
            ": column a: must hold numbers, or at most 50 different words (--leave_out leaves a column out), got more,",
        ),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(tmp_path, text, finding):
    assert refusal(write(tmp_path, text)).startswith(finding)


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        (b"\x93NUMPY", "an array in NumPy's .npy format"),
        (b"PK\3\4 workbook", "an .npz archive or a workbook"),
        ("größe,kind\n1,x\n".encode("latin-1"), "byte 0xf6"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, finding):
    (tmp_path / "table.csv").write_bytes(content)
    assert finding in refusal(tmp_path / "table.csv")


def test_a_column_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    layout = layout_of(write(tmp_path, "length,width,kind\n1,2,x\n"))
    with pytest.raises(DataError, match=r"\(length, width, kind\), got 'kinds' \(did you mean kind\?\)"):
        layout.position("kinds", "here")
    assert [layout.position(name, "here") for name in ("kind", "2", "-1")] == [2, 2, 2]
    layout = layout_of(write(tmp_path, "1,2,x\n3,4,x\n"))
    with pytest.raises(DataError, match=r"\(0 to 2, since there is no header\), got '3'"):
        layout.position("3", "here")


def test_pairs_are_a_name_and_a_class_each(tmp_path):
    assert read_pairs(write(tmp_path, "file,kind\n1.png,x\n2.png,y\n")) == {"1.png": "x", "2.png": "y"}
    with pytest.raises(DataError, match=r"line 3: must name each file once, got '1.png'"):
        read_pairs(write(tmp_path, "file,kind\n1.png,x\n1.png,y\n"))


def test_rows_of_empty_cells_are_left_out_and_told_unless_they_end_the_table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2\n\n,\n3,1\n , \n5,6\n,\n,\n")
    with pytest.warns(DataWarning, match=r"line 4: a row of empty cells is left out, and 1 more between rows$"):
        assert [number for number, _ in rows_of(path, layout_of(path))] == [2, 5, 7]
    path.write_text("a,b\n1,2\n3,1\n,\n,\n\n")
    assert [number for number, _ in rows_of(path, layout_of(path))] == [2, 3]
