// Reads front matter with readers from npm. Standard input: a JSON list of texts. Standard output:
// by reader, what it makes of each text, as readers.py describes it.
import * as jsYaml from "js-yaml";
import * as jsYaml4 from "js-yaml-4";
import { parseDocument } from "yaml";

function describe(value) {
  if (typeof value === "string") return ["string", value];
  if (typeof value === "number" || typeof value === "bigint")
    return [Number.isInteger(Number(value)) ? "integer" : "float", String(value)];
  if (Array.isArray(value)) return ["list", value.map(describe)];
  if (value instanceof Map)
    return ["mapping", [...value].map(([key, item]) => [describe(key), describe(item)])];
  if (value !== null && typeof value === "object" && Object.getPrototypeOf(value) !== Date.prototype)
    return ["mapping", Object.entries(value).map(([key, item]) => [["string", key], describe(item)])];
  return ["other", String(value)];
}

const readers = {
  yaml: (text) => {
    const document = parseDocument(text);
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS({ mapAsMap: true });
  },
  "js-yaml": (text) => jsYaml.load(text),
  "js-yaml-4": (text) => jsYaml4.load(text),
};

// `readFileSync(0)` fails in Node.js 18 where the pipe is still empty
let input = "";
for await (const chunk of process.stdin.setEncoding("utf-8")) input += chunk;
const texts = JSON.parse(input);
const results = {};
for (const [name, read] of Object.entries(readers)) {
  results[name] = texts.map((text) => {
    try {
      return describe(read(text));
    } catch (error) {
      return ["refused", String(error.message).split("\n")[0]];
    }
  });
}
process.stdout.write(JSON.stringify(results));
