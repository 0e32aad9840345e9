"""Cut lines into text columns, each line by itself: what is wrong with one line cannot reach the next.

Three ways, the fast ones first, each taking only the lines that it reads exactly: every field quoted (as Shadowserver
writes), no field quoted, and the rest by a regular expression that must account for the whole line. Native CSV readers
are not used: they fail the file, or lose good lines, beside one stray quote (ADR 0006).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tansiq.feeds.feed import Delimited, JsonLines, Plain
from tansiq.feeds.reading.blocks import LINE_LIMIT_BYTES, Block

LINE = pl.col("line")


@dataclass(frozen=True, slots=True)
class Cut:
    """Columns of text (null where empty) beside ``line_number``; the lines refused; how many hold no record."""

    columns: pl.DataFrame
    refused: pl.DataFrame  # line_number, reason
    blank: int


def cut(block: Block, shape: Delimited | Plain | JsonLines, names: Sequence[str] = ()) -> Cut:
    """``names`` are the columns of a ``Delimited`` report (from its header line, or the shape's own)."""
    lines = block.lines()
    long = [pl.DataFrame({"line_number": list(block.oversized), "reason": "line.too_long"}, schema=REFUSED)]
    if lines.height and lines.get_column("line").str.len_bytes().max() > LINE_LIMIT_BYTES:  # type: ignore[operator]
        too_long = LINE.str.len_bytes() > LINE_LIMIT_BYTES
        long.append(refuse(lines.filter(too_long), "line.too_long"))
        lines = lines.filter(~too_long)
    if isinstance(shape, Delimited):
        result = delimited(
            lines, shape, list(names), quotes=block.data.count(shape.quote.encode()) if shape.quote else 0
        )
    elif isinstance(shape, Plain):
        result = plain(lines, shape)
    else:
        result = json_lines(lines, shape)
    return Cut(result.columns, pl.concat([result.refused, *long]).sort("line_number"), result.blank)


REFUSED = {"line_number": pl.UInt64, "reason": pl.String}


def refuse(lines: pl.DataFrame, reason: str) -> pl.DataFrame:
    return lines.select("line_number", pl.lit(reason).alias("reason"))


def empty_is_null(columns: pl.DataFrame) -> pl.DataFrame:
    return columns.with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String)))


# Delimited lines


def delimited(lines: pl.DataFrame, shape: Delimited, names: list[str], *, quotes: int) -> Cut:
    found: list[pl.DataFrame] = []
    rest = lines
    if shape.quote and lines.height:
        good, rest = all_quoted(rest, shape, names, quotes)
        found.append(good)
    if rest.height:
        good, rest = none_quoted(rest, shape, names)
        found.append(good)
    blank, refused = 0, pl.DataFrame(schema=REFUSED)
    if rest.height:
        rest, blank = records_only(rest, shape.comments)
        good, refused = some_quoted(rest, shape, names)
        found.append(good)
        more, refused = with_backslashes(rest, refused, shape, names)
        found.append(more)
    filled = [part for part in found if part.height]
    columns = (
        pl.concat(filled)
        if filled
        else pl.DataFrame(schema={"line_number": pl.UInt64} | dict.fromkeys(names, pl.String))
    )
    if len(filled) > 1:
        columns = columns.sort("line_number")
    return Cut(empty_is_null(columns), refused, blank)


def records_only(lines: pl.DataFrame, comments: Sequence[str]) -> tuple[pl.DataFrame, int]:
    """Without blank and comment lines, and how many those were."""
    start = LINE.str.strip_chars_start()
    idle = start == ""
    for mark in comments:
        idle |= start.str.starts_with(mark)
    records = lines.filter(~idle)
    return records, lines.height - records.height


def split(lines: pl.DataFrame, text: pl.Expr, separator: str, names: list[str]) -> tuple[pl.DataFrame, pl.Series]:
    """The fields of every line as columns, and which lines have exactly as many fields as there are names."""
    parts = lines.select(text.str.split_exact(separator, len(names)).alias("parts")).get_column("parts").struct
    last, over = f"field_{len(names) - 1}", f"field_{len(names)}"
    exact = parts.field(last).is_not_null() & parts.field(over).is_null()
    columns = parts.unnest().drop(over)
    columns.columns = names
    return columns.insert_column(0, lines.get_column("line_number")), exact


def all_quoted(
    lines: pl.DataFrame, shape: Delimited, names: list[str], quotes: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines of the form "a","b","c" without a quote inside a field; and the other lines.

    ``quotes`` is how many quotes all lines have together: two a field is what the form itself takes, and one more
    anywhere starts the search for the line that has it, which is for the exact way.
    """
    quote, glue = shape.quote, f"{shape.quote}{shape.separator}{shape.quote}"
    looks = LINE.str.starts_with(quote) & LINE.str.ends_with(quote) & (LINE.str.len_bytes() > 1)
    form = lines.select(looks).to_series()
    if not form.any():
        return lines.clear().select("line_number", *(pl.lit(None, pl.String).alias(n) for n in names)), lines
    columns, exact = split(lines, pl.when(looks).then(LINE.str.slice(1).str.head(-1)), glue, names)
    count = LINE.str.count_matches(quote, literal=True)
    own = 2 * len(names)
    if int(exact.sum()) * own + int(lines.filter(~exact).select(count).sum().item()) != quotes:
        exact &= lines.select(count == own).to_series()
    return columns.filter(exact), lines.filter(~exact)


def none_quoted(lines: pl.DataFrame, shape: Delimited, names: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines without any quote and with the right number of fields; and the other lines."""
    idle = LINE.str.contains(r"^\s*$")
    for mark in shape.comments:
        idle |= LINE.str.strip_chars_start().str.starts_with(mark)
    if shape.quote:
        idle |= LINE.str.contains(shape.quote, literal=True)
    aside = lines.select(idle).to_series()  # a line with a quote or a comment mark is for the exact way
    columns, exact = split(lines, pl.when(~aside).then(LINE), shape.separator, names)
    return columns.filter(exact), lines.filter(~exact)


def some_quoted(lines: pl.DataFrame, shape: Delimited, names: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The exact way: field by field, and the matches must add up to the line. Returns columns, refused."""
    mark, quote = re.escape(shape.separator), re.escape(shape.quote or "\0")
    field = rf"{mark}(?:{quote}(?:[^{quote}]|{quote}{quote})*{quote}|[^{quote}{mark}][^{mark}]*)?"
    # With a separator before it every field has one, and no match is empty.
    text = pl.concat_str(pl.lit(shape.separator), LINE)
    found = lines.select("line_number", text=text, found=text.str.extract_all(field), odd=odd_quotes(shape))
    found_bytes = pl.col("found").list.eval(pl.element().str.len_bytes()).list.sum()
    reason = (
        pl.when(pl.col("odd") | (found_bytes != pl.col("text").str.len_bytes()))
        .then(pl.lit("quote.unbalanced"))
        .when(pl.col("found").list.len() < len(names))
        .then(pl.lit("fields.missing"))
        .when(pl.col("found").list.len() > len(names))
        .then(pl.lit("fields.extra"))
    )
    found = found.with_columns(reason=reason)
    good = found.filter(pl.col("reason").is_null())
    cells = [unquoted(pl.col("found").list.get(i, null_on_oob=True), shape).alias(n) for i, n in enumerate(names)]
    return good.select("line_number", *cells), found.filter(pl.col("reason").is_not_null()).select(*REFUSED)


def with_backslashes(
    lines: pl.DataFrame, refused: pl.DataFrame, shape: Delimited, names: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines refused for their quotes that write a quote within a field as \\", as many programs do: read so."""
    escaped = "\\" + (shape.quote or "\0")
    unbalanced = refused.filter(pl.col("reason") == "quote.unbalanced").select("line_number")
    again = lines.filter(LINE.str.contains(escaped, literal=True)).join(
        unbalanced, on="line_number", how="semi", maintain_order="left"
    )
    doubled = LINE.str.replace_all(escaped, shape.quote * 2, literal=True)
    good, _ = some_quoted(again.with_columns(doubled), shape, names)
    return good, refused.join(good.select("line_number"), on="line_number", how="anti", maintain_order="left")


def odd_quotes(shape: Delimited) -> pl.Expr:
    return LINE.str.count_matches(shape.quote or "\0", literal=True) % 2 == 1


def unquoted(field: pl.Expr, shape: Delimited) -> pl.Expr:
    bare = field.str.strip_prefix(shape.separator)
    if not shape.quote:
        return bare
    inner = bare.str.slice(1).str.head(-1).str.replace_all(shape.quote * 2, shape.quote, literal=True)
    return pl.when(bare.str.starts_with(shape.quote)).then(inner).otherwise(bare)


def header_names(line: str, shape: Delimited) -> list[str]:
    """Column names from a header line: stripped, an empty one named by its place, a repeated one numbered."""
    text = line.lstrip("".join(shape.heading)) if shape.heading else line
    cells, _ = some_quoted(
        pl.DataFrame({"line_number": [1], "line": [text]}, schema_overrides={"line_number": pl.UInt64}),
        shape,
        [str(i) for i in range(count_fields(text, shape))],
    )
    raw = (
        [str(cell or "").strip() for cell in cells.row(0)[1:]]
        if cells.height
        else [c.strip() for c in text.split(shape.separator)]
    )
    names: list[str] = []
    for place, name in enumerate(raw, 1):
        name = name or f"column_{place}"
        while name in names or name == "line_number":
            name += "_"
        names.append(name)
    return names


def count_fields(line: str, shape: Delimited) -> int:
    if shape.quote:
        line = re.sub(rf"{re.escape(shape.quote)}[^{re.escape(shape.quote)}]*{re.escape(shape.quote)}", "", line)
    return line.count(shape.separator) + 1


# One value a line


def plain(lines: pl.DataFrame, shape: Plain) -> Cut:
    records, blank = records_only(lines, shape.comments)
    value, note = LINE, pl.lit(None, pl.String)
    if shape.notes:
        inline = "|".join(re.escape(mark) for mark in shape.notes)
        value = LINE.str.replace(rf"(?:{inline}).*$", "")
        note = LINE.str.extract(rf"(?:{inline})(.*)$")
    columns = records.select("line_number", value=value.str.strip_chars(), note=note.str.strip_chars())
    return Cut(empty_is_null(columns), pl.DataFrame(schema=REFUSED), blank)


# One JSON object a line


def json_lines(lines: pl.DataFrame, shape: JsonLines) -> Cut:
    """Named members as columns, and the whole object as ``record``: what no path names is nowhere else."""
    records, blank = records_only(lines, ())
    objects = records.filter(LINE.str.strip_chars_start().str.starts_with("{"))
    columns = members(objects, shape)
    if columns is None:
        objects = objects.filter(LINE.str.json_path_match("$").is_not_null())
        columns = members(objects, shape)
    if columns is None:  # a member is an object here and a text there: path by path takes anything
        columns = objects.select(
            "line_number", record="line", **{n: LINE.str.json_path_match(p) for n, p in shape.paths.items()}
        )
    bad = records.join(columns.select("line_number"), on="line_number", how="anti", maintain_order="left")
    return Cut(empty_is_null(columns), refuse(bad, "json.invalid"), blank)


STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\['([^']+)'\]")


def members(objects: pl.DataFrame, shape: JsonLines) -> pl.DataFrame | None:
    """Every named member in one pass; None when a line is no JSON, or a path or a value is not of this simple kind."""
    tree: dict[str, object] = {}
    steps: dict[str, list[str]] = {}
    for name, path in shape.paths.items():
        steps[name] = [a or b for a, b in STEP.findall(path)]
        if not path.startswith("$") or len(STEP.sub("", path)) != 1:
            return None
        node = tree
        for step in steps[name][:-1]:
            node = node.setdefault(step, {})  # type: ignore[assignment]
            if not isinstance(node, dict):
                return None
        if node.setdefault(steps[name][-1], None) is not None:
            return None
    try:
        decoded = objects.select("line_number", "line", found=LINE.str.json_decode(structure(tree)))
    except (pl.exceptions.ComputeError, pl.exceptions.ShapeError):  # the latter where a NUL stands in a broken line
        return None
    picked = {}
    for name, way in steps.items():
        picked[name] = pl.col("found")
        for step in way:
            picked[name] = picked[name].struct.field(step)
    return decoded.select("line_number", record="line", **picked)


def structure(tree: dict[str, object]) -> pl.Struct:
    return pl.Struct({k: structure(v) if isinstance(v, dict) else pl.String() for k, v in tree.items()})
