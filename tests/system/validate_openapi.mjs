// Validates the OpenAPI document on standard input by the validator at argv[2]; prints its version or what is wrong.
import { readFileSync } from "node:fs";

const { Validator } = await import(process.argv[2]);
const validator = new Validator();
const result = await validator.validate(JSON.parse(readFileSync(0, "utf8")));
if (!result.valid) {
  console.error(JSON.stringify(result.errors, null, 1));
  process.exit(1);
}
console.log(validator.version);
