"""The figures as a table of docs/reliability.md, between two markers."""

BEGIN, END = "<!-- attacks: written by scripts/attack -->", "<!-- attacks: end -->"


class Row:
    """A line of the table."""

    def __init__(self, name, how):
        self.name, self.how, self.tried, self.stood, self.fell = name, how, 0, 0, []


def write(path, rows, options):
    """Puts the table between its markers; the rest of the page stays as it is."""
    lines = [BEGIN, "", f"Seed {options.seed}.", "", "| what | tried | stood | how |", "| --- | --- | --- | --- |"]
    lines += [f"| {row.name} | {row.tried:,} | {row.stood:,} | {row.how} |" for row in rows]
    page = path.read_text()
    before, rest = page.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    path.write_text(before + "\n".join(lines) + "\n\n" + END + after)
